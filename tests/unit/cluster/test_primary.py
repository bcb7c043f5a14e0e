"""The primary's part without any I/O; the workers' messages are written by hand."""

from __future__ import annotations

import errno
import os
from types import SimpleNamespace
from typing import Any

import pytest

from nodechannel._cluster.messages import Policy, Query
from nodechannel._cluster.primary import MAX_PLACES, PrimaryProtocol, WorkerLink
from nodechannel._core.connection import Connection
from nodechannel._core.delivery import Delivery, DeliveryState
from nodechannel._handles.received import ReceivedHandle
from nodechannel._handles.types import HandleType
from nodechannel._json.serialization import JsonSerialization
from nodechannel._transport.owned import OwnedFd
from nodechannel.errors import ChannelClosed
from support import wire as schemas

SOCKNAME = {"address": "127.0.0.1", "family": "IPv4", "port": 8000}
PLACE = {
    "address": "127.0.0.1",
    "port": 8000,
    "addressType": 4,
    "flags": 0,
    "index": 0,
    "data": None,
    "backlog": 0,
}


class Host:
    """Opens no socket until the test says so."""

    def __init__(self):
        self.opening, self.closed, self.told, self.calls = [], [], [], []

    def later(self, delay, function):
        self.calls.append(function)

    def open(self, place):
        self.opening.append(place)

    def close(self, place):
        self.closed.append(place)

    def online(self, worker):
        self.told.append((worker.id, "online"))

    def listening(self, worker, query):
        self.told.append((worker.id, query.address, query.port))

    def fault(self, worker, error):
        self.told.append((worker.id, error))


class Link(WorkerLink):
    """Keeps the messages that are sent to it."""

    def __init__(self, id, primary):
        super().__init__(id, primary, self.keep)
        self.sent = []
        self.handles = []
        self.closed = False
        self.error = None

    def keep(self, message, handle):
        if self.closed:
            raise ChannelClosed("send")
        if handle is not None:
            if self.error:
                raise self.error
            self.handles.append((handle.type, handle.take()))
        self.sent.append(message)
        return Delivery()

    def says(self, **members):
        self.receive({"cmd": "NODE_CLUSTER", **members})

    def drop(self):
        for _, fd in self.handles:
            fd.close()
        self.handles.clear()


@pytest.fixture
def host():
    return Host()


@pytest.fixture(params=list(Policy))
def policy(request):
    return request.param


def a_primary(host, policy=Policy.ROUND_ROBIN):
    primary = PrimaryProtocol(policy, host)
    links = [Link(number, primary) for number in (1, 2)]
    return SimpleNamespace(protocol=primary, links=links, places=primary.places)


@pytest.fixture
def primary(host):
    primary = a_primary(host)
    yield primary
    for link in primary.links:
        primary.protocol.gone(link)
        link.drop()
    primary.protocol.close()


def a_descriptor():
    read, write = os.pipe()
    os.close(write)
    return OwnedFd(read)


def query(link, seq=1, **members):
    link.says(act="queryServer", seq=seq, **{**PLACE, **members})


def opened(host, sockname=SOCKNAME):
    host.opening[-1].opened(-1, sockname)


def test_online_and_listening_are_told(host, primary):
    one, _ = primary.links
    one.says(act="online", seq=0)
    one.says(act="listening", seq=1, **PLACE)
    assert one.online
    assert host.told == [(1, "online"), (1, "127.0.0.1", 8000)]


