"""The serialization `json`: the content of a line, and user messages that a peer would take for internal messages."""

from __future__ import annotations

import enum
from typing import Any

import pytest

from nodechannel._handles.types import HandleType
from nodechannel._json.framing import LONGEST_LINE
from nodechannel._json.serialization import JsonSerialization
from nodechannel.errors import InvalidJson, InvalidMessage


class Cmd(enum.Enum):
    ACK = "NODE_x"


class Mapping(dict):  # type: ignore[type-arg]
    pass


class Text(str):
    __slots__ = ()


JSON = JsonSerialization()


@pytest.mark.rule("CLS-005")
@pytest.mark.parametrize(
    "message",
    [{"cmd": "NODE_x"}, {"a": "\ud800", "cmd": "NODE_\u20ac"}, {"cmd": Cmd.ACK}, Mapping(cmd="NODE_x"), {"cmd": Text("NODE_x")}],
    ids=repr,
)  # fmt: skip
def test_the_bytes_decide_what_is_internal(message):
    for write in (JSON.frame, lambda m: JSON.frames([1, m]), envelope):
        with pytest.raises(InvalidMessage, match="internal message to every peer"):
            write(message)
    assert JSON.internal_frame(message).endswith(b"}\n")


@pytest.mark.rule("CLS-005")
def test_so_does_what_default_returns():
    serialization = JsonSerialization(default=lambda value: {"cmd": "NODE_x"})
    for write in (serialization.frame, lambda m: serialization.frames([m])):
        with pytest.raises(InvalidMessage, match="internal message"):
            write(object())
    assert serialization.frame([object()]) == b'[{"cmd":"NODE_x"}]\n'


@pytest.mark.parametrize(
    "message", [{"cmd": "NODE_"}, {"cmd": 1}, {"cmd": None}, Mapping(cmd="n"), "NODE_x"], ids=repr
)
def test_what_only_resembles_one_is_sent(message):
    assert JSON.decode(JSON.frame(message)[:-1]) == message
    assert b"".join(JSON.frames([message, message])) == 2 * JSON.frame(message)


def envelope(message: Any, key: str | None = None, dgram: str | None = None) -> bytes:
    return JSON.envelope(message, HandleType.NET_SOCKET, key, dgram, internal=False)


@pytest.mark.rule("HND-001", "HND-007")
def test_an_envelope_begins_with_its_cmd_and_has_the_text_of_the_message():
    assert envelope([1]) == b'{"cmd":"NODE_HANDLE","type":"net.Socket","msg":[1]}\n'
    assert envelope({"a": "\n"}, 'a"', "udp6") == (
        b'{"cmd":"NODE_HANDLE","type":"net.Socket","msg":{"a":"\\n"},"key":"a\\"","dgramType":"udp6"}\n'
    )


def test_options_hold_for_each_way_of_writing():
    strict, large = JsonSerialization(allow_nan=False), JsonSerialization(unsafe_integers=True)
    for write in (strict.frame, lambda m: strict.frames([m])):
        with pytest.raises(InvalidMessage):
            write(float("inf"))
    assert JSON.frame(float("inf")) == b"null\n"
    assert large.frame(2**53 + 1) == b"9007199254740993\n"
    for write in (JSON.frame, lambda m: JSON.frames([m]), envelope):
        with pytest.raises(InvalidMessage):
            write(2**53 + 1)


def test_internal_frames_may_repeat_numbers_of_the_peer():
    assert JSON.internal_frame({"cmd": "NODE_x", "n": 2**60}) == b'{"cmd":"NODE_x","n":1152921504606846976}\n'
    assert b"1152921504606846976" in JSON.envelope(
        {"cmd": "NODE_x", "n": 2**60}, HandleType.NET_SERVER, None, None, internal=True
    )


def test_a_refused_message_in_many_is_named_by_its_place():
    with pytest.raises(InvalidMessage) as caught:
        JSON.frames([{}, {"a": object()}])
    assert caught.value.path == "$[1].a"


def test_a_body_that_is_no_json_is_reported_with_its_bytes():
    with pytest.raises(InvalidJson) as caught:
        JSON.decode(b"{")
    assert caught.value.line == b"{"
    with pytest.raises(InvalidJson):
        JSON.decode_all([b"1", b"{", b"2"])
    assert JSON.decode_all([b"1", bytearray(b'"a"')]) == [1, "a"]


def test_the_longest_line_is_nodes_longest_string_unless_a_limit_is_given():
    assert JSON.framer(None).max_line == LONGEST_LINE
    assert JSON.framer(7).max_line == 7
