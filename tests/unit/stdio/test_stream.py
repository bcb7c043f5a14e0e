"""Two one-way streams as a conversation, without I/O."""

from __future__ import annotations

import pytest

from nodechannel import errors
from nodechannel._core.delivery import DeliveryState
from nodechannel._stdio.framing import framing_of
from nodechannel._stdio.stream import Stream


@pytest.fixture
def stream():
    return Stream(framing_of("lines", {}))


def test_a_message_is_written_when_its_last_byte_is(stream):
    delivery = stream.send("ab")
    data, _ = stream.outbox.gather()
    assert data == b'"ab"\n'
    stream.wrote(4)
    assert (delivery.state, stream.settled) == (DeliveryState.QUEUED, False)
    stream.outbox.gather()
    stream.wrote(1)
    assert (delivery.state, stream.settled) == (DeliveryState.WRITTEN, True)


def test_a_bad_message_among_many_queues_none(stream):
    with pytest.raises(errors.InvalidMessage):
        stream.send_many([1, {2}])
    assert stream.settled


@pytest.mark.rule("STD-044")
def test_the_end_of_one_direction_leaves_the_other(stream):
    assert not stream.take_in(b"")
    stream.readable = False
    assert (stream.connected, stream.closed, stream.arrived()) == (True, False, True)
    delivery = stream.send(1)
    stream.disconnect()
    with pytest.raises(errors.ChannelClosed):
        stream.send(2)
    assert not stream.closed
    stream.end_writing()
    assert (delivery.state, stream.closed, stream.settled) == (DeliveryState.ABANDONED, True, True)


@pytest.mark.rule("STD-017")
def test_a_stream_that_broke_is_read_no_further():
    stream = Stream(framing_of("lines", {"max_line": 5}))
    assert stream.take_in(b"1\n")
    assert not stream.take_in(b"123456789")
    assert stream.events.take().data == 1
    with pytest.raises(errors.LineTooLong):
        stream.events.take()