class TestAnswers:
    def test_the_first_asks_for_the_socket_and_all_get_the_same(self, host, primary):
        one, two = primary.links
        query(one, data={"ticketKeys": "of the first"})
        query(two, seq=5, data={"ticketKeys": "of the second"})
        assert one.sent == []
        assert len(host.opening) == 1
        opened(host)
        common = {
            "cmd": "NODE_CLUSTER",
            "errno": None,
            "key": "127.0.0.1:8000:4:undefined",
            "data": {"ticketKeys": "of the first"},
            "sockname": SOCKNAME,
        }
        assert one.sent == [{**common, "ack": 1, "seq": 0}]
        assert two.sent == [{**common, "ack": 5, "seq": 1}]  # all workers share a count

    def test_one_that_comes_later_is_answered_at_once(self, host, primary):
        one, two = primary.links
        query(one)
        opened(host)
        query(two)
        assert two.sent[0]["sockname"] == SOCKNAME

    def test_any_port_is_another_one_for_each_index(self, host, primary):
        one, two = primary.links
        query(one, port=0)
        query(one, port=0, index=1)
        query(two, port=0, index=1)
        assert list(primary.places) == ["127.0.0.1:0:4:undefined:0", "127.0.0.1:0:4:undefined:1"]

    def test_a_unix_socket_has_no_sockname(self, host, primary):
        one, _ = primary.links
        query(one, address="/s", port=-1, addressType=-1)
        opened(host, None)
        assert "sockname" not in one.sent[0]

    def test_an_error_goes_to_everybody_who_asked_and_the_place_is_free_again(self, host, primary):
        for link in primary.links:
            query(link)
        primary.protocol.failed(host.opening[0], -98)
        expected = {
            "cmd": "NODE_CLUSTER",
            "errno": -98,
            "key": "127.0.0.1:8000:4:undefined",
            "data": None,
            "ack": 1,
        }
        for number, link in enumerate(primary.links):
            assert link.sent == [{**expected, "seq": number}]
        query(primary.links[0])
        assert len(host.opening) == 2

    def test_the_same_worker_twice_is_an_error(self, host, primary):
        one, _ = primary.links
        query(one)
        query(one, seq=2, index=1)
        assert (one.sent[0]["errno"], one.sent[0]["ack"]) == (-errno.EADDRINUSE, 2)

    @pytest.mark.parametrize(
        "members",
        [
            {"port": 99999},
            {"port": -1},
            {"port": None, "address": None, "addressType": None, "fd": 3},
            {"port": "80"},
            {"port": True},
            {"addressType": 5},
            {"addressType": "udp5"},
            {"addressType": [4]},
            {"addressType": -1, "address": None},
            {"addressType": -1, "address": "a\0b"},
            {"address": 5},
        ],
    )
    def test_what_makes_no_sense_is_an_error(self, host, primary, members):
        one, _ = primary.links
        query(one, **members)
        assert (one.sent[0]["errno"], one.sent[0]["ack"]) == (-errno.EINVAL, 1)
        assert host.opening == []

    def test_a_question_without_anything_is_an_error(self, primary):
        one, _ = primary.links
        one.says(act="queryServer")
        assert one.sent[0]["errno"] == -errno.EINVAL
        assert "ack" not in one.sent[0]

    def test_who_does_not_wait_any_more_gets_no_answer(self, host, primary):
        one, two = primary.links
        query(one)
        query(two)
        primary.protocol.gone(one)
        opened(host)
        assert one.sent == []
        assert len(two.sent) == 1

    @pytest.mark.parametrize(
        ("kind", "type_", "policy"),
        [
            (4, HandleType.NET_NATIVE, Policy.SHARED),
            ("udp4", HandleType.DGRAM_NATIVE, Policy.SHARED),
            ("udp4", HandleType.DGRAM_NATIVE, Policy.ROUND_ROBIN),
        ],
    )
    def test_a_shared_socket_goes_with_the_answer(self, host, kind, type_, policy):
        primary = a_primary(host, policy)
        one, _ = primary.links
        query(one, addressType=kind)
        fd = a_descriptor()
        host.opening[0].opened(fd.fileno(), None)
        ((sent, copy),) = one.handles
        assert sent is type_
        assert os.fstat(copy.fileno()).st_ino == os.fstat(fd.fileno()).st_ino
        assert one.sent[0]["errno"] == 0
        fd.close()
        one.drop()

    def test_a_full_descriptor_table_is_an_error_of_the_worker(self, host):
        primary = a_primary(host, Policy.SHARED)
        one, _ = primary.links
        query(one)
        one.error = OSError(errno.EMFILE, "full")
        host.opening[0].opened(0, None)
        assert one.sent[0]["errno"] == -errno.EMFILE
        one.error = None
        query(one, seq=2)
        assert one.sent[1]["errno"] == 0
        one.drop()


