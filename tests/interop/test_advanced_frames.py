"""A real Node and the reference read the frames in `spec/35-advanced.md` as the values beside them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from nodechannel._advanced.decode import decode
from nodechannel._advanced.encode import encode
from nodechannel.errors import InvalidFrame
from support.advanced import LENGTH, NodeEnd, node_end, spec_frames

if TYPE_CHECKING:
    from collections.abc import Iterator

    from support.advanced import Frame

FRAMES = spec_frames()
HEADER = b"\xff\x0d"
each = pytest.mark.parametrize("frame", FRAMES, ids=str)


@pytest.fixture(scope="module")
def end() -> Iterator[NodeEnd]:
    with node_end() as end:
        yield end


def test_the_chapter_has_frames_of_each_kind():
    signs = [frame.sign for frame in FRAMES]
    assert min(map(signs.count, "=<!")) > 20


@each
def test_node_reads_it_or_refuses_it(frame: Frame, end: NodeEnd):
    expected = None if frame.sign == "!" else frame.value
    if frame.read_by(end.major):
        answer = end.reads(HEADER + frame.body, expected)
        assert "error" not in answer, answer
        assert answer.get("equal", True), answer
    else:
        assert "error" in end.reads(HEADER + frame.body)


@each
def test_node_writes_it(frame: Frame, end: NodeEnd):
    if frame.sign == "=" and frame.read_by(end.major):
        assert end.writes(frame.value)[len(HEADER) :] == frame.body


@each
def test_the_reference_reads_it_or_refuses_it(frame: Frame):
    if frame.sign == "!":
        with pytest.raises(InvalidFrame):
            decode(HEADER + frame.body)
    else:
        decode(HEADER + frame.body)


@each
def test_the_reference_writes_the_same_value(frame: Frame, end: NodeEnd):
    """The same bytes where senders write them, else bytes that mean the same to Node."""
    if frame.sign == "!":
        return
    again = encode(decode(HEADER + frame.body))[LENGTH:]
    if frame.sign == "=":
        assert again == HEADER + frame.body
    if frame.read_by(end.major):
        assert end.same(HEADER + frame.body, again)
