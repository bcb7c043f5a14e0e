"""Strict sending and its deadlock rule, without I/O. Two ends are joined by their messages."""

from __future__ import annotations

import copy
import pickle

import pytest

from nodechannel._execa.exchange import CANCEL, Cancelled, Deadlock, Exchange, NotListening
from nodechannel.errors import ChannelClosed


@pytest.fixture
def ends():
    return Exchange(), Exchange()


def answer(receiver: Exchange, sender: Exchange) -> None:
    """Give the replies of one end to the other."""
    while receiver.replies:
        sender.receive(receiver.replies.popleft())


def test_a_listener_acknowledges(ends):
    sender, receiver = ends
    receiver.listeners = 1
    envelope, sent = sender.wrap("x")
    receiver.receive(envelope)
    answer(receiver, sender)
    assert (list(receiver.delivered), sent.done, sent.error) == (["x"], True, None)


def test_without_a_listener_a_strict_message_is_dropped_and_told(ends):
    sender, receiver = ends
    envelope, sent = sender.wrap("x")
    receiver.receive(envelope)
    answer(receiver, sender)
    assert isinstance(sent.error, NotListening)
    assert list(receiver.delivered) == []


def test_a_plain_message_waits_for_a_listener(ends):
    _, receiver = ends
    receiver.receive("x")
    assert list(receiver.delivered) == []
    receiver.listeners = 1
    receiver.settle()
    assert list(receiver.delivered) == ["x"]


def test_two_that_send_and_do_not_listen_block_each_other(ends):
    one, other = ends
    (first, sent), (second, sent_too) = one.wrap(1), other.wrap(2)
    other.receive(first)
    one.receive(second)
    assert isinstance(sent.error, Deadlock)
    assert isinstance(sent_too.error, Deadlock)


def test_a_message_to_a_sender_waits_if_the_other_side_listens(ends):
    one, other = ends
    other.listeners = 1
    (first, sent), (second, _) = one.wrap(1), other.wrap(2)
    one.receive(second)
    assert list(one.replies) == []
    other.receive(first)
    answer(other, one)
    assert (sent.done, sent.error) == (True, None)
    assert [reply["message"] for reply in one.replies] == [False]


def test_a_sender_that_gave_up_blocks_nothing(ends):
    one, other = ends
    other.listeners = 1
    _, sent = one.wrap(1)
    envelope, _ = other.wrap(2)
    one.receive(envelope)
    one.forget(sent)
    assert [reply["message"] for reply in one.replies] == [False]


def test_the_first_outcome_counts_and_unknown_answers_are_dropped(ends):
    one, _ = ends
    envelope, sent = one.wrap(1)
    for id in ({"a": 1}, "0", 99):
        one.receive({"type": "execa:ipc:response", "id": id, "message": True})
    assert not sent.done
    one.receive({"type": "execa:ipc:response", "id": envelope["id"], "message": True})
    one.end()
    assert sent.error is None


def test_a_cancel_and_the_end(ends):
    one, other = ends
    one.receive({"type": CANCEL, "message": {"message": "why"}})
    _, sent = one.wrap(1)
    one.end()
    assert str(one.cancelled) == "cancelled by the parent: why"
    assert isinstance(sent.error, ChannelClosed)
    other.end()
    assert str(other.cancelled) == "cancelled by the parent: the parent disconnected"


def test_the_errors_can_be_pickled_and_copied():
    for error in (Cancelled({"a": 1}), NotListening(), Deadlock()):
        for twin in (pickle.loads(pickle.dumps(error)), copy.copy(error)):
            assert (type(twin), str(twin)) == (type(error), str(error))
