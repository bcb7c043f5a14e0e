"""Values that hold no other, each to its own bytes."""

from __future__ import annotations

import array
import datetime as dt
import struct
from typing import Any

import pytest

from nodechannel import js
from nodechannel._advanced import writeleaves
from nodechannel._advanced.output import Output
from nodechannel._advanced.writeleaves import (
    LEAVES,
    PRIMITIVES,
    Refused,
    buffer,
    integer,
    name,
    string,
    varint,
)


def written(write: Any, value: object) -> bytes:
    """Return the parts that a function writes, without the header."""
    out = Output()
    write(out, value)
    return b"".join(out.parts[1:])


@pytest.mark.parametrize(
    ("value", "raw"), [(0, b"\x00"), (127, b"\x7f"), (128, b"\x80\x01"), (2**32 - 1, b"\xff\xff\xff\xff\x0f")]
)
def test_an_integer_has_seven_bits_a_byte(value, raw):
    assert varint(value) == raw


@pytest.mark.rule("ADV-024")
@pytest.mark.parametrize(
    ("value", "raw"),
    [
        (1, b"I\x02"), (-1, b"I\x01"), (2**31 - 1, b"I\xfe\xff\xff\xff\x0f"), (-(2**31), b"I\xff\xff\xff\xff\x0f"),
        (2**31, b"N" + struct.pack("<d", 2**31)), (2**53 - 1, b"N" + struct.pack("<d", 2**53 - 1)),
        (2**53, b"Z\x10" + (2**53).to_bytes(8, "little")), (-(2**64), b"Z\x21" + (2**64).to_bytes(16, "little")),
    ],
)  # fmt: skip
def test_an_int_takes_the_least_that_carries_it(value, raw):
    assert written(integer, value) == raw


@pytest.mark.rule("ADV-022", "ADV-025")
def test_a_string_takes_one_byte_for_each_character_or_two():
    assert written(string, "aé") == b'"\x02a\xe9'
    assert written(string, "€\ud800") == b"c\x04\xac\x20\x00\xd8"


@pytest.mark.rule("ADV-030")
def test_a_name_that_is_an_index_is_a_number():
    assert [written(name, text) for text in ("7", "07", "a")] == [b"I\x0e", b'"\x0207', b'"\x01a']


@pytest.mark.rule("ADV-026", "ADV-027")
def test_what_v8_cannot_hold_is_refused(monkeypatch):
    monkeypatch.setattr(writeleaves, "LONGEST_STRING", 3)
    monkeypatch.setattr(writeleaves, "LONGEST_BIGINT", 64)
    written(string, "abc")
    for write, value in [(string, "abcd"), (string, "€€€€"), (integer, 2**64)]:
        with pytest.raises(Refused):
            written(write, value)


def test_a_datetime_needs_a_time_zone():
    east = dt.timezone(dt.timedelta(hours=1))
    assert written(LEAVES[dt.datetime], dt.datetime(1970, 1, 1, 1, 0, 2, tzinfo=east)) == b"D" + struct.pack(
        "<d", 2000
    )
    with pytest.raises(Refused, match=r"give it one, such as datetime\.UTC"):
        written(LEAVES[dt.datetime], dt.datetime(1970, 1, 1))  # noqa: DTZ001


@pytest.mark.parametrize(
    ("value", "raw"),
    [(True, b"y"), (False, b"x"), ("a", b's"\x01a'), (1, b"n" + struct.pack("<d", 1)), (js.BigInt(1), b"z\x10\x01" + bytes(7))],
)  # fmt: skip
def test_boxes(value, raw):
    assert written(LEAVES[js.Boxed], js.Boxed(value)) == raw


def test_constants():
    values = [None, True, False, js.undefined]
    assert [written(PRIMITIVES[type(value)], value) for value in values] == [b"0", b"T", b"F", b"_"]


@pytest.mark.rule("ADV-042")
def test_anything_with_the_buffer_protocol_is_the_array_of_its_format():
    assert written(buffer, bytearray(b"ab")) == b"\\\x00\x01\x02ab"
    assert written(buffer, array.array("h", [1])) == b"\\\x00\x03\x02\x01\x00"
    assert written(buffer, memoryview(b"abcd")[::2]) == b"\\\x00\x01\x02ac"
    with pytest.raises(Refused, match="2 dimensions"):
        written(buffer, memoryview(b"abcd").cast("B", [2, 2]))
