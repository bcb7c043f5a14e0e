"""The lines of a stream do not depend on how it is cut, and a long line costs time in proportion."""

from __future__ import annotations

import time
from itertools import pairwise
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nodechannel._json.framing import LineFramer

if TYPE_CHECKING:
    from nodechannel._json.framing import Line

STREAMS = st.lists(
    st.sampled_from([b"\n", b"\n\n", b"a", b"{}", b"\r", "é".encode(), b"\xff", b"12345678"])
).map(b"".join)
MIB = 1024 * 1024


def cut(stream: bytes, places: list[int]) -> list[bytes]:
    edges = [0, *sorted(place % (len(stream) + 1) for place in places), len(stream)]
    return [stream[start:end] for start, end in pairwise(edges)]


def read(chunks: list[bytes], max_line: int) -> tuple[list[Line], int | None]:
    """Feed the chunks; return all lines, and the bytes buffered in the end or None when a line was too long."""
    framer = LineFramer(max_line)
    lines: list[Line] = []
    for chunk in chunks:
        lines += framer.feed(chunk)
    return lines, None if framer.error is not None else framer.buffered


@given(STREAMS, st.lists(st.integers(0, 1000)))
@pytest.mark.rule("FRM-020", "FRM-021")
def test_any_cut_of_a_stream_gives_the_same_lines(stream: bytes, places: list[int]) -> None:
    *lines, rest = stream.split(b"\n")
    assert read(cut(stream, places), len(stream)) == (lines, len(rest))


@given(STREAMS, st.lists(st.integers(0, 1000)), st.integers(0, 10))
@pytest.mark.rule("FRM-027", "FRM-030")
def test_any_cut_of_a_stream_meets_the_limit_at_the_same_line(
    stream: bytes, places: list[int], limit: int
) -> None:
    *lines, rest = stream.split(b"\n")
    too_long = [number for number, line in enumerate([*lines, rest]) if len(line) > limit]
    expected = (lines[: too_long[0]], None) if too_long else (lines, len(rest))
    assert read(cut(stream, places), limit) == expected


def seconds_for(size: int) -> float:
    """The processor time of a line that comes in small pieces."""
    chunk = b"x" * 4096
    framer = LineFramer()
    start = time.process_time()
    for _ in range(size // len(chunk)):
        framer.feed(chunk)
    (line,) = framer.feed(b"\n")
    taken = time.process_time() - start
    assert len(line) == size
    return taken


@pytest.mark.rule("FRM-024")
def test_twice_the_line_takes_about_twice_the_time() -> None:
    # The allocator keeps blocks of up to 32 MiB, and asks the kernel for larger ones, page by page. So both sizes are below that.
    once, twice = [], []
    for _ in range(40):  # the fastest of several, since other processes take caches and pages
        once.append(seconds_for(4 * MIB))
        twice.append(seconds_for(8 * MIB))
        if min(twice) <= 2.5 * min(once):
            return
    pytest.fail(f"8 MiB took {min(twice)} s, and 4 MiB {min(once)} s")
