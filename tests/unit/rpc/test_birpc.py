"""The messages of birpc, and those of JSON-RPC that they stand for."""

from __future__ import annotations

import pytest

from nodechannel import js
from nodechannel._rpc import wire
from nodechannel._rpc.birpc import Birpc
from nodechannel._rpc.dialects import dialect_of
from nodechannel._rpc.wire import RpcError


@pytest.fixture
def birpc():
    return Birpc(errors=False)


@pytest.mark.parametrize(
    ("theirs", "ours"),
    [
        ({"t": "q", "m": "add", "a": [1, 2], "i": "x"}, {"method": "add", "params": [1, 2], "id": "x"}),
        ({"t": "q", "m": "note", "a": []}, {"method": "note", "params": []}),
        ({"t": "s", "i": 1, "r": None}, {"id": 1, "result": None}),
        ({"t": "s", "i": 1}, {"id": 1, "result": None}),
        (7, 7),
        ({"t": "else"}, {"t": "else"}),
    ],
)
def test_what_arrives(birpc, theirs, ours):
    assert birpc.read(theirs) == ours


@pytest.mark.parametrize(
    ("error", "name", "text"),
    [
        ({"name": "RangeError", "message": "odd", "stack": "at"}, "RangeError", "odd"),
        (js.Error("RangeError", "odd", "at"), "RangeError", "odd"),
        ("odd", "Error", "odd"),
        ({"code": 1}, "Error", "an error without a message"),
    ],
)
def test_errors_that_arrive(birpc, error, name, text):
    found = wire.error_of(birpc.read({"t": "s", "i": 1, "e": error}))
    assert found is not None
    assert (found.name, found.message) == (name, text)


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        (wire.request(1, "add", [1, 2]), {"m": "add", "a": [1, 2], "t": "q", "i": 1}),
        (wire.request(1, "add", {"a": 1}), {"m": "add", "a": [{"a": 1}], "t": "q", "i": 1}),
        (wire.notification("note", None), {"m": "note", "a": [], "t": "q"}),
        (wire.notification(wire.CANCEL, {"id": 1}), None),
        (wire.notification(wire.PROGRESS, {"token": 1, "value": 1}), None),
        (wire.answer("x", 5), {"t": "s", "i": "x", "r": 5}),
        (wire.failure(None, RpcError(1, "lost")), None),
    ],
)
def test_what_is_sent(birpc, ours, theirs):
    assert birpc.write(ours) == theirs


def test_an_optional_method_may_be_missing_once(birpc):
    missing = wire.failure("x", RpcError(wire.METHOD_NOT_FOUND, "no method"))
    birpc.read({"t": "q", "m": "maybe", "a": [], "i": "x", "o": True})
    assert birpc.write(missing) == {"t": "s", "i": "x", "r": None}
    assert "e" in (birpc.write(missing) or {})


def test_an_error_is_an_error_where_the_serialization_has_them():
    failed = wire.failure("x", ValueError("even"))
    in_json, advanced = Birpc(errors=False).write(failed), Birpc(errors=True).write(failed)
    assert in_json is not None
    assert (in_json["e"]["name"], in_json["e"]["message"]) == ("ValueError", "even")
    assert advanced is not None
    assert advanced["e"] == js.Error("Error", "ValueError: even", in_json["e"]["stack"])


def test_a_dialect_has_a_name():
    assert isinstance(dialect_of("birpc", "json"), Birpc)
    message = wire.answer(1, 2)
    assert dialect_of("json-rpc", "json").write(message) is message
    with pytest.raises(ValueError, match="birpc"):
        dialect_of("soap", "json")
