"""The dialects of a conversation."""

from __future__ import annotations

from typing import Any

import pytest

from nodechannel._rpc.birpc import Birpc
from nodechannel._rpc.dialects import JsonRpc, check_dialect, dialect_of


def test_json_rpc_changes_nothing():
    message = {"jsonrpc": "2.0", "method": "a"}
    dialect = dialect_of("json-rpc", "json")
    assert isinstance(dialect, JsonRpc)
    assert dialect.read(message) is message
    assert dialect.write(message) is message


@pytest.mark.parametrize("serialization", ["json", "advanced"])
def test_birpc_sends_errors_as_the_serialization_can(serialization):
    dialect = dialect_of("birpc", serialization)
    assert isinstance(dialect, Birpc)
    answer: Any = dialect.write({"jsonrpc": "2.0", "id": "i", "error": {"code": 1, "message": "odd"}})
    # JavaScript's own class of errors travels in the advanced serialization alone.
    assert isinstance(answer["e"], dict) is (serialization == "json")


@pytest.mark.parametrize("name", ["", "jsonrpc", "BIRPC"])
def test_a_dialect_that_is_none_is_named(name):
    for call in (check_dialect, lambda name: dialect_of(name, "json")):
        with pytest.raises(ValueError, match="'json-rpc' and 'birpc' are known"):
            call(name)
