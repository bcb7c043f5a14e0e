"""The two system calls, on real sockets, at their limits."""

from __future__ import annotations

import array
import os
import resource
import socket

import pytest

from nodechannel._core.connection import Connection
from nodechannel._core.message import Message
from nodechannel._handles.fd import SCM_MAX_FD
from nodechannel._io.steps import Wrote, feed, receive_step, send_step
from nodechannel._json.serialization import JsonSerialization


@pytest.fixture
def pair():
    ours, theirs = socket.socketpair()
    with ours, theirs:
        yield ours, theirs


def give(sock: socket.socket, data: bytes, fds: list[int]) -> None:
    sock.sendmsg([data], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", fds))])


def test_nothing_to_read_and_the_end(pair):
    ours, theirs = pair
    with pytest.raises(BlockingIOError):
        receive_step(ours)
    theirs.close()
    connection = Connection(JsonSerialization())
    feed(connection, receive_step(ours))
    assert connection.closed


def test_received_descriptors_are_close_on_exec(pair):
    ours, theirs = pair
    give(theirs, b"x", [theirs.fileno()] * 3)
    _, fds, truncated = receive_step(ours)
    assert not truncated
    assert [os.get_inheritable(fd.fileno()) for fd in fds] == [False] * 3
    for fd in fds:
        fd.close()


def test_as_many_descriptors_as_linux_allows_are_received(pair):
    ours, theirs = pair
    give(theirs, b"x", [theirs.fileno()] * SCM_MAX_FD)
    _, fds, truncated = receive_step(ours)
    assert (len(fds), truncated) == (SCM_MAX_FD, False)
    for fd in fds:
        fd.close()


def test_a_full_descriptor_table_is_seen_as_truncation(pair):
    ours, theirs = pair
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    give(theirs, b'{"cmd":"NODE_HANDLE","type":"net.Socket","msg":1}\n', [theirs.fileno()])
    lowest = os.dup(0)
    os.close(lowest)
    resource.setrlimit(resource.RLIMIT_NOFILE, (lowest, hard))
    try:
        received = receive_step(ours)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    assert received[1:] == ([], True) or received[1:] == ((), True)
    connection = Connection(JsonSerialization())
    feed(connection, received)
    error = connection.events.popleft()
    assert getattr(error, "truncated", None) is True
    assert send_step(ours, connection) is Wrote.ALL
    assert theirs.recv(100) == b'{"cmd":"NODE_HANDLE_NACK"}\n'


def test_many_frames_leave_in_one_call_and_arrive_in_one(pair):
    ours, theirs = pair
    connection, other = Connection(JsonSerialization()), Connection(JsonSerialization())
    for number in range(500):
        connection.send(number)
    assert send_step(ours, connection) is Wrote.ALL
    feed(other, receive_step(theirs))
    assert len(other.events) == 500


def test_a_full_socket_keeps_the_rest(pair):
    ours, theirs = pair
    ours.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1)  # the kernel's minimum
    connection, other = Connection(JsonSerialization()), Connection(JsonSerialization())
    for number in range(2000):
        connection.send(["x" * 100, number])
    calls = 0
    while send_step(ours, connection) is not Wrote.ALL:
        calls += 1
        feed(other, receive_step(theirs))
    assert calls > 5
    while len(other.events) < 2000:
        feed(other, receive_step(theirs))
    assert [event.data[1] for event in other.events if isinstance(event, Message)] == list(range(2000))


def test_a_peer_that_is_gone_is_told_to_the_connection(pair):
    ours, theirs = pair
    connection = Connection(JsonSerialization())
    connection.send(1)
    theirs.close()
    assert send_step(ours, connection) is Wrote.ALL
    assert not connection.connected
    assert not connection.outbox.size
