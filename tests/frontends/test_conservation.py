"""Every descriptor has a single owner or is closed, wherever the peer dies and however small the buffers are.

A connection is its own witness: its far end reads end of file exactly when the last copy of the descriptor is closed.
"""

from __future__ import annotations

import array
import contextlib
import os
import random
import socket
import threading
from typing import TYPE_CHECKING

import pytest

from nodechannel import errors
from nodechannel._core.delivery import DeliveryState
from support.frontends import begin

if TYPE_CHECKING:
    from nodechannel import Message

ACK = b'{"cmd":"NODE_HANDLE_ACK"}\n'
NACK = b'{"cmd":"NODE_HANDLE_NACK"}\n'


def connections(count: int) -> tuple[list[socket.socket], list[socket.socket]]:
    pairs = [socket.socketpair() for _ in range(count)]
    for _, witness in pairs:
        witness.settimeout(10)
    return [pair[0] for pair in pairs], [pair[1] for pair in pairs]


def all_closed(witnesses: list[socket.socket]) -> bool:
    ended = [witness.recv(1) == b"" for witness in witnesses]
    for witness in witnesses:
        witness.close()
    return all(ended)


def read_some(peer: socket.socket, count: int, answer: bytes) -> None:
    """Read `count` bytes in all and die, closing the descriptors that come along; answer each envelope while there is more to read."""
    buffer = b""
    taken = 0
    while taken < count:
        data, fds, _, _ = socket.recv_fds(peer, count - taken, 10)
        for fd in fds:
            os.close(fd)
        if not data:
            break
        taken += len(data)
        buffer += data
        *lines, buffer = buffer.split(b"\n")
        for line in lines:
            if taken < count and b"NODE_HANDLE" in line:
                with contextlib.suppress(OSError):
                    peer.sendall(answer)
    peer.close()


@pytest.mark.parametrize("answer", [ACK, NACK], ids=["acknowledging", "refusing"])
def test_a_peer_that_dies_at_any_byte_while_it_is_sent_handles(api, answer):
    whole = len('{"cmd":"NODE_HANDLE","type":"net.Socket","msg":0}\n') * 2 + len('"plain"\n')
    for count in range(0, whole + 1, 3):
        ours, peer = socket.socketpair()
        peer.settimeout(10)
        channel = api.channel(ours)
        sent, witnesses = connections(2)
        deliveries = []
        for message, handle in ((0, sent[0]), ("plain", None), (1, sent[1])):
            with contextlib.suppress(errors.ChannelClosed):
                deliveries.append(begin(channel, message, handle=handle))
        if api.name == "asyncio":
            api.call(lambda: None)  # a turn of the loop, which writes

        reader = threading.Thread(target=read_some, args=(peer, count, answer))
        reader.start()
        with pytest.raises(errors.ChannelClosed):
            while True:
                with contextlib.suppress(errors.RemoteError):
                    channel.receive(timeout=10)
        reader.join()
        assert all(delivery.state is not DeliveryState.QUEUED for delivery in deliveries)
        deliveries.clear()
        channel.close()
        for sock in sent:  # those that send refused still belong to the caller
            sock.close()
        assert all_closed(witnesses), f"a copy is left after {count} bytes"


def test_a_peer_that_dies_at_any_byte_while_it_sends_handles(api):
    envelope = b'{"cmd":"NODE_HANDLE","type":"net.Socket","msg":%d,"key":"k"}\n'
    stream = [(envelope % 0, True), (b'"plain"\n', False), (envelope % 1, True), (b'"stray"\n', True)]
    whole = sum(len(data) for data, _ in stream)
    for count in range(0, whole + 1, 3):
        ours, peer = socket.socketpair()
        channel = api.channel(ours)
        given, witnesses = connections(3)
        remaining = list(given)
        left = count
        for data, has_fd in stream:
            part = data[:left]
            left -= len(part)
            if part:
                fds = array.array("i", [remaining.pop(0).fileno()]) if has_fd else None
                peer.sendmsg([part], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, fds)] if fds else [])
        peer.close()
        for sock in given:
            sock.close()
        handles = []
        with pytest.raises(errors.ChannelClosed):
            while True:
                message = channel.receive(timeout=10)
                if message.handle is not None:
                    handles.append(message.handle)
        assert len(handles) == (count >= len(stream[0][0])) + (count >= whole - len(stream[3][0]))
        for handle in handles:
            handle.socket().close()
        assert all_closed(witnesses), f"a copy is left after {count} bytes"


def test_thousands_of_hand_overs_with_random_faults(api):
    """Small buffers, refusals, unclaimed connections, channels that end at any moment: the books balance."""
    chance = random.Random(20261121)
    counts = dict.fromkeys(("sent", "delivered", "returned", "lost with the channel"), 0)
    for _ in range(20):
        ours, theirs = socket.socketpair()
        for end in (ours, theirs):
            end.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1)  # the kernel's minimum
        one, other = api.channel(ours), api.channel(theirs)
        sent, witnesses = connections(100)
        deliveries = []
        ending = chance.choice([None, chance.randrange(100)])
        for number, sock in enumerate(sent):
            counts["sent"] += 1
            with contextlib.suppress(errors.ChannelClosed):
                deliveries.append(begin(one, [number, "x" * chance.randrange(3000)], handle=sock))
            if number == ending:
                chance.choice([one, other]).close()
            with contextlib.suppress(errors.ChannelClosed, TimeoutError):
                message = other.receive(timeout=0 if chance.random() < 0.3 else 5)
                counts["delivered"] += settle(message, chance)
            with contextlib.suppress(errors.ChannelClosed, TimeoutError):
                one.receive(timeout=0)
        with contextlib.suppress(errors.ChannelClosed, TimeoutError):
            while True:
                one_more = other.receive(timeout=0.2)
                counts["delivered"] += settle(one_more, chance)
                with contextlib.suppress(TimeoutError):
                    one.receive(timeout=0)
        one.close()
        other.close()
        for delivery in deliveries:
            with contextlib.suppress(errors.HandleTaken):
                delivery.take_back().close()
                counts["returned"] += 1
        deliveries.clear()
        for sock in sent:
            sock.close()
        assert all_closed(witnesses)
    counts["lost with the channel"] = counts["sent"] - counts["delivered"] - counts["returned"]
    print(counts)
    assert counts["sent"] == 2000
    assert counts["delivered"] > 500


def settle(message: Message, chance: random.Random) -> int:
    """Use a received handle as a user may; return 1."""
    handle = message.handle
    assert handle is not None
    way = chance.randrange(3)
    if way == 0:
        handle.close()
    elif way == 1:
        handle.socket().close()
    else:
        os.close(handle.detach())
    return 1
