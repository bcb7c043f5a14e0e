"""A message that a program makes itself, and a message that a connection makes."""

from __future__ import annotations

import copy
import pickle

import pytest

from nodechannel import HandleType, Message, ReceivedHandle
from nodechannel._core.message import ReceivedMessage
from nodechannel._transport.owned import OwnedFd


def received(data: object) -> ReceivedMessage:
    message = ReceivedMessage()
    message.data = data
    message.handle = None
    return message


def test_a_program_can_make_one():
    message = Message({"a": 1})
    assert message.data == {"a": 1}
    assert message.handle is None


def test_equal_values_are_equal_messages():
    assert Message([1, {"a": None}]) == Message([1, {"a": None}])
    assert Message(1) != Message(2)
    assert Message(1) != 1


def test_a_received_message_equals_one_that_was_made():
    assert received({"a": 1}) == Message({"a": 1})
    assert Message({"a": 1}) == received({"a": 1})
    assert received(1) == received(1)
    assert received(1) != Message(2)


def test_a_handle_equals_itself_alone():
    fd = OwnedFd.copy(0)
    handle = ReceivedHandle(HandleType.NET_SOCKET, fd)
    other = ReceivedHandle(HandleType.NET_SOCKET, fd)
    assert Message(1, handle) == Message(1, handle)
    assert Message(1, handle) != Message(1, other)
    assert Message(1, handle) != Message(1)
    handle.close()


def test_it_has_no_hash():
    with pytest.raises(TypeError, match="unhashable"):
        hash(Message({}))


def test_it_shows_what_it_holds():
    fd = OwnedFd.copy(0)
    handle = ReceivedHandle(HandleType.NET_SERVER, fd)
    assert repr(Message("x")) == "Message(data='x')"
    assert repr(received(None)) == "Message(data=None)"
    assert repr(Message(1, handle)) == f"Message(data=1, handle={handle!r})"
    handle.close()


def test_a_half_made_one_can_be_shown():
    message = ReceivedMessage()
    assert repr(message) == "Message(data=Ellipsis)"
    message.data = 1
    assert repr(message) == "Message(data=1)"


def test_it_matches_a_pattern():
    match received({"cmd": "go"}):
        case Message({"cmd": "go"}, None):
            found = True
        case _:
            found = False
    assert found


def test_copies_are_messages():
    for message in (Message([1]), received([1])):
        for same in (copy.copy(message), copy.deepcopy(message), pickle.loads(pickle.dumps(message))):
            assert same == message
            assert type(same) is Message


def test_a_copy_never_owns_the_descriptor_too():
    handle = ReceivedHandle(HandleType.NET_SOCKET, OwnedFd.copy(0))
    message = Message(1, handle)
    assert copy.copy(message).handle is handle
    for duplicate in (copy.deepcopy, pickle.dumps):
        with pytest.raises(TypeError, match="one owner"):
            duplicate(message)
    handle.close()


def test_a_received_one_is_made_without_a_call_of_python_code():
    """Receiving makes a million of them in a second: an `__init__` in Python would take as long as all the rest."""
    assert ReceivedMessage.__init__ is object.__init__
