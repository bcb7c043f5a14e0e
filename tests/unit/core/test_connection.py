"""The core without any I/O. Raw bytes are written by hand, not by the code under test."""

from __future__ import annotations

import json
import os
from enum import Enum
from typing import Any

import pytest

from nodechannel import errors
from nodechannel._core.connection import Connection
from nodechannel._core.delivery import Delivery, DeliveryState
from nodechannel._core.message import Message
from nodechannel._handles.types import HandleType
from nodechannel._json.serialization import JsonSerialization
from nodechannel._transport.owned import OwnedFd

ACK = b'{"cmd":"NODE_HANDLE_ACK"}\n'
NACK = b'{"cmd":"NODE_HANDLE_NACK"}\n'
SERVER = b'{"cmd":"NODE_HANDLE","type":"net.Server","msg":"server"}\n'


class Plain(Enum):
    """An enum, which orjson writes as its value."""

    ACK = "NODE_HANDLE_ACK"


class MappingSubclass(dict[str, str]):
    """A subclass of dict, which orjson writes like a plain dict."""


class Offer:
    """A handle to be sent: the read end of a pipe stands in, since the core never looks at it."""

    type = HandleType.NET_SERVER
    dgram_type = None
    key = None
    shared = True

    def __init__(self) -> None:
        self.fd = a_descriptor()

    def take(self) -> OwnedFd:
        return self.fd


def a_descriptor() -> OwnedFd:
    read, write = os.pipe()
    os.close(write)
    return OwnedFd(read)


def write_all(connection: Connection) -> bytes:
    """Let the kernel take all bytes; return them."""
    written = b""
    while connection.outbox.size:
        data, _ = connection.outbox.gather()
        written += data
        connection.written(len(data))
    return written


def events(connection: Connection) -> list[Any]:
    found = list(connection.events)
    connection.events.clear()
    return found


def received(connection: Connection) -> list[Any]:
    return [event.data if isinstance(event, Message) else type(event) for event in events(connection)]


@pytest.fixture
def connection():
    connection = Connection(JsonSerialization())
    yield connection
    connection.close()


class TestMessages:
    def test_a_message_is_one_line(self, connection):
        connection.send({"a": [1, "é", None]})
        assert write_all(connection) == '{"a":[1,"é",null]}\n'.encode()

    def test_messages_arrive_in_order_however_they_are_cut(self, connection):
        stream = b'1\n"two"\n{"three":3}\n'
        for at in range(len(stream)):
            connection.receive_data(stream[at : at + 1])
        assert received(connection) == [1, "two", {"three": 3}]

    def test_a_line_that_is_not_json_is_reported_in_its_place(self, connection):
        connection.receive_data(b"1\nnonsense\n\n2\n")
        assert received(connection) == [1, errors.InvalidJson, errors.InvalidJson, 2]

    def test_a_faulty_line_that_came_in_pieces_is_shown_whole(self, connection):
        connection.receive_data(b"[1, ")
        connection.receive_data(b"nope\n")
        (error,) = connection.events
        assert type(error.line) is bytes
        assert error.line == b"[1, nope"
        assert str(error).endswith(": b'[1, nope'")

    @pytest.mark.parametrize(
        "value",
        [
            {"cmd": "NODE_"},
            {"cmd": "node_x"},
            {"cmd": 5},
            [{"cmd": "NODE_x"}],
            "NODE_x",
            {"x": {"cmd": "NODE_x"}},
        ],
    )
    def test_what_only_looks_internal_is_a_user_message(self, connection, value):
        connection.receive_data(json.dumps(value).encode() + b"\n")
        assert received(connection) == [value]

    def test_unknown_internal_messages_are_ignored(self, connection):
        connection.receive_data(b'{"cmd":"NODE_FUTURE","a":1}\n{"cmd":"NODE_CLUSTER"}\n5\n')
        assert received(connection) == [5]

    @pytest.mark.parametrize(
        "message",
        [
            {"cmd": "NODE_HANDLE_ACK"},
            {"a": 1, "cmd": "NODE_x", "b": "\ud800"},
            {"cmd": Plain.ACK},
            MappingSubclass(cmd="NODE_x"),
        ],
    )
    def test_a_message_that_would_be_internal_is_refused(self, connection, message):
        with pytest.raises(errors.InvalidMessage, match="internal"):
            connection.send(message)
        assert not connection.outbox.size

    def test_an_internal_message_in_disguise_is_refused(self, connection):
        fragment = pytest.importorskip("orjson").Fragment
        for message in ({"cmd": fragment(b'"NODE_x"')}, fragment(b'{"\\u0063md":"\\u004eODE_x"}')):
            with pytest.raises(errors.InvalidMessage, match="internal"):
                connection.send(message)

    @pytest.mark.parametrize(
        "message", [{"cmd": "NODE_"}, {"x": "NODE_x"}, ["cmd", "NODE_x"], {"x": {"cmd": "NODE_x"}}]
    )
    def test_a_message_that_only_looks_internal_is_sent(self, connection, message):
        connection.send(message)
        assert json.loads(write_all(connection)) == message

    def test_a_line_beyond_the_limit_ends_the_channel(self):
        connection = Connection(JsonSerialization(), max_line=10)
        connection.receive_data(b"1\n" + b"x" * 11)
        assert received(connection) == [1, errors.LineTooLong]
        assert connection.closed


