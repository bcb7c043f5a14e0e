"""The end that threads read and write: nothing is read or written twice or never, and no thread is left behind."""

from __future__ import annotations

import asyncio
import os
import socket
import threading
import time
from typing import TYPE_CHECKING

import pytest

import nodechannel
import nodechannel.asyncio
from nodechannel._transport import frames
from nodechannel._transport.frames import HAS_SOCKET, HEADER, IS_CONNECTION, SOCKET_SIZE, framed
from nodechannel._transport.owned import OwnedFd
from nodechannel._transport.threaded import READ_AHEAD, ThreadedTransport
from support.links import FramePeer, SocketLink

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

ACK = b'{"cmd":"NODE_HANDLE_ACK"}\n'
NACK = b'{"cmd":"NODE_HANDLE_NACK"}\n'


def until(done: Callable[[], object]) -> None:
    """Wait for a thread of the transport."""
    deadline = time.monotonic() + 60
    while not done():
        assert time.monotonic() < deadline
        time.sleep(0.001)


@pytest.fixture
def ends() -> Iterator[tuple[ThreadedTransport, FramePeer]]:
    ours, theirs = socket.socketpair()
    theirs.settimeout(60)
    transport = ThreadedTransport(SocketLink(ours))
    yield transport, FramePeer(theirs)
    transport.close()
    theirs.close()
    until(lambda: ours.fileno() < 0)


def acknowledge(peer: FramePeer) -> None:
    """Read the rest of a line and acknowledge the handle that came with it."""
    while not peer.recv(1000).endswith(b"\n"):
        pass
    peer.sendall(ACK)


def take(transport: ThreadedTransport) -> tuple[bytes, list[int]]:
    [call] = transport.receive
    data, ancillary, flags, descriptors = call()
    assert (ancillary, flags) == ((), 0)
    return data, list(descriptors or ())


def test_bytes_arrive_without_their_headers(ends):
    transport, peer = ends
    peer.sendall(b"1\n")
    assert take(transport) == (b"1\n", [])
    with pytest.raises(BlockingIOError):
        list(transport.receive_now)


def test_a_read_that_sleeps_ends_at_its_limit(ends):
    transport, _ = ends
    transport.limit_receiving(0.01)
    with pytest.raises(BlockingIOError):
        list(transport.receive)


def test_another_limit_reaches_a_thread_that_sleeps(ends):
    transport, _ = ends
    failures: list[BaseException] = []

    def read() -> None:
        try:
            list(transport.receive)
        except BlockingIOError as error:
            failures.append(error)

    thread = threading.Thread(target=read, daemon=True)
    thread.start()
    transport.limit_receiving(1e-6)
    thread.join(60)
    assert len(failures) == 1


def test_the_end_stays(ends):
    transport, peer = ends
    peer.close()
    assert [take(transport) for _ in range(3)] == [(b"", [])] * 3


def test_a_header_that_is_none_is_the_end(ends):
    transport, peer = ends
    peer._sock.sendall(framed(b"1\n") + b"\x09" + bytes(15) + framed(b"2\n"))
    assert [take(transport) for _ in range(2)] == [(b"1\n", []), (b"", [])]


def test_a_socket_comes_with_its_bytes(ends):
    transport, peer = ends
    with socket.create_server(("127.0.0.1", 0)) as server:
        peer.send_with(b"x\n", server)
        data, [copy] = take(transport)
        assert data == b"x\n"
        with socket.socket(fileno=copy) as received:
            assert received.getsockname() == server.getsockname()


def test_a_socket_that_cannot_be_opened_leaves_its_bytes(ends):
    transport, peer = ends
    peer._sock.sendall(framed(b"x\n", b"999999".ljust(628)))
    assert take(transport) == (b"x\n", [])


