"""The types of a handle."""

from __future__ import annotations

import json

import pytest

from nodechannel._handles.types import HANDLE_TYPES, HandleType
from support.node import ROOT


@pytest.mark.rule("HND-044", "HND-045")
def test_they_are_the_types_of_the_schema():
    schema = json.loads((ROOT / "schemas" / "wire" / "handle.json").read_text("utf-8"))
    assert sorted(schema["properties"]["type"]["enum"]) == sorted(HandleType)


def test_each_is_found_by_nodes_word_and_is_that_word():
    for word, type_ in HANDLE_TYPES.items():
        assert HandleType(word) is type_
        assert f"{type_}" == word
    assert "net.socket" not in HANDLE_TYPES
