"""Values that hold no other, each from its own bytes."""

from __future__ import annotations

import datetime as dt
import struct

import pytest

from nodechannel import js
from nodechannel._advanced import tags
from nodechannel._advanced.malformed import Malformed, Truncated
from nodechannel._advanced.readleaves import (
    LEAVES,
    block,
    number,
    skip_padding,
    string,
    typed_array,
    varint,
    view,
)


@pytest.mark.parametrize(
    ("raw", "value"),
    [
        (b"\x00", 0), (b"\x7f", 127), (b"\x80\x01", 128), (b"\xff\xff\xff\xff\x0f", 2**32 - 1),
        (b"\xff\xff\xff\xff\xff\x7f", 2**32 - 1), (b"\x80\x80\x80\x80\x80\x80\x01", 0),
    ],
)  # fmt: skip
def test_an_integer_has_seven_bits_a_byte_and_32_in_all(raw, value):
    assert varint(raw + b"rest", 0) == (value, len(raw))


def test_a_cut_integer_overruns():
    with pytest.raises(IndexError):
        varint(b"\x80", 0)


@pytest.mark.rule("ADV-061")
def test_a_block_that_is_longer_than_the_frame_is_refused():
    assert block(b"\x02ab", 0) == (1, 3)
    with pytest.raises(Truncated):
        block(b"\x03ab", 0)


def test_a_double_is_an_int_where_it_is_a_safe_one():
    assert [type(number(value)) for value in (2.0, -3.0, 0.0, -0.0, 2.5, 2.0**53, 1e300)] == [
        int, int, int, float, float, float, float
    ]  # fmt: skip


@pytest.mark.rule("ADV-021", "ADV-025")
def test_strings_of_each_width():
    assert string(b'\x00\x00"\x02a\xe9', 0) == ("aé", 6)
    assert string(b"c\x04\xac\x20\x00\xd8", 0) == ("€\ud800", 6)
    assert string(b"S\x03a\xc3\xa9", 0) == ("aé", 5)
    assert skip_padding(b"\x00\x00I", 0) == 2
    with pytest.raises(Malformed, match="a string is missing"):
        string(b"I\x02", 0)
    with pytest.raises(Malformed, match="odd number of bytes"):
        string(b"c\x03\xac\x20\x00", 0)


def test_an_object_is_remembered_for_references():
    seen: list[object] = []
    date = LEAVES[tags.DATE](struct.pack("<d", 1000.0), 0, seen)[0]
    assert seen == [date] == [dt.datetime(1970, 1, 1, 0, 0, 1, tzinfo=dt.UTC)]
    assert LEAVES[tags.NULL](b"", 0, seen) == (None, 0)
    assert len(seen) == 1


@pytest.mark.rule("ADV-042")
def test_views_of_each_kind():
    assert view(b"\x0a\x02ab", 0, []) == (b"ab", 4)
    assert view(b"\x03\x04\x01\x00\x02\x00", 0, [])[0] == js.TypedArray("Int16Array", b"\x01\x00\x02\x00")
    with pytest.raises(Malformed, match="14 is no kind of a view"):
        view(b"\x0e\x00", 0, [])
    assert typed_array("Uint32Array", memoryview(b"123456")) == js.TypedArray("Uint32Array", b"1234")