@pytest.mark.rule("WIN-046")
def test_a_later_socket_does_not_go_to_the_message_of_one_that_cannot_be_opened(ends):
    transport, peer = ends
    ours, theirs = socket.socketpair()
    with ours:
        alone = HEADER.pack(HAS_SOCKET | IS_CONNECTION, 0, 0, 0)
        for description in (b"999999", str(theirs.fileno()).encode()):
            peer._sock.sendall(alone + description.ljust(SOCKET_SIZE))
        peer.sendall(b'{"cmd":"NODE_HANDLE","type":"net.Socket","msg":1}\n')
        with nodechannel.Channel(transport) as channel, pytest.raises(nodechannel.MissingDescriptor):
            channel.receive(60)
        assert peer.recv(100) == NACK
        theirs.close()
        assert ours.recv(1) == b""  # no copy of it is open


@pytest.mark.rule("WIN-048")
def test_a_socket_that_comes_with_no_envelope_is_closed(ends):
    transport, peer = ends
    ours, theirs = socket.socketpair()
    with ours:
        peer.send_with(b"1\n", theirs)
        theirs.close()
        with nodechannel.Channel(transport) as channel:
            assert channel.receive(60).data == 1
            assert ours.recv(1) == b""


def test_descriptors_that_nobody_took_are_closed():
    ours, theirs = socket.socketpair()
    kept, sent = socket.socketpair()
    with theirs, kept:
        transport = ThreadedTransport(SocketLink(ours))
        with sent:
            FramePeer(theirs).send_with(b"x\n", sent)
        until(transport._has_arrived)
        transport.close()
        until(lambda: ours.fileno() < 0)
        kept.settimeout(60)
        assert kept.recv(1) == b""


def test_what_nobody_takes_is_not_read(ends):
    transport, peer = ends
    peer._sock.setblocking(False)
    sent = 0
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        try:
            sent += peer._sock.send(framed(bytes(60000)))
        except BlockingIOError:
            if len(transport._arrived) >= READ_AHEAD and transport._may_read.locked():
                break
            time.sleep(0.001)
    assert len(transport._arrived) >= READ_AHEAD
    assert sent < 64 << 20


def test_a_write_is_counted_when_the_system_has_all_of_it(ends):
    transport, peer = ends
    data = bytes(4 << 20)
    assert transport.send(data, 0) == len(data) - 1
    with pytest.raises(BlockingIOError):
        transport.send(data[-1:], 0)
    got = 0
    while got < len(data) // 2:
        with pytest.raises(BlockingIOError):
            transport.send(data[-1:], 0)
        got += len(peer.recv(1 << 20))
    while got < len(data):
        got += len(peer.recv(1 << 20))
    transport.wait(reading=False, writing=True, left=60)
    assert transport.send(data[-1:], 0) == 1
    assert transport.send(b"2\n", 0) == 1


def test_one_write_has_one_header(ends):
    transport, peer = ends
    data = bytes(200_000)
    transport.send(data, 0)
    transport.wait(reading=False, writing=True, left=60)
    assert HEADER.unpack(peer._sock.recv(16)) == (1, 0, len(data), 0)


@pytest.mark.rule("WIN-010", "WIN-014")
def test_more_data_than_a_header_can_announce_have_several(ends, monkeypatch):
    transport, peer = ends
    monkeypatch.setattr(frames, "MOST_DATA", 10)
    channel = nodechannel.Channel(transport)
    with socket.create_server(("127.0.0.1", 0)) as server:
        answer = threading.Thread(target=acknowledge, args=(peer,), daemon=True)
        answer.start()
        channel.send("take it", handle=server, timeout=60)
        answer.join(60)
    channel.send("0123456789ab")
    assert HEADER.unpack(peer._sock.recv(16)) == (1, 0, 10, 0)
    assert peer._sock.recv(10) == b'"012345678'
    assert HEADER.unpack(peer._sock.recv(16)) == (1, 0, 5, 0)
    assert peer._sock.recv(5) == b'9ab"\n'
    channel.close()


def test_a_write_with_a_socket_is_counted_at_once(ends):
    transport, peer = ends
    with socket.create_server(("127.0.0.1", 0)) as server:
        owner = OwnedFd.copy(server.fileno())
        assert transport.send_with(*transport.packed(b"x\n", owner)) == 2
        assert peer.recv(10) == b"x\n"
        assert [int(description) for description in peer.descriptions] == [owner.fileno()]
        owner.close()


