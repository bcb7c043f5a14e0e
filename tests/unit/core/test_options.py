"""The options of a channel: their names, their types, and the places that know them."""

from __future__ import annotations

import inspect
import socket
import typing

import pytest

import nodechannel
from nodechannel._core.options import ChannelOptions, OpenOptions
from nodechannel._core.serialization import Serialization
from nodechannel._json.serialization import JsonSerialization

VALUES: dict[str, object] = {
    "unsafe_integers": True,
    "allow_nan": False,
    "max_line": 8,
    "default": str,
    "raw": True,
    "object_hook": dict,
    "linger": 0.5,
    "serialization": "advanced",
}


def test_each_option_has_a_value_here():
    assert list(typing.get_type_hints(OpenOptions)) == list(VALUES)
    assert set(OpenOptions.__annotations__) >= set(ChannelOptions.__annotations__)


@pytest.mark.parametrize("kind", [ChannelOptions, OpenOptions])
def test_each_option_is_optional_and_documented(kind):
    assert not kind.__required_keys__
    # Python 3.13 takes the common indentation away by itself.
    described = "\n".join(inspect.cleandoc(one.__doc__ or "") for one in (ChannelOptions, OpenOptions))
    assert all(f"\n    {name}: " in described for name in kind.__annotations__)


def test_a_channel_takes_each_of_them(api):
    for name, value in VALUES.items():
        ours, theirs = socket.socketpair()
        with theirs:
            api.channel(ours, **{name: value}).close()


def test_the_types_can_be_evaluated():
    hints = typing.get_type_hints(OpenOptions)
    assert hints["serialization"] == str | Serialization
    assert hints["linger"] == float | None


def test_an_object_is_a_serialization():
    ours, theirs = socket.socketpair()
    with theirs, nodechannel.Channel(ours, serialization=JsonSerialization(allow_nan=False)) as channel:
        with pytest.raises(nodechannel.InvalidMessage):
            channel.send(float("nan"))
        channel.close()
