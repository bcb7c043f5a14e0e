"""A JSON text in the place of a value."""

from __future__ import annotations

import socket

import pytest

import nodechannel
from nodechannel import errors
from nodechannel._json.given import given
from nodechannel._json.text import JsonText


def test_a_text_is_written_as_it_is():
    text = given('{"a":\n1.50}', trusted=False)
    assert isinstance(text, JsonText)
    assert text.text == b'{"a": 1.50}'
    with pytest.raises(AttributeError):
        text.other = 1  # type: ignore[attr-defined]


def test_a_text_stands_in_the_place_of_a_value_alone():
    near, far = socket.socketpair()
    with nodechannel.Channel(near) as channel, far:
        with pytest.raises(errors.InvalidMessage):
            channel.send([given("1", trusted=False)])
        channel.send(given("1.50", trusted=False))
        assert far.recv(100) == b"1.50\n"
