"""A read and a write, on real sockets, at their limits."""

from __future__ import annotations

import array
import os
import resource
import socket

import pytest

from nodechannel._core.connection import Connection
from nodechannel._core.message import Message
from nodechannel._io.steps import Wrote, receive_step, send_step
from nodechannel._json.serialization import JsonSerialization
from nodechannel._transport.rights import SCM_MAX_FD, TRUNCATED, descriptors_in
from nodechannel._transport.unix import UnixTransport


@pytest.fixture
def pair():
    ours, theirs = socket.socketpair()
    with ours, theirs:
        yield ours, theirs


def receive(sock: socket.socket, connection: Connection) -> None:
    receive_step(UnixTransport(sock), connection)
    connection.take_in()


def give(sock: socket.socket, data: bytes, fds: list[int]) -> None:
    sock.sendmsg([data], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", fds))])


def test_nothing_to_read_and_the_end(pair):
    ours, theirs = pair
    with pytest.raises(BlockingIOError):
        receive_step(UnixTransport(ours), Connection(JsonSerialization()))
    theirs.close()
    connection = Connection(JsonSerialization())
    receive(ours, connection)
    assert connection.closed


def test_received_descriptors_are_close_on_exec(pair):
    ours, theirs = pair
    give(theirs, b"x", [theirs.fileno()] * 3)
    connection = Connection(JsonSerialization())
    receive_step(UnixTransport(ours), connection)
    _, ancillary, flags, _ = connection.inbox[0]
    fds = descriptors_in(ancillary)
    assert not flags & TRUNCATED
    assert [os.get_inheritable(fd) for fd in fds] == [False] * 3
    for fd in fds:
        os.close(fd)


def test_as_many_descriptors_as_linux_allows_are_received(pair):
    ours, theirs = pair
    give(theirs, b"x", [theirs.fileno()] * SCM_MAX_FD)
    connection = Connection(JsonSerialization())
    receive_step(UnixTransport(ours), connection)
    _, ancillary, flags, _ = connection.inbox[0]
    fds = descriptors_in(ancillary)
    assert (len(fds), flags & TRUNCATED) == (SCM_MAX_FD, 0)
    for fd in fds:
        os.close(fd)


def test_a_full_descriptor_table_is_seen_as_truncation(pair):
    ours, theirs = pair
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    give(theirs, b'{"cmd":"NODE_HANDLE","type":"net.Socket","msg":1}\n', [theirs.fileno()])
    lowest = os.dup(0)
    os.close(lowest)
    connection = Connection(JsonSerialization())
    resource.setrlimit(resource.RLIMIT_NOFILE, (lowest, hard))
    try:
        receive_step(UnixTransport(ours), connection)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    assert connection.inbox[0][2] & TRUNCATED
    connection.take_in()
    error = connection.events.popleft()
    assert getattr(error, "truncated", None) is True
    assert send_step(UnixTransport(ours), connection) is Wrote.ALL
    assert theirs.recv(100) == b'{"cmd":"NODE_HANDLE_NACK"}\n'


def test_many_frames_leave_in_one_call_and_arrive_in_one(pair):
    ours, theirs = pair
    connection, other = Connection(JsonSerialization()), Connection(JsonSerialization())
    for number in range(500):
        connection.send(number)
    assert send_step(UnixTransport(ours), connection) is Wrote.ALL
    receive(theirs, other)
    assert len(other.events) == 500


def test_a_full_socket_keeps_the_rest(pair):
    ours, theirs = pair
    ours.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1)  # the kernel's minimum
    connection, other = Connection(JsonSerialization()), Connection(JsonSerialization())
    for number in range(2000):
        connection.send(["x" * 100, number])
    calls = 0
    while send_step(UnixTransport(ours), connection) is not Wrote.ALL:
        calls += 1
        receive(theirs, other)
    assert calls > 5
    while len(other.events) < 2000:
        receive(theirs, other)
    assert [event.data[1] for event in other.events if isinstance(event, Message)] == list(range(2000))


def test_a_peer_that_is_gone_is_told_to_the_connection(pair):
    ours, theirs = pair
    connection = Connection(JsonSerialization())
    connection.send(1)
    theirs.close()
    assert send_step(UnixTransport(ours), connection) is Wrote.ALL
    assert not connection.connected
    assert not connection.outbox.size
