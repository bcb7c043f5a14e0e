"""Long frames of the mode advanced, which are read to their place: whole, with handles among them, cut off, and interrupted."""

from __future__ import annotations

import os
import socket
import threading
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import pytest

import nodechannel
from nodechannel import errors
from nodechannel._advanced.encode import encode
from support.interrupting import Injection, Injector

if TYPE_CHECKING:
    from collections.abc import Iterator

SIZES = [65_000, 65_536, 200_000, 1 << 20, 3_000_000]
VALUES = [os.urandom(size) for size in SIZES]


@pytest.fixture
def pair(api: Any) -> Iterator[tuple[Any, socket.socket]]:
    ours, theirs = socket.socketpair()
    theirs.settimeout(20)
    channel = api.channel(ours, serialization="advanced")
    yield channel, theirs
    channel.close()
    theirs.close()


def sending(peer: socket.socket, *frames: bytes) -> threading.Thread:
    """Send in a thread; a channel that is closed meanwhile ends it."""

    def send() -> None:
        for frame in frames:
            try:
                peer.sendall(frame)
            except OSError:
                return

    thread = threading.Thread(target=send)
    thread.start()
    return thread


def test_long_frames_arrive_whole(channel, peer):
    sender = sending(peer, b"".join(encode(value) for value in VALUES))
    assert [channel.receive(timeout=20).data for _ in VALUES] == VALUES
    sender.join()


def test_descriptors_arrive_with_long_frames(channel, peer):
    """One rides on the first byte of a long frame, one on the byte after it, and one where no message claims it."""
    envelope = {"cmd": "NODE_HANDLE", "type": "net.Socket", "msg": VALUES[3]}
    frame = encode(envelope)

    def send() -> None:
        for _ in range(2):
            with socket.socket() as sock:
                sent = socket.send_fds(peer, [frame[:70_000]], [sock.fileno()])
            peer.sendall(frame[sent:])
        with socket.socket() as sock:
            peer.sendall(frame[:100_000])
            socket.send_fds(peer, [frame[100_000:100_001]], [sock.fileno()])
            peer.sendall(frame[100_001:])

    sender = threading.Thread(target=send)
    sender.start()
    for _ in range(3):
        message = channel.receive(timeout=20)
        assert message.data == VALUES[3]
        message.handle.close()
    sender.join()


def test_a_peer_that_dies_amid_a_long_frame(channel, peer):
    frame = encode(VALUES[3])
    sender = sending(peer, encode("before") + frame[:-1])
    assert channel.receive(timeout=20).data == "before"
    sender.join(0.2)
    peer.shutdown(socket.SHUT_RDWR)
    with pytest.raises(errors.ChannelClosed):
        channel.receive(timeout=20)
    sender.join()


def test_a_limit_of_time_amid_a_long_frame_loses_nothing(channel, peer):
    frame = encode(VALUES[2])
    peer.sendall(frame[:150_000])
    with pytest.raises(TimeoutError):
        channel.receive(timeout=0.05)
    sender = sending(peer, frame[150_000:] + encode("after"))
    assert channel.receive(timeout=20).data == VALUES[2]
    assert channel.receive(timeout=20).data == "after"
    sender.join()


def test_a_handler_that_raises_at_any_line_amid_a_long_frame_loses_nothing():
    """In the blocking front end, while the rest of the frame is read to its place."""
    frame = encode(VALUES[2])

    def interrupted(line: int) -> str | None:
        injector = Injector(line)
        ours, peer = socket.socketpair()
        with nodechannel.Channel(ours, serialization="advanced") as channel, peer:
            peer.sendall(frame[:70_000])
            with suppress(TimeoutError):
                channel.receive(timeout=0)
            peer.sendall(frame[70_000:180_000])
            sender = sending(peer, frame[180_000:] + encode("after"))
            found: list[object] = []
            with suppress(Injection):
                injector.run(lambda: found.append(channel.receive(timeout=20).data), raising)
            while "after" not in found:
                found.append(channel.receive(timeout=20).data)
            sender.join()
        assert found == [VALUES[2], "after"], injector.where
        return injector.where

    lines = 1
    while interrupted(lines) is not None:
        lines += 1
    assert lines > 50


def raising() -> None:
    raise Injection
