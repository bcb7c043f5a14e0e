"""The end at a Unix socket, member by member, on real pairs."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import threading
import time
from itertools import starmap
from operator import call
from typing import TYPE_CHECKING, Any

import pytest

from nodechannel._transport.owned import OwnedFd
from nodechannel._transport.rights import TRUNCATED, descriptors_in
from nodechannel._transport.unix import RECEIVE_SIZE, UnixTransport

if TYPE_CHECKING:
    from collections.abc import Callable


@pytest.fixture
def pair():
    ours, theirs = socket.socketpair()
    theirs.settimeout(20)
    transport = UnixTransport(ours)
    yield transport, theirs
    transport.close()
    theirs.close()


def written(transport: UnixTransport, data: bytes) -> int:
    (count,) = map(transport.send, (data,), transport.at_once)
    return count


def test_one_read_returns_what_is_there(pair):
    transport, peer = pair
    with pytest.raises(BlockingIOError):
        list(map(call, transport.receive_now))
    peer.sendall(b"abc")
    ((data, ancillary, flags, _),) = map(call, transport.receive_now)
    assert (data, list(ancillary), flags & TRUNCATED) == (b"abc", [], 0)
    peer.close()
    assert next(map(call, transport.receive))[0] == b""


def test_a_read_has_a_size(pair):
    transport, peer = pair
    threading.Thread(target=peer.sendall, args=(b"x" * (RECEIVE_SIZE + 1),)).start()
    sizes: list[int] = []
    while sum(sizes) <= RECEIVE_SIZE:
        sizes.append(len(next(map(call, transport.receive))[0]))
    assert max(sizes) <= transport.receive_size == RECEIVE_SIZE


def test_a_write_does_not_wait(pair):
    transport, peer = pair
    while True:
        try:
            written(transport, b"x" * 60_000)
        except BlockingIOError:
            break
    assert os.get_blocking(transport.fileno()), "the description has changed"
    peer.close()
    with pytest.raises(ConnectionError):
        written(transport, b"x")


@pytest.mark.rule("LIF-006")
def test_a_peer_that_is_gone_raises_no_signal(pair):
    transport, peer = pair
    peer.close()
    before = signal.signal(signal.SIGPIPE, signal.SIG_DFL)  # as in a host that embeds Python
    try:
        with pytest.raises(BrokenPipeError):
            written(transport, b"x")
    finally:
        signal.signal(signal.SIGPIPE, before)


@pytest.mark.rule("HND-033")
def test_a_descriptor_rides_on_a_write_and_arrives_private(pair):
    transport, peer = pair
    read, write = OwnedFd.pipe()
    (count,) = starmap(transport.send_with, (transport.packed(memoryview(b"ab"), read),))
    assert count == 2
    other = UnixTransport(peer)
    ((data, ancillary, _, _),) = map(call, other.receive_now)
    (found,) = descriptors_in(ancillary)
    assert data == b"ab"
    assert os.path.sameopenfile(found, read.fileno())
    assert not os.get_inheritable(found)
    os.close(found)
    read.close()
    write.close()


@pytest.mark.parametrize("limit", [0.05, 1e-9])
def test_a_read_sleeps_as_long_as_its_limit(pair, limit):
    transport, _ = pair
    transport.limit_receiving(limit)
    began = time.monotonic()
    with pytest.raises(BlockingIOError):
        list(map(call, transport.receive))
    assert limit * 0.9 <= time.monotonic() - began < 5


def test_without_a_limit_it_sleeps_until_something_comes(pair):
    transport, peer = pair
    transport.limit_receiving(0.01)
    transport.limit_receiving(None)
    threading.Timer(0.1, peer.sendall, (b"x",)).start()
    assert next(map(call, transport.receive))[0] == b"x"


def test_the_end_wakes_a_reader_and_can_come_twice(pair):
    transport, _ = pair
    threading.Timer(0.05, transport.end).start()
    assert next(map(call, transport.receive))[0] == b""
    transport.end()
    transport.close()
    transport.end()
    assert transport.fileno() == -1


def test_another_process_can_keep_reads_from_sleeping(pair):
    transport, _ = pair
    assert transport.sleeps()
    os.set_blocking(transport.fileno(), False)
    assert not transport.sleeps()


def test_it_waits_for_bytes_for_room_for_others_and_for_a_time(pair):
    transport, peer = pair
    read, write = OwnedFd.pipe()
    cases: list[tuple[Callable[[], object], dict[str, Any]]] = [
        (lambda: peer.sendall(b"x"), {"reading": True, "writing": False}),
        (lambda: None, {"reading": False, "writing": True}),
        (
            lambda: os.write(write.fileno(), b"x"),
            {"reading": False, "writing": False, "also": (read.fileno(),)},
        ),
    ]
    for make_ready, options in cases:
        make_ready()
        began = time.monotonic()
        transport.wait(left=20, **options)
        assert time.monotonic() - began < 10
    began = time.monotonic()
    transport.wait(reading=False, writing=False, left=0.02)
    assert time.monotonic() - began >= 0.02
    read.close()
    write.close()


def test_an_event_loop_calls_back(pair):
    transport, peer = pair

    async def scenario():
        loop = asyncio.get_running_loop()
        for add, remove in [
            (transport.add_writer, transport.remove_writer),
            (transport.add_reader, transport.remove_reader),
        ]:
            called = asyncio.Event()
            add(loop, called.set)
            await asyncio.wait_for(called.wait(), 20)
            remove(loop)
            remove(loop)
            called.clear()
            await asyncio.sleep(0)
            assert not called.is_set()

    peer.sendall(b"x")
    asyncio.run(scenario())


def test_where_the_system_has_no_bell_there_is_no_readiness(pair, monkeypatch):
    monkeypatch.delattr(os, "eventfd", raising=False)  # as on macOS
    assert pair[0].readiness() is None
