"""A worker's part without any I/O; the primary's messages are written by hand."""

from __future__ import annotations

import errno
import os
from typing import Any

import pytest

from nodechannel._cluster.messages import Query
from nodechannel._cluster.state import Leave, Server
from nodechannel._cluster.worker import WorkerProtocol
from nodechannel._handles.received import ReceivedHandle
from nodechannel._handles.types import HandleType
from nodechannel._transport.owned import OwnedFd
from nodechannel.errors import ChannelClosed, ListenFailed

ANY = Query("127.0.0.1", 0, 4)
FIXED = Query("127.0.0.1", 8000, 4)
SOCKNAME = {"address": "127.0.0.1", "family": "IPv4", "port": 4321}


class Wire:
    """The messages that the worker sends."""

    def __init__(self) -> None:
        self.sent: list[dict[str, Any]] = []
        self.closed = False

    def send(self, message: dict[str, Any]) -> None:
        if self.closed:
            raise ChannelClosed("send")
        self.sent.append(message)

    def last(self, **members: Any) -> bool:
        return self.sent[-1] == {"cmd": "NODE_CLUSTER", **members}


@pytest.fixture
def wire():
    return Wire()


@pytest.fixture
def worker(wire):
    return WorkerProtocol(wire.send)


def a_handle(type_=HandleType.NET_NATIVE):
    read, write = os.pipe()
    os.close(write)
    return ReceivedHandle(type_, OwnedFd(read))


def is_closed(handle):
    return "closed" in repr(handle)


def reply(worker, ack, handle=None, **members):
    worker.receive({"cmd": "NODE_CLUSTER", "ack": ack, "data": None, "seq": 0, **members}, handle)


def granted(worker, query=ANY, key="k"):
    server = worker.ask(query)
    reply(worker, worker._seq - 1, errno=None, key=key, sockname=SOCKNAME)
    return server


def test_it_says_that_it_is_online_and_counts_its_messages(worker, wire):
    worker.online()
    worker.ask(ANY)
    assert wire.sent == [
        {"cmd": "NODE_CLUSTER", "act": "online", "seq": 0},
        {
            "cmd": "NODE_CLUSTER",
            "act": "queryServer",
            "index": 0,
            "data": None,
            "address": "127.0.0.1",
            "port": 0,
            "addressType": 4,
            "flags": 0,
            "backlog": 511,
            "seq": 1,
        },
    ]


class TestAsking:
    def test_round_robin(self, worker, wire):
        server = granted(worker)
        assert (server.state, server.key, server.sockname) == (Server.ROUND_ROBIN, "k", SOCKNAME)
        worker.listening(server, 4321)
        assert (wire.sent[-1]["act"], wire.sent[-1]["port"]) == ("listening", 4321)

    def test_shared(self, worker):
        server = worker.ask(ANY)
        handle = a_handle()
        reply(worker, 0, handle, errno=0, key="k")
        assert (server.state, server.handle) == (Server.SHARED, handle)
        worker.close(server)
        assert is_closed(handle)

    @pytest.mark.parametrize(
        ("members", "error"),
        [
            ({"errno": -98, "key": "k"}, -98),
            ({"errno": -3008, "key": "k"}, -3008),
            ({"key": "k"}, -errno.EADDRNOTAVAIL),  # Node 12 when the host is unknown
            ({"errno": None}, -errno.EPROTO),
            ({"errno": "EADDRINUSE", "key": "k"}, -errno.EPROTO),
            ({"errno": 98, "key": "k"}, -errno.EPROTO),
        ],
    )
    def test_an_error(self, worker, members, error):
        server = worker.ask(FIXED)
        reply(worker, 0, **members)
        assert (server.state, server.error) == (Server.FAILED, error)
        assert worker.servers == []
        worker.ask(FIXED)  # the place is free again

    def test_an_error_keeps_no_descriptor(self, worker):
        worker.ask(FIXED)
        handle = a_handle()
        reply(worker, 0, handle, errno=-98, key="k")
        assert is_closed(handle)

    def test_udp_needs_a_socket(self, worker):
        server = worker.ask(Query("127.0.0.1", 0, "udp4", -1))
        reply(worker, 0, errno=0, key="k")
        assert server.state is Server.FAILED

    def test_a_unix_socket_has_no_name_to_tell(self, worker):
        server = worker.ask(Query("/s", -1, -1))
        reply(worker, 0, key="k")
        assert (server.state, server.sockname) == (Server.ROUND_ROBIN, None)

    def test_the_same_place_twice_is_refused_without_asking(self, worker, wire):
        granted(worker, FIXED)
        with pytest.raises(ListenFailed) as caught:
            worker.ask(FIXED)
        assert (caught.value.errno, caught.value.name) == (errno.EADDRINUSE, "EADDRINUSE")
        assert "127.0.0.1:8000" in str(caught.value)
        assert len(wire.sent) == 1

    def test_any_port_can_be_asked_for_again_under_another_index(self, worker, wire):
        first = granted(worker)
        worker.ask(ANY)
        worker.close(first)
        worker.ask(ANY)
        assert [message.get("index") for message in wire.sent] == [0, 1, None, 0]

    def test_what_nobody_waits_for_is_given_back_when_it_comes(self, worker, wire):
        answers: list[tuple[Any, dict[str, Any]]] = [
            (None, {"errno": None, "sockname": SOCKNAME}),
            (a_handle(), {"errno": 0}),
        ]
        for number, (handle, members) in enumerate(answers):
            server = worker.ask(FIXED)
            worker.close(server)
            reply(worker, 2 * number, handle, key="k", **members)
            assert server.state is Server.CLOSED
            assert handle is None or is_closed(handle)
            assert wire.last(act="close", key="k", seq=2 * number + 1)

    def test_what_nobody_waits_for_may_fail(self, worker, wire):
        server = worker.ask(FIXED)
        worker.close(server)
        reply(worker, 0, errno=-98, key="k")
        assert server.state is Server.FAILED
        assert len(wire.sent) == 1


