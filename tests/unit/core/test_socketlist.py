"""Counting the sockets of a key, at both sides."""

from __future__ import annotations

import pytest

from nodechannel._core.socketlist import Answer, Questions, ReceivedSockets
from nodechannel._handles.received import ReceivedHandle
from nodechannel._handles.types import HandleType
from nodechannel._transport.owned import OwnedFd


def arrive(sockets: ReceivedSockets, key: str) -> tuple[ReceivedHandle, list[str]]:
    """Let a socket arrive; return it, and the list of its reports."""
    handle = ReceivedHandle(HandleType.NET_SOCKET, OwnedFd(-1))
    told: list[str] = []
    sockets.arrived(key, handle, lambda: told.append(key))
    return handle, told


@pytest.mark.rule("SLS-011")
def test_each_key_is_counted_by_itself():
    sockets = ReceivedSockets()
    arrive(sockets, "a")
    arrive(sockets, "a")
    arrive(sockets, "b")
    assert not sockets.closed("a")
    assert (sockets.count("a"), sockets.count("b")) == (1, 1)


@pytest.mark.rule("SLS-013", "SLS-017")
def test_a_key_that_was_never_seen_has_no_count_and_one_without_sockets_has_zero():
    sockets = ReceivedSockets()
    arrive(sockets, "a")
    sockets.closed("a")
    assert sockets.count("a") == 0
    assert sockets.count("b") is None
    assert not sockets.announce("b")
    assert sockets.count("b") is None


def test_a_socket_tells_once_that_it_is_closed():
    handle, told = arrive(ReceivedSockets(), "a")
    handle.close()
    handle.close()
    assert told == ["a"]


@pytest.mark.rule("SLS-015", "SLS-016", "SLS-020")
def test_the_sender_is_told_once_when_the_last_is_closed():
    sockets = ReceivedSockets()
    arrive(sockets, "a")
    arrive(sockets, "a")
    assert not sockets.announce("a")
    assert not sockets.announce("a")
    assert not sockets.closed("a")
    assert sockets.closed("a")
    arrive(sockets, "a")
    assert not sockets.closed("a")
    assert sockets.announce("a")


@pytest.mark.rule("SLS-005")
def test_an_answer_answers_every_question_about_its_key():
    questions, one, two, other = Questions(), Answer(), Answer(), Answer()
    questions.ask("a", one)
    questions.ask("a", two)
    questions.ask("b", other)
    questions.answered("a", 3)
    assert (one.count, two.count, other.count) == (3, 3, None)
    questions.answered("a", 4)
    assert one.count == 3


def test_an_answer_that_nobody_waits_for_is_dropped():
    questions, one, two = Questions(), Answer(), Answer()
    questions.ask("a", one)
    questions.ask("a", two)
    questions.give_up("a", one)
    questions.give_up("a", one)
    questions.give_up("b", one)
    questions.answered("a", 1)
    assert (one.count, two.count) == (None, 1)
    assert questions._pending == {}


def test_nothing_is_kept_of_questions_that_were_given_up():
    questions = Questions()
    for number in range(3):
        answer = Answer()
        questions.ask(str(number), answer)
        questions.give_up(str(number), answer)
    assert questions._pending == {}