class TestReceivedHandles:
    def test_a_handle_is_acknowledged_and_delivered(self, connection):
        fd = a_descriptor()
        connection.receive_data(SERVER, [fd])
        assert write_all(connection) == ACK
        (message,) = events(connection)
        assert (message.data, message.handle.type) == ("server", "net.Server")
        message.handle.close()

    def test_the_acknowledgement_waits_for_no_handle_of_ours(self, connection):
        connection.send("mine", Offer())
        write_all(connection)
        connection.receive_data(SERVER, [a_descriptor()])
        assert write_all(connection) == ACK

    def test_the_descriptor_of_a_long_line_waits_for_its_end(self, connection):
        connection.receive_data(b'"plain"\n' + SERVER[:10], [a_descriptor()])
        connection.receive_data(SERVER[10:])
        plain, message = events(connection)
        assert plain.data == "plain"
        message.handle.close()

    def test_copies_of_a_descriptor_are_closed(self, connection):
        fds = [a_descriptor() for _ in range(3)]
        connection.receive_data(SERVER[:10], [fds[0]])
        connection.receive_data(SERVER[10:20], [fds[1]])
        connection.receive_data(SERVER[20:], [fds[2]])
        assert [fd.closed for fd in fds] == [False, True, True]

    def test_a_stray_descriptor_is_closed(self, connection):
        fd = a_descriptor()
        connection.receive_data(b'"plain"\n', [fd])
        assert fd.closed
        assert received(connection) == ["plain"]

    def test_a_handle_without_descriptor_is_refused(self, connection):
        connection.receive_data(SERVER)
        assert write_all(connection) == NACK
        assert received(connection) == [errors.MissingDescriptor]

    def test_a_truncated_descriptor_is_said_to_be_truncated(self, connection):
        connection.receive_data(SERVER, truncated=True)
        (error,) = events(connection)
        assert error.truncated

    def test_nodes_doubly_wrapped_retransmission_gets_one_acknowledgement(self, connection):
        inner = SERVER.decode().strip()
        wrapped = f'{{"cmd":"NODE_HANDLE","type":"net.Native","msg":{inner}}}\n'.encode()
        connection.receive_data(wrapped, [a_descriptor()])
        assert write_all(connection) == ACK
        (message,) = events(connection)
        assert (message.data, message.handle.type) == ("server", "net.Server")
        message.handle.close()

    @pytest.mark.parametrize("kind", ['"net.Unheard"', "null", '"toString"', "{}", "7"])
    def test_an_unknown_type_is_acknowledged_closed_and_reported(self, connection, kind):
        fd = a_descriptor()
        connection.receive_data(b'{"cmd":"NODE_HANDLE","type":%s,"msg":{"a":1}}\n' % kind.encode(), [fd])
        assert write_all(connection) == ACK
        (error,) = events(connection)
        assert isinstance(error, errors.BadEnvelope)
        assert error.message == {"a": 1}
        assert fd.closed

    def test_an_internal_message_with_a_handle_is_ignored_and_its_descriptor_closed(self, connection):
        fd = a_descriptor()
        connection.receive_data(b'{"cmd":"NODE_HANDLE","type":"net.Native","msg":{"cmd":"NODE_X"}}\n', [fd])
        assert received(connection) == []
        assert fd.closed


