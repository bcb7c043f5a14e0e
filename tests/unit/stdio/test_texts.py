"""Messages as JSON texts that any reader of lines can cut."""

from __future__ import annotations

import json
import math

import pytest

from nodechannel import errors
from nodechannel._stdio.texts import Writer


@pytest.mark.rule("STD-011", "STD-013")
def test_no_text_has_a_separator_of_lines():
    text = Writer({}).text({"a": "1\u20282\u20293\n4\r5\x856"})
    assert len(text.decode().splitlines()) == len(text.decode().split("\x85"))
    assert json.loads(text) == {"a": "1\u20282\u20293\n4\r5\x856"}


def test_options_of_the_channel_hold():
    assert (
        Writer({"default": sorted, "unsafe_integers": True}).text([{1}, 2**60 + 1])
        == b"[[1],1152921504606846977]"
    )
    for message, options in (({1}, {}), (2**60 + 1, {}), (math.nan, {"allow_nan": False})):
        with pytest.raises(errors.InvalidMessage):
            Writer(options).text(message)  # type: ignore[arg-type]


def test_many_messages_are_their_lines():
    writer, messages = Writer({}), [1, "\u2028", {"a": []}]
    assert b"".join(writer.lines(messages)) == b"".join(writer.text(message) + b"\n" for message in messages)
