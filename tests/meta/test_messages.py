"""The reference's messages are those of `schemas/wire/`."""

from __future__ import annotations

import json

import pytest

from nodechannel._core.messages import Cmd, is_internal
from nodechannel._handles.types import HandleType
from nodechannel._json.serialization import JsonSerialization
from support import wire
from support.node import ROOT

WIRE = ROOT / "schemas" / "wire"
SCHEMAS = {path.stem: json.loads(path.read_text("utf-8")) for path in sorted(WIRE.glob("*.json"))}
BY_CMD = {
    schema["properties"]["cmd"]["const"]: name
    for name, schema in SCHEMAS.items()
    if "const" in schema.get("properties", {}).get("cmd", {})
}


def test_every_command_has_a_schema_and_every_schema_a_command() -> None:
    assert set(BY_CMD) == {cmd.value for cmd in Cmd}


def test_every_command_is_told_apart_in_the_schema_of_all() -> None:
    branches = SCHEMAS["internal-message"]["allOf"]
    named = {branch["if"]["properties"]["cmd"]["const"]: branch["then"]["$ref"] for branch in branches}
    assert named == {cmd: f"{name}.json" for cmd, name in BY_CMD.items()}


def test_types_of_handles_are_those_of_the_schema() -> None:
    assert {type_.value for type_ in HandleType} == set(SCHEMAS["handle"]["properties"]["type"]["enum"])


@pytest.mark.parametrize("frame", [JsonSerialization.ack, JsonSerialization.nack], ids=["ack", "nack"])
def test_answers(frame: bytes) -> None:
    assert wire.faults(frame) == []


@pytest.mark.parametrize("type_", HandleType)
@pytest.mark.parametrize("key", [None, "4:127.0.0.1:80"], ids=["no-key", "key"])
def test_envelopes(type_: HandleType, key: str | None) -> None:
    dgram_type = "udp6" if type_ is HandleType.DGRAM_SOCKET else None
    if key is not None and type_ is not HandleType.NET_SOCKET:
        key = None
    frame = JsonSerialization().envelope({"a": [1]}, type_, key, dgram_type, internal=False)
    assert wire.faults(frame) == []
    members = set(json.loads(frame)) - {"cmd"}
    assert members <= set(SCHEMAS["handle"]["properties"])


@pytest.mark.parametrize(
    "witness", sorted((ROOT / "schemas" / "examples" / "wire").rglob("*.json")), ids=lambda path: path.stem
)
def test_classification_agrees_with_the_schemas(witness: object) -> None:
    """The reference takes a message for internal exactly when the schema of internal messages accepts it."""
    value = json.loads((ROOT / str(witness)).read_text("utf-8"))
    if wire.VALIDATOR.is_valid(value):
        assert is_internal(value)
    assert is_internal(value) != wire.is_user(value)


def test_a_bad_message_is_noticed() -> None:
    assert wire.faults(b'{"cmd":"NODE_HANDLE","type":"net.Socket"}\n')
    assert wire.faults(b'{"cmd":"NODE_SOCKET_COUNT","key":"k","count":-1}\n')
    assert wire.faults(b'{"cmd":"NODE_HANDLE_ACK"}')
    assert wire.faults(b'{"cmd":"NODE_HANDLE","type":"net.Socket","msg":1,"key":""}\n')