def test_a_socket_that_cannot_be_described_leaves_without_it(ends, monkeypatch):
    transport, peer = ends

    def refuse(_fd: int) -> None:
        raise OSError

    monkeypatch.setattr(transport._link, "share", refuse)
    with socket.create_server(("127.0.0.1", 0)) as server:
        owner = OwnedFd.copy(server.fileno())
        assert transport.send_with(*transport.packed(b"x\n", owner)) == 2
        assert (peer.recv(10), peer.descriptions) == (b"x\n", [])
        owner.close()


def test_writing_to_a_peer_that_is_gone_fails(ends):
    transport, peer = ends
    peer.close()
    transport.send(bytes(100), 0)
    transport.wait(reading=False, writing=True, left=60)
    with pytest.raises(BrokenPipeError):
        transport.send(b"0", 0)


def test_the_end_wakes_a_thread_that_reads(ends):
    transport, _ = ends
    threading.Timer(0.01, transport.end).start()
    assert take(transport) == (b"", [])
    assert transport.fileno() >= 0


def test_a_wait_also_looks_at_other_descriptors(ends):
    transport, _ = ends
    read, write = os.pipe()
    os.write(write, b"x")
    transport.wait(reading=True, writing=False, left=60, also=(read,))
    os.close(read)
    os.close(write)


def test_the_link_learns_the_process_at_the_other_end(ends):
    transport, _ = ends
    transport.meet(7)
    assert transport._link.peer == 7


def test_a_closed_end_has_no_number(ends):
    transport, _ = ends
    transport.close()
    transport.close()
    assert transport.fileno() == -1
    with pytest.raises(BrokenPipeError):
        transport.send(b"x", 0)


# Under both front ends.


def test_a_blocking_channel_works_over_it(ends):
    transport, peer = ends
    with nodechannel.Channel(transport) as channel:
        channel.send({"n": 1})
        assert peer.recv(100) == b'{"n":1}\n'
        peer.sendall(b'"answer"\n')
        assert channel.receive(60).data == "answer"


def test_both_ends_may_only_send(ends):
    """Neither waits for the other: a call that waits also reads."""
    transport, peer = ends
    channel = nodechannel.Channel(transport)
    text = "x" * 1_000_000

    def flood() -> None:
        for _ in range(4):
            peer.sendall(b'"' + text.encode() + b'"\n')

    thread = threading.Thread(target=flood, daemon=True)
    thread.start()
    reader = threading.Thread(target=lambda: [peer.recv(65536) for _ in range(200)], daemon=True)

    def later() -> None:
        thread.join()
        reader.start()

    threading.Thread(target=later, daemon=True).start()
    channel.send_many([text] * 4, timeout=60)
    assert [len(channel.receive(60).data) for _ in range(4)] == [len(text)] * 4
    channel.close()
    peer._sock.shutdown(socket.SHUT_RDWR)
    reader.join(60)


def test_a_handle_is_acknowledged(ends):
    transport, peer = ends
    channel = nodechannel.Channel(transport)
    with socket.create_server(("127.0.0.1", 0)) as server:
        answer = threading.Thread(target=lambda: (peer.recv(1000), peer.sendall(ACK)), daemon=True)
        answer.start()
        assert channel.send("take it", handle=server, timeout=60).state.name == "ACKNOWLEDGED"
        answer.join(60)
    channel.close()


def test_an_asyncio_channel_works_over_it(ends):
    transport, peer = ends

    async def main() -> None:
        channel = nodechannel.asyncio.Channel(transport)
        peer.sendall(b"1\n")
        peer.sendall(b"2\n")
        assert [(await channel.receive(60)).data for _ in range(2)] == [1, 2]
        for number in range(100):
            await channel.send(number)
        text = "x" * 3_000_000
        await channel.send(text)
        read = asyncio.to_thread(lambda: sum(map(len, iter(lambda: peer.recv(65536), b""))))
        task = asyncio.ensure_future(read)
        await channel.disconnect(60)
        assert await task == len(text) + 3 + sum(len(str(number)) + 1 for number in range(100))

    asyncio.run(main())
