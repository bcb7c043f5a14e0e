"""The messages of standard streams do not depend on how the stream is cut."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nodechannel._core.message import Message
from nodechannel._stdio.framing import framing_of
from nodechannel._stdio.stream import Stream

PARTS = {
    "lines": [
        b"\n",
        b"\r\n",
        b"[1]",
        b'{"a":2}',
        b"stray",
        "é".encode(),
        b"\xe2\x80\xa8",
        b"\0\0\0\0\xff",
        b" ",
    ],
    "headers": [
        b"Content-Length: 1",
        b"Content-Length: 0",
        b"Content-Length: 12",
        b"content-length:3",
        b"X-A: b",
        b"\r\n",
        b"\n",
        b"1",
        b"[1]",
        b"stray",
    ],
}


def events(framing: str, chunks: list[bytes], limit: int) -> list[object]:
    stream = Stream(framing_of(framing, {"max_line": limit}))
    for chunk in [*filter(None, chunks), b""]:
        if stream.readable:
            stream.readable = stream.take_in(chunk)
    return [event.data if isinstance(event, Message) else repr(event) for event in stream.events.waiting]


@pytest.mark.parametrize("framing", PARTS)
@given(st.data())
@pytest.mark.rule("STD-010", "STD-018", "STD-024")
def test_any_cut_gives_the_same_messages(framing, data):
    whole = b"".join(data.draw(st.lists(st.sampled_from(PARTS[framing]), max_size=30)))
    limit = data.draw(st.integers(0, 60))
    places = sorted(data.draw(st.lists(st.integers(0, len(whole)))))
    chunks = [whole[start:end] for start, end in pairwise([0, *places, len(whole)])]
    assert events(framing, chunks, limit) == events(framing, [whole], limit)
