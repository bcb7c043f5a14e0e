"""The framing `lines`."""

from __future__ import annotations

from typing import Any

import pytest

from nodechannel import errors
from nodechannel._core.message import Message
from nodechannel._stdio.lines import LinesFraming


def read(data: bytes, size: int = 1 << 20, **options: Any) -> list[object]:
    """Return the values of messages, and of each error its type, of a whole stream in pieces."""
    framing = LinesFraming(options)  # type: ignore[arg-type]
    events = [event for at in range(0, len(data), size) for event in framing.feed(data[at : at + size])]
    return [event.data if isinstance(event, Message) else type(event) for event in [*events, *framing.end()]]


@pytest.mark.parametrize("size", [1, 2, 5, 100])
@pytest.mark.rule("STD-010", "STD-018")
def test_any_cut_of_the_stream_means_the_same(size):
    assert read(b'1\n{"a":"\xc3\xa9"}\r\n[2]\n', size) == [1, {"a": "é"}, [2]]


@pytest.mark.rule("STD-015", "STD-016")
def test_what_is_no_message_is_an_error_in_its_place():
    assert read(b"1\nlistening on port 80\n2\n") == [1, errors.InvalidJson, 2]
    assert read(b"1\n2") == [1, errors.TruncatedMessage]
    assert read(b"1\n \n") == [1]


@pytest.mark.rule("STD-017")
def test_a_line_beyond_the_limit_ends_the_reading():
    assert read(b"1\n" + b"x" * 200 + b"\n2\n", max_line=100) == [1, errors.LineTooLong]