class TestInternalMessages:
    def test_they_come_with_their_handles_between_the_messages(self, connection):
        seen = []
        connection.on_internal = lambda message, handle: seen.append(
            (message, handle, len(connection.events))
        )
        connection.receive_data(
            b'1\n{"cmd":"NODE_X","a":1}\n2\n{"cmd":"NODE_HANDLE","type":"net.Native","msg":{"cmd":"NODE_Y"}}\n',
            [a_descriptor()],
        )
        (plain, nothing, before), (native, handle, later) = seen
        assert (plain, nothing, before) == ({"cmd": "NODE_X", "a": 1}, None, 1)
        assert (native, handle.type, later) == ({"cmd": "NODE_Y"}, "net.Native", 2)
        handle.close()
        assert received(connection) == [1, 2]
        assert write_all(connection) == ACK

    @pytest.mark.parametrize(
        "line",
        [b'{"cmd":"NODE_HANDLE_NACK"}', b'{"cmd":"NODE_SOCKET_GET_COUNT","key":5}', b'{"cmd":"NODE_"}'],
    )
    def test_what_the_channel_knows_itself_does_not_come(self, connection, line):
        seen = []
        connection.on_internal = lambda message, handle: seen.append(message)
        connection.receive_data(line + b"\n")
        assert seen == []

    def test_an_answer_can_be_given_at_once_and_follows_the_acknowledgement(self, connection):
        def answer(message: dict[str, Any], handle: Any) -> None:
            handle.close()
            connection.send_internal({"cmd": "NODE_X", "ack": message["seq"]})

        connection.on_internal = answer
        connection.receive_data(
            b'{"cmd":"NODE_HANDLE","type":"net.Native","msg":{"cmd":"NODE_X","seq":7}}\n', [a_descriptor()]
        )
        assert write_all(connection) == ACK + b'{"cmd":"NODE_X","ack":7}\n'

    def test_they_are_sent_in_turn_with_and_without_a_handle(self, connection):
        first = connection.send_internal({"cmd": "NODE_X", "n": 1}, Offer())
        second = connection.send_internal({"cmd": "NODE_X", "n": 2})
        envelope = b'{"cmd":"NODE_HANDLE","type":"net.Server","msg":{"cmd":"NODE_X","n":1}}\n'
        assert write_all(connection) == envelope
        connection.receive_data(ACK)
        assert write_all(connection) == b'{"cmd":"NODE_X","n":2}\n'
        assert (first.state, second.state) == (DeliveryState.ACKNOWLEDGED, DeliveryState.WRITTEN)

    def test_a_closed_channel_leaves_the_handle_alone(self, connection):
        connection.disconnect()
        offer = Offer()
        with pytest.raises(errors.ChannelClosed):
            connection.send_internal({"cmd": "NODE_X"}, offer)
        assert not offer.fd.closed
        offer.fd.close()


class TestHandOver:
    def test_everything_waits_behind_an_unacknowledged_handle(self, connection):
        for name in ("h1", "a", "b", "h2", "c"):
            connection.send(name, Offer() if name.startswith("h") else None)
        h1 = b'{"cmd":"NODE_HANDLE","type":"net.Server","msg":"h1"}\n'
        assert write_all(connection) == h1
        connection.receive_data(ACK)
        assert write_all(connection) == b'"a"\n"b"\n' + h1.replace(b"h1", b"h2")
        connection.receive_data(ACK)
        assert write_all(connection) == b'"c"\n'
        assert connection.settled

    def test_the_sent_descriptor_is_closed_by_the_acknowledgement(self, connection):
        offer = Offer()
        delivery = connection.send("h", offer)
        assert delivery.state is DeliveryState.QUEUED
        write_all(connection)
        assert delivery.state is DeliveryState.WRITTEN
        assert not offer.fd.closed
        connection.receive_data(ACK)
        assert delivery.state is DeliveryState.ACKNOWLEDGED
        assert offer.fd.closed

    def test_a_refused_handle_is_written_again_three_times_and_then_abandoned(self, connection):
        offer = Offer()
        delivery = connection.send("h", offer)
        connection.send("after")
        first = write_all(connection)
        for _ in range(3):
            connection.receive_data(NACK)
            assert write_all(connection) == first
        connection.receive_data(NACK)
        assert write_all(connection) == b'"after"\n'
        assert delivery.state is DeliveryState.ABANDONED
        assert offer.fd.closed
        assert received(connection) == [errors.HandleAbandoned]

    @pytest.mark.parametrize("answer", [ACK, NACK])
    def test_an_answer_that_nobody_waits_for_is_reported(self, connection, answer):
        connection.receive_data(answer + b"1\n")
        assert received(connection) == [errors.UnexpectedAck, 1]

    def test_an_acknowledgement_before_the_handle_is_written_is_reported(self, connection):
        offer = Offer()
        delivery = connection.send("h", offer)
        connection.written(5)
        connection.receive_data(ACK)
        assert received(connection) == [errors.UnexpectedAck]
        assert delivery.state is DeliveryState.QUEUED
        assert not offer.fd.closed

    def test_the_descriptor_rides_only_on_the_first_write_of_its_frame(self, connection):
        connection.send("plain")
        connection.send("h", Offer())
        assert connection.outbox.gather() == (b'"plain"\n', None)
        connection.written(8)
        frame, fd = connection.outbox.gather()
        assert fd is not None
        connection.written(1)
        rest, fd = connection.outbox.gather()
        assert fd is None
        assert bytes(rest) == bytes(frame)[1:]

    def test_a_refused_message_leaves_its_handle_alone(self, connection):
        offer = Offer()
        with pytest.raises(errors.InvalidMessage):
            connection.send({"a": object()}, offer)
        assert not offer.fd.closed
        offer.fd.close()


