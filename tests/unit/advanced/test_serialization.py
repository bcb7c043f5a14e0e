"""The serialization `advanced` behind its seam: frames, envelopes, and what is refused."""

from __future__ import annotations

from typing import Any

import pytest

from nodechannel import js
from nodechannel._advanced.serialization import AdvancedSerialization
from nodechannel._handles.types import HandleType
from nodechannel.errors import InvalidFrame, InvalidMessage

ADVANCED = AdvancedSerialization()


def bodies(frames: bytes) -> list[Any]:
    """Return the values of frames, cut by the serialization's own framer."""
    return ADVANCED.decode_all(ADVANCED.framer(None).feed(frames))


def envelope(message: object, key: str | None = None, dgram: str | None = None) -> Any:
    (found,) = bodies(ADVANCED.envelope(message, HandleType.NET_SOCKET, key, dgram, internal=False))
    return found


@pytest.mark.rule("CLS-005")
@pytest.mark.parametrize(
    "message", [{"cmd": "NODE_x"}, {"cmd": "NODE_€"}, js.Array([1], properties={"cmd": "NODE_x"})], ids=repr
)
def test_a_message_that_is_internal_to_the_peer_is_refused(message):
    for write in (ADVANCED.frame, lambda m: ADVANCED.frames([1, m]), envelope):
        with pytest.raises(InvalidMessage, match="internal message to every peer"):
            write(message)
    assert bodies(ADVANCED.internal_frame({"cmd": "NODE_x"})) == [{"cmd": "NODE_x"}]


@pytest.mark.parametrize(
    "message", [{"cmd": "NODE"}, {"cmd": 1}, "NODE_x", ["NODE_x"], js.Map({"cmd": "NODE_x"})], ids=repr
)
def test_what_only_resembles_one_is_sent(message):
    assert bodies(ADVANCED.frame(message)) == [message]
    assert bodies(b"".join(ADVANCED.frames([message, message]))) == [message, message]


def test_an_envelope_holds_the_message_and_what_belongs_to_the_handle():
    assert list(envelope([1])) == ["cmd", "type", "msg"]
    assert envelope({"a": 1}, "k", "udp4") == {
        "cmd": "NODE_HANDLE", "type": "net.Socket", "msg": {"a": 1}, "key": "k", "dgramType": "udp4"
    }  # fmt: skip


def test_references_of_the_message_hold_within_the_envelope():
    shared = {"x": 1}
    found = envelope([shared, shared])["msg"]
    assert found[0] is found[1]


def test_a_refused_message_is_named_by_its_own_path():
    with pytest.raises(InvalidMessage) as caught:
        envelope({"a": [...]})
    assert caught.value.path == "$.a[0]"


@pytest.mark.rule("ADV-080")
def test_undefined_members_of_an_internal_message_are_none():
    assert bodies(ADVANCED.internal_frame({"cmd": "NODE_CLUSTER", "fd": js.undefined})) == [
        {"cmd": "NODE_CLUSTER"}
    ]
    assert bodies(ADVANCED.frame({"fd": js.undefined})) == [{"fd": js.undefined}]


def test_answers_are_those_that_every_peer_knows():
    assert bodies(ADVANCED.ack + ADVANCED.nack) == [{"cmd": "NODE_HANDLE_ACK"}, {"cmd": "NODE_HANDLE_NACK"}]
    assert ADVANCED.decode(ADVANCED.ack_body) == {"cmd": "NODE_HANDLE_ACK"}


def test_default_is_used_and_a_bad_body_is_an_error_of_the_peer():
    assert bodies(AdvancedSerialization(default=repr).frame([...])) == [["Ellipsis"]]
    with pytest.raises(InvalidFrame):
        ADVANCED.decode(b"x")
