"""Values that are internal messages, and values that are not."""

from __future__ import annotations

import pytest

from nodechannel._core.messages import Cmd, is_internal, refuse_internal
from nodechannel.errors import InvalidMessage
from support.wire import is_user


class Text(str):
    __slots__ = ()


class Mapping(dict):  # type: ignore[type-arg]
    pass


@pytest.mark.rule("CLS-001")
@pytest.mark.parametrize("cmd", [*Cmd, "NODE_x", "NODE__", "NODE_\0", "NODE_ "])
def test_a_cmd_that_is_longer_than_the_prefix_is_internal(cmd):
    assert is_internal({"cmd": str(cmd)})
    assert not is_user({"cmd": str(cmd)})


@pytest.mark.rule("CLS-002")
@pytest.mark.parametrize(
    "value",
    [
        {"cmd": "NODE_"},
        {"cmd": ""},
        {"cmd": "node_x"},
        {"cmd": " NODE_x"},
        {"cmd": "XNODE_x"},
        {"cmd": 5},
        {"cmd": None},
        {"cmd": ["NODE_x"]},
        {"Cmd": "NODE_x"},
        {},
        [],
        ["NODE_x"],
        [{"cmd": "NODE_x"}],
        "NODE_x",
        5,
        None,
    ],
    ids=repr,
)
def test_every_other_value_is_a_user_message(value):
    assert not is_internal(value)
    assert is_user(value)


@pytest.mark.parametrize("value", [Mapping(cmd="NODE_x"), {"cmd": Text("NODE_x")}], ids=["dict", "str"])
def test_only_what_a_decoder_makes_counts(value):
    """A decoder makes plain values. For all further values a serialization decodes the bytes that it wrote."""
    assert not is_internal(value)


def test_the_refusal_names_the_place():
    error = refuse_internal("$[3]")
    assert isinstance(error, InvalidMessage)
    assert error.path == "$[3].cmd"
    assert "NODE_" in str(error)
