"""Errors travel: between processes, into sets, and through copies."""

from __future__ import annotations

import copy
import pickle
from typing import TYPE_CHECKING

import pytest

from nodechannel import Delivery, errors

if TYPE_CHECKING:
    from collections.abc import Callable

    from nodechannel.errors import ChannelError

MADE: dict[str, Callable[[], ChannelError]] = {
    "ChannelError": lambda: errors.ChannelError("text"),
    "ChannelClosed": lambda: errors.ChannelClosed("send"),
    "SendTimeout": lambda: errors.SendTimeout(Delivery()),
    "LocalError": lambda: errors.LocalError("text"),
    "NoChannel": errors.NoChannel,
    "BadChannelFd": lambda: errors.BadChannelFd("x", "not a descriptor number"),
    "UnsupportedSerialization": lambda: errors.UnsupportedSerialization("none"),
    "NodeNotFound": errors.NodeNotFound,
    "StreamsUnavailable": lambda: errors.StreamsUnavailable("standard input is closed"),
    "InvalidAddress": lambda: errors.InvalidAddress("it is too long"),
    "InvalidMessage": lambda: errors.InvalidMessage("set is not a type of JSON", "$.a"),
    "InvalidHandle": lambda: errors.InvalidHandle("the socket is closed"),
    "HandleTaken": errors.HandleTaken,
    "ReentrantCall": errors.ReentrantCall,
    "NotAWorker": errors.NotAWorker,
    "ListenFailed": lambda: errors.ListenFailed("EADDRINUSE", "*:80", 98),
    "LifelineUnsupported": lambda: errors.LifelineUnsupported("no pidfd"),
    "NotMainThread": errors.NotMainThread,
    "NotOnThisSystem": lambda: errors.NotOnThisSystem("a thing", "take another"),
    "WorkerBehind": lambda: errors.WorkerBehind(3),
    "WorkersFail": lambda: errors.WorkersFail("SIGKILL"),
    "RemoteError": lambda: errors.RemoteError("text"),
    "MalformedMessage": lambda: errors.MalformedMessage("text"),
    "InvalidJson": lambda: errors.InvalidJson("it is blank", b"x" * 100),
    "InvalidFrame": lambda: errors.InvalidFrame("it is empty", b""),
    "InvalidEvent": lambda: errors.InvalidEvent("it has no type", [1]),
    "InvalidHeader": lambda: errors.InvalidHeader("it is no header", b"x" * 100),
    "TruncatedMessage": lambda: errors.TruncatedMessage(b"x" * 100),
    "ConnectionLost": lambda: errors.ConnectionLost("text"),
    "FrameTooLong": lambda: errors.FrameTooLong(3, 2),
    "SerializationMismatch": lambda: errors.SerializationMismatch("json", b"\0\0"),
    "LineTooLong": lambda: errors.LineTooLong(3),
    "UnexpectedAck": lambda: errors.UnexpectedAck("NODE_HANDLE_ACK"),
    "BadEnvelope": lambda: errors.BadEnvelope("its type is unknown", {"a": [1]}),
    "MissingDescriptor": lambda: errors.MissingDescriptor(truncated=True),
    "HandleMismatch": lambda: errors.HandleMismatch("net.Server", "a connected socket"),
    "HandleAbandoned": lambda: errors.HandleAbandoned(Delivery()),
}

COPIES: dict[str, Callable[[ChannelError], ChannelError]] = {
    "pickle": lambda error: pickle.loads(pickle.dumps(error)),
    "oldest pickle": lambda error: pickle.loads(pickle.dumps(error, 0)),
    "copy": copy.copy,
    "deepcopy": copy.deepcopy,
}


def attributes(error: ChannelError) -> dict[str, object]:
    names = [
        name
        for name in dir(error)
        if not name.startswith("_") and name != "delivery" and hasattr(error, name)
    ]
    return {name: getattr(error, name) for name in names if not callable(getattr(error, name))}


def test_every_error_is_in_the_table():
    classes = {
        name
        for name, value in vars(errors).items()
        if isinstance(value, type) and issubclass(value, errors.ChannelError)
    }
    assert classes == set(MADE)


@pytest.mark.parametrize("how", COPIES)
@pytest.mark.parametrize("name", MADE)
def test_a_copy_is_equal_and_says_the_same(name, how):
    error = MADE[name]()
    error.add_note("a note")
    same = COPIES[how](error)
    assert type(same) is type(error)
    assert same == error
    assert hash(same) == hash(error)
    assert (str(same), repr(same)) == (str(error), repr(error))
    assert attributes(same) == attributes(error)
    assert same.__notes__ == ["a note"]


@pytest.mark.parametrize("name", sorted(MADE.keys() - {"SendTimeout", "HandleAbandoned"}))
def test_equal_errors_are_one_element_of_a_set(name):
    assert len({MADE[name](), MADE[name]()}) == 1


def test_errors_about_different_deliveries_differ():
    one, other = Delivery(), Delivery()
    assert errors.SendTimeout(one) == errors.SendTimeout(one)
    assert errors.SendTimeout(one) != errors.SendTimeout(other)


@pytest.mark.parametrize("name", MADE)
def test_no_error_equals_another_type(name):
    error = MADE[name]()
    assert not any(error == MADE[other]() for other in MADE if other != name)


def test_errors_of_one_type_differ_by_what_they_say():
    assert errors.ChannelClosed("send") != errors.ChannelClosed("receive")
    assert errors.BadEnvelope("its type is unknown", 1) != errors.BadEnvelope("its type is unknown", 2)
    assert errors.InvalidJson("r", b"x" * 100 + b"1") != errors.InvalidJson("r", b"x" * 100 + b"2")


def test_a_subclass_of_a_user_is_copied_without_its_init():
    class Mine(errors.ChannelClosed):
        def __init__(self, number: int, *, why: str) -> None:
            super().__init__(f"do {number}")
            self.why = why

    error = Mine(1, why="because")
    same = copy.copy(error)
    assert same == error
    assert same.why == "because"