class TestEnding:
    def test_disconnect_waits_for_what_is_queued(self, connection):
        connection.send("last")
        connection.disconnect()
        assert not connection.connected
        assert not connection.ready_to_close
        write_all(connection)
        assert connection.ready_to_close

    def test_disconnect_waits_for_what_stands_behind_a_handle(self, connection):
        connection.send("h", Offer())
        connection.send("after")
        connection.disconnect()
        write_all(connection)
        assert not connection.ready_to_close
        connection.receive_data(ACK)
        assert write_all(connection) == b'"after"\n'
        assert connection.ready_to_close

    def test_nothing_is_sent_after_disconnect(self, connection):
        connection.disconnect()
        with pytest.raises(errors.ChannelClosed):
            connection.send(1)

    def test_eof_keeps_what_was_received_and_drops_an_unfinished_line(self, connection):
        connection.receive_data(b'1\n{"unfinished')
        connection.receive_eof()
        assert connection.closed
        assert received(connection) == [1]

    def test_eof_instead_of_an_acknowledgement_abandons_everything(self, connection):
        offers = [Offer(), Offer()]
        deliveries = [connection.send("h", offer) for offer in offers]
        write_all(connection)
        connection.receive_eof()
        assert [delivery.state for delivery in deliveries] == [DeliveryState.ABANDONED] * 2
        assert all(offer.fd.closed for offer in offers)

    def test_after_a_failed_write_messages_can_still_be_read(self, connection):
        delivery = connection.send(1)
        connection.write_failed()
        assert delivery.state is DeliveryState.ABANDONED
        with pytest.raises(errors.ChannelClosed):
            connection.send(2)
        connection.receive_data(b"3\n")
        assert not connection.closed
        assert received(connection) == [3]

    def test_a_handle_of_a_peer_that_is_gone_can_still_be_received(self, connection):
        connection.write_failed()
        connection.receive_data(SERVER, [a_descriptor()])
        connection.write_failed()  # its acknowledgement
        (message,) = events(connection)
        message.handle.close()
        connection.receive_eof()
        assert connection.closed

    def test_a_handle_whose_message_is_half_read_survives_a_failed_write(self, connection):
        fd = a_descriptor()
        connection.receive_data(SERVER[:1], [fd])
        connection.write_failed()
        assert not fd.closed
        connection.receive_data(SERVER[1:])
        (message,) = events(connection)
        message.handle.close()
        assert fd.closed

    def test_a_handle_whose_message_never_ends_is_closed_at_the_end(self, connection):
        fd = a_descriptor()
        connection.receive_data(SERVER[:1], [fd])
        connection.write_failed()
        connection.receive_eof()
        assert fd.closed
        assert events(connection) == []

    def test_a_disconnect_from_a_peer_that_is_gone_leaves_nothing_behind(self, connection):
        connection.write_failed()
        fd = a_descriptor()
        connection.receive_data(SERVER, [a_descriptor()])
        connection.receive_data(SERVER[:1], [fd])
        connection.disconnect()
        assert connection.closed
        assert connection.settled  # the acknowledgement has nowhere to go
        assert fd.closed
        (message,) = events(connection)
        message.handle.close()

    def test_close_drops_undelivered_handles(self, connection):
        fd = a_descriptor()
        connection.receive_data(SERVER, [fd])
        connection.close()
        assert fd.closed
        assert events(connection) == []

    def test_ending_twice_is_harmless(self, connection):
        connection.disconnect()
        connection.disconnect()
        connection.close()
        connection.close()
        connection.disconnect()
        connection.receive_eof()
        assert connection.closed

    def test_queued_bytes_count_what_is_held_too(self, connection):
        connection.send("h", Offer())
        connection.send("abc")
        assert connection.queued_bytes == connection.outbox.size + 6
        write_all(connection)
        assert connection.queued_bytes == 6


def test_the_error_of_one_delivery_is_taken_back_and_no_equal_one():
    connection = Connection(JsonSerialization())
    deliveries = [Delivery(), Delivery()]
    connection.receive_data(b"1\n")
    connection.events.extend(errors.HandleAbandoned(delivery) for delivery in deliveries)
    connection.withdraw(deliveries[1])
    message, left = connection.events
    assert message == Message(1)
    assert isinstance(left, errors.HandleAbandoned)
    assert left.delivery is deliveries[0]
