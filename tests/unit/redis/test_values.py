"""Values as texts in Redis, and back."""

from __future__ import annotations

import pytest

from nodechannel import errors
from nodechannel._redis.values import text_of, value_of


@pytest.mark.parametrize("value", [None, 0, -1.5, 2**53 - 1, "é\u2028\n", [1, [2]], {"a": {"b": None}}, ""])
@pytest.mark.rule("RDS-001")
def test_a_value_comes_back_from_its_text(value):
    text = text_of(value)
    assert value_of(text) == value
    assert b"\n" not in text


def test_what_is_no_value_and_what_is_no_text():
    with pytest.raises(errors.InvalidMessage):
        text_of({1})
    for text in (b"", b"stray", b"[1"):
        with pytest.raises(errors.MalformedMessage):
            value_of(text)
