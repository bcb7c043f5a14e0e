"""A JSON text of the user, and the line that it becomes."""

from __future__ import annotations

import pytest

from nodechannel._json import codec
from nodechannel._json.given import given
from nodechannel.errors import InvalidMessage


@pytest.mark.parametrize("trusted", [False, True])
@pytest.mark.parametrize(
    ("text", "line"),
    [(b"1", b"1"), (" [1,\n2]\n", b"[1, 2]"), ('"\\n"', b'"\\n"'), ("\r\n\t{}", b"{}")],
)
@pytest.mark.rule("FRM-002")
def test_a_text_becomes_a_line(text, line, trusted):
    message = given(text, trusted=trusted)
    assert message.text == line
    assert codec.encode(message) == line + b"\n"


@pytest.mark.parametrize("text", [b"", b" \n\t", ""])
def test_a_blank_text_is_refused_even_if_it_is_trusted(text):
    with pytest.raises(InvalidMessage, match="blank"):
        given(text, trusted=True)


@pytest.mark.parametrize("text", [b"[1", "undefined", b"\xff", b"\xef\xbb\xbf1", "[Infinity]"])
def test_a_text_that_is_not_json_is_refused_unless_it_is_trusted(text):
    with pytest.raises(InvalidMessage, match=r"not (JSON|UTF-8)"):
        given(text, trusted=False)
    assert given(text, trusted=True).text


def test_a_text_inside_of_a_value_is_refused():
    with pytest.raises(InvalidMessage, match="JsonText"):
        codec.encode([given("1", trusted=False)])
