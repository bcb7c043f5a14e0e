"""Segmentations: the same bytes, cut elsewhere."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from channelkit.wire.segments import MOST_SINGLE_BYTES, cuts, variants


@given(st.binary(max_size=60), st.booleans())
def test_no_cut_changes_the_bytes(data: bytes, descriptor: bool) -> None:
    for pieces in cuts(data, descriptor=descriptor).values():
        assert b"".join(piece.data for piece in pieces) == data
        assert sum(piece.descriptor for piece in pieces) == descriptor


@given(st.binary(max_size=60), st.booleans())
def test_no_two_cuts_are_the_same(data: bytes, descriptor: bool) -> None:
    found = list(cuts(data, descriptor=descriptor).values())
    assert len(set(found)) == len(found)


def test_utf8_is_cut_inside_each_character() -> None:
    pieces = cuts("aé€".encode(), descriptor=False)["utf8"]
    assert [piece.data for piece in pieces] == [b"a\xc3", b"\xa9\xe2", b"\x82", b"\xac"]


def test_lines_keep_an_unfinished_tail() -> None:
    assert [piece.data for piece in cuts(b"1\n2\n3", descriptor=False)["lines"]] == [b"1\n", b"2\n", b"3"]


def test_a_descriptor_rides_on_the_last_frame() -> None:
    found = cuts(b"1\n[2]\n", descriptor=True)
    places = {name: [(piece.data, piece.descriptor) for piece in pieces] for name, pieces in found.items()}
    assert places["whole"] == [(b"1\n", False), (b"[2]\n", True)]
    assert places["fd-first"] == [(b"1\n", False), (b"[", True), (b"2]\n", False)]
    assert places["fd-middle"] == [(b"1\n", False), (b"[2", False), (b"]", True), (b"\n", False)]
    assert places["fd-last"] == [(b"1\n", False), (b"[2]", False), (b"\n", True)]


def test_long_writes_are_not_cut_into_bytes() -> None:
    assert "bytes" not in cuts(b"x" * (MOST_SINGLE_BYTES + 1), descriptor=False)


def test_a_write_without_a_cut_of_that_name_is_written_whole() -> None:
    found = variants([("é\n".encode(), False), (b"1\n", False)], every=True)
    assert [piece.data for piece in found["utf8"][1]] == [b"1\n"]
    assert list(variants([(b"1\n", False)], every=False)) == ["whole"]