class TestConnections:
    def offer(self, worker, key, handle, seq=7):
        message = {"cmd": "NODE_CLUSTER", "act": "newconn", "key": key}
        worker.receive(message if seq is None else {**message, "seq": seq}, handle)

    def test_one_is_accepted(self, worker, wire):
        server = granted(worker)
        seen = []
        server.on_connection = lambda: seen.append(len(wire.sent))
        handle = a_handle()
        self.offer(worker, "k", handle)
        assert wire.last(ack=7, accepted=True, seq=1)
        assert list(server.connections) == [handle]
        assert seen == [2]  # the answer went out before
        handle.close()

    def test_of_an_unknown_server_it_is_refused_and_closed(self, worker, wire):
        granted(worker)
        handle = a_handle()
        self.offer(worker, "other", handle)
        assert wire.last(ack=7, accepted=False, seq=1)
        assert is_closed(handle)

    def test_of_a_closed_server_it_is_refused(self, worker, wire):
        server = granted(worker)
        worker.close(server)
        handle = a_handle()
        self.offer(worker, "k", handle)
        assert wire.last(ack=7, accepted=False, seq=2)
        assert is_closed(handle)

    def test_without_its_descriptor_it_is_refused(self, worker, wire):
        granted(worker)
        self.offer(worker, "k", None)
        assert wire.last(ack=7, accepted=False, seq=1)

    def test_without_a_number_the_answer_has_none(self, worker, wire):
        granted(worker)
        self.offer(worker, "k", None, seq=None)
        assert wire.last(accepted=False, seq=1)

    def test_it_is_closed_when_the_answer_cannot_be_sent(self, worker, wire):
        server = granted(worker)
        wire.closed = True
        handle = a_handle()
        self.offer(worker, "k", handle)
        assert is_closed(handle)
        assert not server.connections

    def test_what_was_accepted_survives_the_server(self, worker):
        server = granted(worker)
        handle = a_handle()
        self.offer(worker, "k", handle)
        worker.close(server)
        assert list(server.connections) == [handle]
        handle.close()


class TestLeaving:
    def test_dismissed_it_closes_and_says_nothing_more(self, worker, wire):
        server = granted(worker)
        calls = []
        worker.on_dismissed = lambda: calls.append(worker.leave)
        for _ in range(2):
            worker.receive({"cmd": "NODE_CLUSTER", "act": "disconnect", "seq": 9})
        assert calls == [Leave.DISMISSED]
        worker.close(server)
        worker.close(server)
        worker.servers_closed()
        assert worker.leave is Leave.RELEASED
        assert [message["act"] for message in wire.sent] == ["queryServer", "close"]

    def test_by_its_own_wish_it_waits_for_the_answer(self, worker, wire):
        worker.resign()
        worker.servers_closed()
        assert worker.leave is Leave.ANNOUNCED
        assert wire.last(act="exitedAfterDisconnect", seq=0)
        worker.receive({"cmd": "NODE_CLUSTER", "ack": 5, "seq": 1})
        assert worker.leave is Leave.ANNOUNCED
        worker.receive({"cmd": "NODE_CLUSTER", "ack": 0, "seq": 2})
        assert worker.leave is Leave.RELEASED

    def test_dismissed_while_it_wishes_to_end_it_need_not_say_so(self, worker, wire):
        worker.resign()
        worker.receive({"cmd": "NODE_CLUSTER", "act": "disconnect", "seq": 9})
        worker.servers_closed()
        assert worker.leave is Leave.RELEASED
        assert wire.sent == []

    def test_it_asks_for_nothing_any_more(self, worker):
        worker.resign()
        with pytest.raises(ListenFailed):
            worker.ask(ANY)


@pytest.mark.parametrize(
    "message",
    [
        {"cmd": "NODE_CLUSTER", "act": "unheard"},
        {"cmd": "NODE_CLUSTER", "act": "__defineGetter__"},
        {"cmd": "NODE_CLUSTER", "ack": 99},
        {"cmd": "NODE_CLUSTER", "ack": "0"},
        {"cmd": "NODE_CLUSTER", "act": ["newconn"]},
        {"cmd": "NODE_CLUSTER"},
        {"cmd": "NODE_X", "act": "disconnect"},
    ],
)
def test_what_it_does_not_know_it_ignores(worker, wire, message):
    worker.ask(ANY)
    handle = a_handle()
    worker.receive(message, handle)
    assert is_closed(handle)
    assert len(wire.sent) == 1
    assert worker.leave is Leave.STAYING