class TestConnections:
    def start(self, host, primary):
        for link in primary.links:
            query(link)
        opened(host)
        for link in primary.links:
            link.sent.clear()
        (place,) = primary.places.values()
        return place.scheduler

    def test_an_accepted_one_is_closed_here(self, host, primary):
        scheduler = self.start(host, primary)
        one, _ = primary.links
        connection = a_descriptor()
        scheduler.arrived(connection)
        assert one.sent == [
            {"cmd": "NODE_CLUSTER", "act": "newconn", "key": "127.0.0.1:8000:4:undefined", "seq": 2}
        ]
        assert one.handles[0][0] is HandleType.NET_NATIVE
        assert not connection.closed
        one.says(ack=2, accepted=True, seq=9)
        assert connection.closed

    @pytest.mark.parametrize("answer", [{"accepted": False}, {}, {"accepted": 1}])
    def test_a_refused_one_goes_to_the_next(self, host, primary, answer):
        scheduler = self.start(host, primary)
        one, two = primary.links
        scheduler.arrived(a_descriptor())
        one.says(ack=2, **answer)
        assert two.sent[0]["act"] == "newconn"

    def test_the_answer_of_another_worker_does_not_count(self, host, primary):
        scheduler = self.start(host, primary)
        connection = a_descriptor()
        scheduler.arrived(connection)
        primary.links[1].says(ack=2, accepted=True)
        assert not connection.closed

    def test_what_a_dead_worker_had_not_accepted_goes_to_the_next(self, host, primary):
        scheduler = self.start(host, primary)
        one, two = primary.links
        connection = a_descriptor()
        scheduler.arrived(connection)
        primary.protocol.gone(one)
        assert two.sent[0]["act"] == "newconn"
        two.says(ack=two.sent[0]["seq"], accepted=True)
        assert connection.closed

    def test_what_a_worker_refused_for_good_goes_to_the_next(self, host, primary):
        scheduler = self.start(host, primary)
        one, two = primary.links
        scheduler.arrived(a_descriptor())
        ((delivery, _),) = one._offers.values()
        assert one.take_abandoned() == []
        assert two.sent == []
        delivery.state = DeliveryState.ABANDONED
        assert one.take_abandoned() == [delivery]
        assert two.sent[0]["act"] == "newconn"

    def test_a_worker_that_has_closed_gets_none_and_the_last_one_closes_the_place(self, host, primary):
        scheduler = self.start(host, primary)
        one, two = primary.links
        one.says(act="close", key="127.0.0.1:8000:4:undefined")
        assert host.closed == []
        scheduler.arrived(a_descriptor())
        assert one.sent == []
        two.says(ack=two.sent[0]["seq"], accepted=True)
        two.says(act="close", key="127.0.0.1:8000:4:undefined")
        assert len(host.closed) == 1
        assert not primary.places

    def test_a_place_outlives_workers_that_die(self, host, primary):
        scheduler = self.start(host, primary)
        for link in primary.links:
            primary.protocol.gone(link)
        scheduler.arrived(a_descriptor())
        assert host.closed == []
        successor = Link(3, primary.protocol)
        query(successor)
        assert [message.get("act") for message in successor.sent] == [None, "newconn"]
        primary.protocol.gone(successor)
        successor.drop()


class TestEnding:
    def test_a_worker_is_asked_to_end(self, primary):
        one, _ = primary.links
        one.disconnect()
        assert one.sent == [{"cmd": "NODE_CLUSTER", "act": "disconnect", "seq": 0}]
        assert one.exited_after_disconnect

    def test_a_worker_that_is_asked_to_end_is_offered_nothing_more(self, host, primary):
        one, two = primary.links
        for link in primary.links:
            query(link)
        opened(host)
        one.disconnect()
        (place,) = primary.places.values()
        place.scheduler.arrived(a_descriptor())
        assert [message.get("act") for message in one.sent] == [None, "disconnect"]
        assert two.sent[-1]["act"] == "newconn"

    @pytest.mark.parametrize("act", ["exitedAfterDisconnect", "suicide"])
    def test_a_goodbye_is_answered(self, primary, act):
        one, _ = primary.links
        one.says(act=act, seq=4)
        assert one.sent == [{"cmd": "NODE_CLUSTER", "ack": 4, "seq": 0}]
        assert one.exited_after_disconnect

    def test_nothing_is_said_to_one_that_is_gone(self, host, primary):
        one, _ = primary.links
        query(one)
        one.closed = True
        one.disconnect()
        one.says(act="suicide", seq=4)
        primary.protocol.failed(host.opening[0], -98)
        assert one.sent == []


@pytest.mark.parametrize(
    "members",
    [
        {"act": "close", "key": "unknown"},
        {"act": "close", "key": ["x"]},
        {"act": "__defineGetter__"},
        {"act": "listening"},
        {"ack": 7},
        {"ack": None},
        {},
    ],
)
def test_what_it_does_not_know_it_ignores(host, primary, members):
    one, _ = primary.links
    handle = ReceivedHandle(HandleType.NET_NATIVE, a_descriptor())
    one.receive({"cmd": "NODE_CLUSTER", "seq": 1, **members}, handle)
    one.receive({"cmd": "NODE_X", "act": "online"})
    assert "closed" in repr(handle)
    assert (one.sent, host.told, host.opening) == ([], [], [])


def test_a_query_survives_the_wire():
    for place in (
        Query("::", 0, 6, flags=1, backlog=7),
        Query("/s", -1, -1),
        Query(None, 80, "udp6", -1, backlog=0),
    ):
        assert Query.from_wire(place.to_wire()) == place
    assert Query.from_wire({**PLACE, "backlog": False}) == Query("127.0.0.1", 8000, 4, backlog=0)


def deep(levels):
    value: list[Any] = []
    for _ in range(levels):
        value = [value]
    return value


ODD = {
    "a huge integer": 2**60,
    "an infinity": float("inf"),
    "a lone surrogate": "\ud800",
    "deep": deep(100_000),
    "a text": "x",
    "a list": [1],
    "an object": {"a": {}},
    "a fraction": 1.5,
    "true": True,
    "null": None,
}


