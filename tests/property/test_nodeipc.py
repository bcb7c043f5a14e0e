"""The events of `node-ipc` do not depend on how the stream is cut."""

from __future__ import annotations

import json
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nodechannel._nodeipc.event import Event
from nodechannel._nodeipc.frames import Frames
from nodechannel._nodeipc.names import LIFECYCLE
from nodechannel.errors import InvalidMessage

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53) + 1, 2**53 - 1) | st.text(),
    lambda values: st.lists(values) | st.dictionaries(st.text(), values),
    max_leaves=20,
)

PARTS = [
    b"\f",
    b"\f",
    b'{"type":"a","data":1}\f',
    b'{"type":"connect"}\f',
    b'{"type":"b"}\f{"type":1}\f',
    b"stray",
    b" \n",
    "é".encode(),
    b"\xff",
    b'"',
]


def events(chunks: list[bytes], limit: int) -> list[object]:
    frames = Frames({"max_frame": limit})
    found = [event for chunk in chunks for event in frames.feed(chunk)] + frames.end()
    return [event if isinstance(event, Event) else repr(event) for event in found]


@given(st.lists(st.sampled_from(PARTS), max_size=30), st.data())
@pytest.mark.rule("NIP-010", "NIP-012", "NIP-013")
def test_any_cut_gives_the_same_events(parts, data):
    whole = b"".join(parts)
    places = sorted(data.draw(st.lists(st.integers(0, len(whole)))))
    chunks = [whole[start:end] for start, end in pairwise([0, *places, len(whole)])]
    limit = data.draw(st.integers(0, 60))
    assert events(chunks, limit) == events([whole], limit)


@given(st.text(), VALUES)
@pytest.mark.rule("NIP-001", "NIP-002", "NIP-004", "NIP-005", "NIP-006")
def test_an_event_that_is_written_is_read_again(type, value):
    try:
        frame = Frames({}).frame(type, value)
    except InvalidMessage:
        assert (
            not type
            or type in LIFECYCLE
            or type.startswith(("__", "to", "is", "has", "value", "cons", "prop"))
        )
        return
    assert frame.count(b"\f") == 1
    [event] = Frames({}).feed(frame)
    assert isinstance(event, Event)
    assert json.dumps([event.type, event.data]) == json.dumps([type, value])
    assert list(json.loads(frame[:-1])) == ["type", "data"]


def test_a_long_frame_takes_linear_time():
    frames = Frames({})
    frame = frames.frame("a", "x" * 4_000_000)
    assert [event for at in range(0, len(frame), 1000) for event in frames.feed(frame[at : at + 1000])]
