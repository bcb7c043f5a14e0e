"""Segmentations: the same bytes, cut elsewhere."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from channelkit.wire.modes import JSON_LINES
from channelkit.wire.segments import MOST_SINGLE_BYTES, cuts, named, names


@given(st.binary(max_size=60), st.booleans())
def test_no_cut_changes_the_bytes(data: bytes, descriptor: bool) -> None:
    for pieces in cuts(JSON_LINES, data, descriptor=descriptor).values():
        assert b"".join(piece.data for piece in pieces) == data
        assert sum(piece.descriptor for piece in pieces) == descriptor


@given(st.binary(max_size=60), st.booleans())
def test_no_two_cuts_are_the_same(data: bytes, descriptor: bool) -> None:
    found = list(cuts(JSON_LINES, data, descriptor=descriptor).values())
    assert len(set(found)) == len(found)


def test_utf8_is_cut_inside_each_character() -> None:
    pieces = cuts(JSON_LINES, "aé€".encode(), descriptor=False)["utf8"]
    assert [piece.data for piece in pieces] == [b"a\xc3", b"\xa9\xe2", b"\x82", b"\xac"]


def test_lines_keep_an_unfinished_tail() -> None:
    assert [piece.data for piece in cuts(JSON_LINES, b"1\n2\n3", descriptor=False)["lines"]] == [
        b"1\n",
        b"2\n",
        b"3",
    ]


def test_a_descriptor_rides_on_the_last_frame() -> None:
    found = cuts(JSON_LINES, b"1\n[2]\n", descriptor=True)
    places = {name: [(piece.data, piece.descriptor) for piece in pieces] for name, pieces in found.items()}
    assert places["whole"] == [(b"1\n", False), (b"[2]\n", True)]
    assert places["fd-first"] == [(b"1\n", False), (b"[", True), (b"2]\n", False)]
    assert places["fd-middle"] == [(b"1\n", False), (b"[2", False), (b"]", True), (b"\n", False)]
    assert places["fd-last"] == [(b"1\n", False), (b"[2]", False), (b"\n", True)]


def test_long_writes_are_not_cut_into_bytes() -> None:
    assert "bytes" not in cuts(JSON_LINES, b"x" * (MOST_SINGLE_BYTES + 1), descriptor=False)


def test_a_write_without_a_cut_of_that_name_is_written_whole() -> None:
    writes = [("é\n".encode(), False), (b"1\n", False)]
    assert "utf8" in names(JSON_LINES, writes, every=True)
    assert [piece.data for piece in named(JSON_LINES, b"1\n", "utf8", descriptor=False)] == [b"1\n"]
    assert names(JSON_LINES, writes, every=False) == ["whole"]


@given(st.binary(max_size=60), st.booleans())
def test_a_cut_is_found_by_its_name(data: bytes, descriptor: bool) -> None:
    for name, pieces in cuts(JSON_LINES, data, descriptor=descriptor).items():
        assert named(JSON_LINES, data, name, descriptor=descriptor) == pieces