class TestOddMembers:
    """Every question of a worker gets an answer, and the answer can be written."""

    @pytest.fixture
    def wire(self, host, monkeypatch):
        """Return a protocol, and a link whose messages go through a real connection."""
        # An answer repeats odd values of its question, which no schema allows.
        monkeypatch.setattr(schemas, "looks_internal", lambda frame: False)
        primary = PrimaryProtocol(Policy.ROUND_ROBIN, host)
        connection = Connection(JsonSerialization())
        link = WorkerLink(1, primary, connection.send_internal)
        return SimpleNamespace(primary=primary, link=link, connection=connection)

    @pytest.mark.parametrize("value", ODD.values(), ids=ODD)
    @pytest.mark.parametrize(
        "member", ["seq", "index", "data", "address", "port", "addressType", "fd", "flags", "backlog"]
    )
    def test_a_question_is_answered(self, host, wire, member, value):
        wire.link.receive({"cmd": "NODE_CLUSTER", "act": "queryServer", "seq": 3, **PLACE, member: value})
        if host.opening:
            host.opening[0].opened(-1, SOCKNAME)
        written = bytes(wire.connection.outbox.gather()[0])
        assert written.count(b'"ack"') == 1
        assert not host.told

    @pytest.mark.parametrize("value", ODD.values(), ids=ODD)
    def test_the_number_of_a_question_comes_back_as_it_was(self, host, primary, value):
        one, _ = primary.links
        query(one, seq=value, port=-5)
        assert one.sent[0]["ack"] is value

    @pytest.mark.parametrize("value", ODD.values(), ids=ODD)
    def test_a_goodbye_is_answered_whatever_its_number(self, primary, value):
        one, _ = primary.links
        one.says(act="exitedAfterDisconnect", seq=value)
        assert one.sent == [{"cmd": "NODE_CLUSTER", "ack": value, "seq": 0}]

    @pytest.mark.parametrize("value", ODD.values(), ids=ODD)
    @pytest.mark.parametrize("member", ["ack", "act", "key", "accepted"])
    def test_odd_members_elsewhere_raise_nothing(self, host, primary, member, value):
        one, _ = primary.links
        one.says(act="close", **{member: value} if member != "act" else {})
        one.says(**{member: value})
        assert not [told for told in host.told if isinstance(told[1], Exception)]


class TestFailures:
    """No failure outlives its question."""

    @pytest.mark.parametrize(
        "error", [OverflowError("odd"), UnicodeError("odd"), RecursionError(), OSError(24, "full")]
    )
    def test_an_exception_of_opening_is_an_answer_and_the_place_is_free_again(self, host, primary, error):
        one, two = primary.links
        opening, host.open = host.open, lambda place: raises(error)
        query(one)
        assert (one.sent[0]["errno"], one.sent[0]["ack"]) == (-errno.EINVAL, 1)
        assert host.told == [(1, error)]
        host.open = opening
        query(two)
        opened(host)
        assert two.sent[0]["errno"] is None
        query(one, seq=2)
        assert one.sent[1]["errno"] is None

    def test_a_fault_inside_costs_the_worker_nothing_else(self, host, primary):
        one, _ = primary.links
        error = RuntimeError("a fault of this package")
        host.online = lambda worker: raises(error)
        one.says(act="online", seq=0)
        assert host.told == [(1, error)]
        one.says(act="suicide", seq=1)
        assert one.sent

    def test_one_worker_cannot_take_every_descriptor(self, host, primary):
        one, two = primary.links
        for number in range(MAX_PLACES + 3):
            query(one, seq=number, port=0, index=number)
            if len(host.opening) > number:
                opened(host)
        assert [message["errno"] for message in one.sent[MAX_PLACES:]] == [-errno.EMFILE] * 3
        query(two, port=0, index=MAX_PLACES)
        opened(host)
        assert two.sent[0]["errno"] is None
        one.says(act="close", key=one.sent[0]["key"])
        query(one, seq=9999, port=1)
        opened(host)
        assert one.sent[-1]["errno"] is None

    def test_a_place_without_workers_is_closed_in_the_end(self, host, primary):
        one, two = primary.links
        query(one)
        opened(host)
        primary.protocol.gone(one)
        (expire,) = host.calls
        query(two)  # in time
        expire()
        assert not host.closed
        primary.protocol.gone(two)
        host.calls[-1]()
        assert len(host.closed) == 1
        assert not primary.places

    def test_online_is_told_once(self, host, primary):
        one, _ = primary.links
        for seq in range(3):
            one.says(act="online", seq=seq)
        assert host.told == [(1, "online")]


def raises(error):
    raise error
