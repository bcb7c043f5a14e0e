"""The seam: the methods that a `Connection` needs of a serialization, tested with each class behind it."""

from __future__ import annotations

import inspect
import typing
from typing import Any

import pytest

from nodechannel._advanced.serialization import AdvancedSerialization
from nodechannel._core.messages import Cmd, is_internal
from nodechannel._core.serialization import Framer, Serialization
from nodechannel._handles.types import HandleType
from nodechannel._json.serialization import JsonSerialization
from nodechannel.errors import InvalidMessage
from support.toy import Toy

CLASSES: list[Any] = [JsonSerialization, AdvancedSerialization, Toy]

VALUES: list[object] = [None, True, 5, "é", [1, [2]], {"cmd": "NODE_"}, {"a": {"cmd": "NODE_x"}}]


@pytest.fixture(params=CLASSES, ids=lambda kind: kind.mode)
def one(request):
    return request.param()


def methods_of(protocol: type) -> list[str]:
    return [name for name, _ in inspect.getmembers(protocol, inspect.isfunction) if not name.startswith("_")]


def bodies(one: Any, data: bytes) -> list[Any]:
    framer = one.framer(None)
    found = framer.feed(data)
    assert (framer.error, framer.buffered) == (None, 0)
    return list(found)


def test_each_class_has_the_methods_and_their_parameters(one):
    for name in methods_of(Serialization):
        asked = inspect.signature(getattr(Serialization, name))
        given = inspect.signature(getattr(type(one), name))
        assert list(given.parameters) == list(asked.parameters), name
    for name in typing.get_type_hints(Serialization):
        assert hasattr(one, name), name


def test_each_framer_has_the_methods_and_attributes(one):
    framer = one.framer(None)
    for name in methods_of(Framer):
        assert callable(getattr(framer, name))
    assert (framer.buffered, framer.error) == (0, None)


@pytest.mark.parametrize("value", VALUES, ids=repr)
def test_a_frame_is_one_body_that_means_the_value(one, value):
    (body,) = bodies(one, one.frame(value))
    assert one.decode(body) == value


def test_many_frames_are_as_many_bodies(one):
    found = bodies(one, b"".join(one.frames(VALUES)))
    assert one.decode_all(found) == VALUES


def test_an_internal_message_is_refused_wherever_it_stands(one):
    message = {"cmd": "NODE_x"}
    for write in (one.frame, lambda m: one.envelope(m, HandleType.NET_SERVER, None, None, internal=False)):
        with pytest.raises(InvalidMessage) as caught:
            write(message)
        assert caught.value.path == "$.cmd"
    with pytest.raises(InvalidMessage) as caught:
        one.frames([1, message])
    assert caught.value.path == "$[1].cmd"


def test_the_answers_to_handles_are_internal_messages(one):
    for frame, cmd in ((one.ack, Cmd.HANDLE_ACK), (one.nack, Cmd.HANDLE_NACK)):
        (body,) = bodies(one, frame)
        assert one.decode(body) == {"cmd": cmd}
    assert one.decode(one.ack_body) == {"cmd": Cmd.HANDLE_ACK}


def test_an_envelope_has_the_message_and_what_is_known_of_its_handle(one):
    frame = one.envelope({"a": 1}, HandleType.DGRAM_SOCKET, "k\n", "udp4", internal=False)
    (body,) = bodies(one, frame)
    value = one.decode(body)
    assert is_internal(value)
    assert value == {
        "cmd": Cmd.HANDLE,
        "type": "dgram.Socket",
        "msg": {"a": 1},
        "key": "k\n",
        "dgramType": "udp4",
    }
    (body,) = bodies(one, one.envelope({"cmd": "NODE_x"}, HandleType.NET_SOCKET, None, None, internal=True))
    assert one.decode(body) == {"cmd": Cmd.HANDLE, "type": "net.Socket", "msg": {"cmd": "NODE_x"}}


def test_an_internal_frame_may_have_every_value(one):
    (body,) = bodies(one, one.internal_frame({"cmd": "NODE_CLUSTER", "big": 2**53}))
    assert int(one.decode(body)["big"]) == 2**53


def test_a_restored_framer_goes_on_from_its_checkpoint(one):
    framer, frame = one.framer(None), one.frame("abc")
    framer.feed(frame[:5])
    checkpoint = framer.checkpoint()
    framer.feed(frame[5:] + frame[:3])
    framer.restore(checkpoint)
    assert framer.buffered == 5
    (body,) = framer.feed(frame[5:])
    assert one.decode(body) == "abc"


def test_a_body_beyond_the_limit_ends_the_stream(one):
    framer = one.framer(20)
    assert list(framer.feed(one.frame("a") + one.frame("x" * 30))) != []
    assert framer.error is not None
    assert list(framer.feed(one.frame("a"))) == []
