"""The meaning of frames, and frames that are refused. `tests/interop/test_advanced_frames.py` shows that Node reads the same."""

from __future__ import annotations

import contextlib
import datetime as dt
import struct
import tracemalloc

import pytest

from nodechannel import js
from nodechannel._advanced import fastread, read
from nodechannel._advanced.decode import decode
from nodechannel.errors import InvalidFrame


def frame(text: str, version: int = 13) -> bytes:
    """Return a frame from hex digits and texts in quotes."""
    found = bytes([0xFF, version])
    for index, part in enumerate(text.split("'")):
        found += part.encode("latin-1") if index % 2 else bytes.fromhex(part)
    return found


def double(value: float) -> str:
    return struct.pack("<d", value).hex()


def utc(*parts: int) -> dt.datetime:
    return dt.datetime(*parts, tzinfo=dt.UTC)  # type: ignore[arg-type,misc]


ROWS = [
    ("5f", js.undefined),
    ("'0'", None),
    ("'I' 01", -1),
    ("'I' ffffffff0f", -(2**31)),
    ("'U' ffffffff0f", 2**32 - 1),
    (f"'N' {double(2.0)}", 2),
    (f"'N' {double(-0.0)}", -0.0),
    (f"'N' {double(2.0**53)}", 2.0**53),
    (f"'N' {double(1e300)}", 1e300),
    ("'Z' 00", js.BigInt(0)),
    ("'Z' 11 0a00000000000000", js.BigInt(-10)),
    ("'Z' 02 05", js.BigInt(5)),
    ("22 02 'a' e9", "aé"),
    ("'c' 04 ac20 00d8", "€\ud800"),
    ("'c' 04 3dd8 00de", "😀"),
    ("'S' 02 c3a9", "é"),
    ("'S' 01 ff", "\ufffd"),
    (f"'D' {double(5)}", utc(1970, 1, 1, 0, 0, 0, 5000)),
    (f"'D' {double(1.9)}", utc(1970, 1, 1, 0, 0, 0, 1000)),
    (f"'D' {double(-62135596800000)}", utc(1, 1, 1)),
    (f"'D' {double(253402300799999)}", utc(9999, 12, 31, 23, 59, 59, 999000)),
    (f"'D' {double(253402300800000)}", js.Date(253402300800000)),
    (f"'D' {double(-62135596800001)}", js.Date(-62135596800001)),
    (f"'D' {double(float('nan'))}", js.Date("nan")),
    (f"'D' {double(9e15)}", js.Date("nan")),
    ("'R' 22 01 'a' 3f", js.RegExp("a", "gimsuy")),
    ("'R' 22 01 'a' 8001", js.RegExp("a", "d")),
    ("'R' 22 01 'a' 8002", js.RegExp("a", "v")),
    (f"'n' {double(1)}", js.Boxed(1)),
    ("'y'", js.Boxed(True)),
    ("'x'", js.Boxed(False)),
    ("'s' 22 01 'a'", js.Boxed("a")),
    ("'z' 10 0100000000000000", js.Boxed(js.BigInt(1))),
    ("'o' 22 01 'a' 'I' 02 7b 01", {"a": 1}),
    ("'o' 'I' 02 'T' 'U' 02 'F' 7b 02", {"1": True, "2": False}),
    (f"'o' 'N' {double(1.5)} 'T' 7b 01", {"1.5": True}),
    ("'o' 00 22 01 'a' 00 'I' 02 00 7b 01", {"a": 1}),
    ("'o' 22 09 '__proto__' 'T' 7b 01", {"__proto__": True}),
    ("'A' 02 'T' 'F' 24 00 02", [True, False]),
    ("'A' 01 'T' 22 01 'x' 'F' 24 01 01", js.Array([True], {"x": False})),
    ("'A' 03 'T' 2d 'F' 24 00 03", js.SparseArray(3, {0: True, 2: False})),
    ("'A' 01 'T' 'I' 04 'F' 24 01 01", js.SparseArray(3, {0: True, 2: False})),
    ("'A' 01 'T' 'I' 02 'F' 24 01 01", [True, False]),
    ("'a' 02 'I' 00 'T' 'I' 02 'F' 40 02 02", [True, False]),
    ("'a' 02 'I' 02 'F' 'I' 00 'T' 40 02 02", [True, False]),
    ("'a' 03 'I' 02 'T' 22 01 'x' 'F' 40 02 03", js.SparseArray(3, {1: True}, {"x": False})),
    ("'a' 03 22 01 '1' 'T' 40 01 03", js.SparseArray(3, {1: True})),
    ("'a' 01 'I' 00 'T' 22 01 'x' 'F' 40 02 01", js.Array([True], {"x": False})),
    ("'a' ffffffff0f 40 00 ffffffff0f", js.SparseArray(2**32 - 1)),
    ("3b 'I' 02 'T' 22 01 '1' 'F' 3a 04", js.Map([(1, True), ("1", False)])),
    ("27 'I' 02 22 01 'a' 2c 02", {1, "a"}),
    ("27 'I' 02 'T' 2c 02", js.Set([1, True])),
    ("'r' 'T' 'm' 22 01 'm' 's' 22 01 'S' 'c' 'I' 02 2e", js.Error("TypeError", "m", "S", 1)),
    ("'r' 'm' 22 01 'm' 'c' 'I' 02 's' 22 01 'S' 2e", js.Error("Error", "m", "S", 1)),
    ("'r' 2e", js.Error()),
    ("'B' 02 0102", js.ArrayBuffer(b"\x01\x02")),
    ("7e 02 08 0102", js.ArrayBuffer(b"\x01\x02", 8)),
    ("5c 00 0a 02 0102", b"\x01\x02"),
    ("5c 00 0a 00", b""),
    ("5c 80 00 0a 80 00", b""),
    *[
        (f"5c 00 {number:02x} 08 0102030405060708", js.TypedArray(kind, bytes(range(1, 9))))
        for number, kind in enumerate(
            ["Int8Array", "Uint8Array", "Uint8ClampedArray", "Int16Array", "Uint16Array", "Int32Array", "Uint32Array",
             "Float32Array", "Float64Array", "DataView", None, "BigInt64Array", "BigUint64Array", "Float16Array"]
        )
        if kind
    ],
    ("5c 00 03 03 010203", js.TypedArray("Int16Array", b"\x01\x02")),
    ("5c 01 'o' 22 01 'a' 'T' 7b 01", {"a": True}),
    ("'B' 04 01020304 'V' 'B' 01 02", js.TypedArray("Uint8Array", b"\x02\x03")),
    ("3f 05 'T'", True),
    ("'T' 00 ff", True),
]  # fmt: skip


@pytest.mark.parametrize(("text", "value"), ROWS, ids=[row[0] for row in ROWS])
def test_a_frame_means_a_value(text, value):
    for found in (decode(frame(text)), read.read(frame(text)), decode(bytearray(frame(text)))):
        assert type(found) is type(value)
        assert found == value
        assert repr(found) == repr(value)


@pytest.mark.parametrize(("text", "value"), ROWS, ids=[row[0] for row in ROWS])
def test_the_fast_path_agrees_or_declines(text, value):
    try:
        found = fastread.read(frame(text))
    except fastread.FAILURES:
        return
    assert type(found) is type(value)
    assert repr(found) == repr(value)


REFUSED = [
    "", "2d", "7f", "'W' 00", "'N' 0000", "22 05 'a'", "22", "'c' 03 616263", "'Z' 01", "'Z' 7f", "'Z' ffffffff0f", "'D' 00",
    "'R' 22 01 'a' 40", "'R' 22 01 'a' 9002", "'R' 'T' 00", "'z' 01", "'s' 'T'",
    "'o'", "'o' 22 01 'a' 'T'", "'o' 22 01 'a' 'T' 7b 02", "'o' 22 01 'a' 'T' 22 01 'a' 'F' 7b 02", "'o' 22 01 'a' 'T' 22 01 'a' 'F' 7b 01",
    "'o' 'I' 02 'T' 22 01 '1' 'F' 7b 02", "'o' '0' 'T' 7b 01", "'o' 'T' 'T' 7b 01", "'o' 'Z' 02 01 'T' 7b 01", "'o' 22 01 'a' 7b 01",
    "'o' 22 01 'a' 2d 7b 01", "'o' 5e 00 'T' 7b 01",
    "'A' 02 'T' 24 00 02", "'A' 02 'T' 'F' 24 00 03", "'A' 02 'T' 'F' 24 01 02", "'A' ffffffff0f", "'A' 64 'T'", "'A' 01 'T' 7b 00",
    "'A' 01 'T' 'I' 00 'F' 24 01 01", "'A' 00 22 06 'length' 'T' 24 01 00",
    "'a' 03 'I' 00 'T' 40 01 04", "'a' 03 'I' 00 'T' 'I' 00 'T' 40 02 03", "'a' 03 'I' 00 2d 40 01 03",
    "'a' 03 22 06 'length' 'T' 40 01 03",
    "5e 00", "'A' 01 5e 01 24 00 01", "5c 01 5e 00",
    "3b 'T' 3a 01", "3b 'T' 'F' 3a 01", "3b 2d 'T' 3a 02", "27 'T' 2c 02", "27 2d 2c 01",
    "'r'", "'r' 'q' 2e", "'r' 'm' 'T' 2e", "'r' 00 2e", "'r' 'm' 22 01 'm'", "'r' 'c' 2e",
    "'B' 02 01", "'B' ffffffff0f", "7e 03 02 010203", "7e 03 08 0102", "'V' 'B' 00 02",
    "'B' 04 01020304 'V' 'B' 03 04", "'B' 04 01020304 'V' 'w' 01 02", "'B' 04 01020304 'V' 'w' 00 03", "'B' 04 01020304 'V' 'z' 00 02",
    "5c", "5c 02", "5c 00 0e 00", "5c 00 0a 05 'a'", "5c 00 0a ffffffff0f", "5c 01 'T'", "5c 01 '0'", "5c 01 22 00", "5c 01 5f",
]  # fmt: skip


@pytest.mark.parametrize("text", REFUSED)
def test_a_frame_that_means_nothing(text):
    with pytest.raises(InvalidFrame):
        decode(frame(text))


@pytest.mark.rule("ADV-011")
def test_versions():
    for version in range(256):
        if 13 <= version <= 16:
            assert decode(bytes([0xFF, version, ord("0")])) is None
        else:
            with pytest.raises(InvalidFrame, match=f"its version {version} "):
                decode(bytes([0xFF, version, ord("0")]))


@pytest.mark.parametrize("start", [b"", b"\xff", b"\x0d0", b"0"])
def test_headers(start):
    with pytest.raises(InvalidFrame):
        decode(start)


@pytest.mark.parametrize(
    ("text", "good"), [("'B' 02 0102 'V' 'B' 00 01", False), ("'B' 02 0102 'V' 'B' 00 01 00", True)]
)
def test_a_native_view_has_flags_from_version_14_on(text, good):
    if good:
        assert decode(frame(text, 14)) == js.TypedArray("Uint8Array", b"\x01")
    else:
        with pytest.raises(InvalidFrame):
            decode(frame(text, 14))


def test_an_error_names_the_place():
    with pytest.raises(InvalidFrame, match=r"0x7f begins no value \(byte 4\): ff 0d 41 01 7f"):
        decode(frame("'A' 01 7f"))
    with pytest.raises(InvalidFrame, match="ends in the middle") as caught:
        decode(frame("'N' 00"))
    assert caught.value.frame == frame("'N' 00")


# ---- identity -------------------------------------------------------------------------------------------------


@pytest.mark.rule("ADV-031")
def test_a_second_mention_is_the_same_object():
    found = decode(frame("'A' 03 'o' 7b 00 5e 01 5e 00 24 00 03"))
    assert found[0] is found[1]
    assert found[2] is found


def test_a_view_shares_the_bytes_of_its_buffer():
    buffer, view, again = decode(frame("'A' 03 'B' 02 0102 5e 01 'V' 'B' 01 01 5e 02 24 00 03"))
    buffer[1] = 9
    assert bytes(view) == b"\x09"
    assert again is view


def test_an_object_of_the_host_has_two_numbers():
    found = decode(frame("'A' 03 5c 01 'o' 7b 00 5e 01 5e 02 24 00 03"))
    assert found[0] is found[1] is found[2]


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("'A' 02 5e 00 2d 24 00 02", js.SparseArray),
        ("'A' 01 5e 00 22 01 'x' 5e 00 24 01 01", js.Array),
        ("'a' 02 'I' 00 5e 00 40 01 02", js.SparseArray),
        ("'a' 01 'I' 00 5e 00 40 01 01", list),
        ("'A' 01 5e 00 24 00 01", list),
        ("27 5e 00 2c 01", js.Set),
        ("3b 5e 00 5e 00 3a 02", js.Map),
        ("'r' 'c' 5e 00 2e", js.Error),
    ],
)
def test_an_object_in_itself_has_its_final_type(text, kind):
    """Whether an array has holes shows at its end, and by then a reference has used it."""
    found = decode(frame(text))
    assert type(found) is kind
    inner = {
        js.Map: lambda: next(iter(found)),
        js.Set: lambda: next(iter(found)),
        js.Error: lambda: found.cause,
    }.get(kind, lambda: found[0])()
    assert inner is found


def test_a_wrong_guess_costs_one_more_reading():
    """A thousand arrays in each other, each with a hole and a reference to itself: the time grows linearly."""
    depth = 1000
    text = b"".join(b"A\x03^" + varint(level) for level in range(depth)) + b"0" + b"-$\x00\x03" * depth
    found = decode(b"\xff\x0d" + text)
    for _ in range(depth):
        assert type(found) is js.SparseArray
        assert found[0] is found
        found = found[1]
    assert found is None


def varint(value: int) -> bytes:
    return bytes([value]) if value < 128 else bytes([value & 127 | 128, value >> 7])


# ---- hostile frames -------------------------------------------------------------------------------------------


@pytest.mark.rule("ADV-062")
@pytest.mark.parametrize(
    ("start", "end"),
    [
        (b"A\x01", b"$\x00\x01"),
        (b'o"\x01a', b"{\x01"),
        (b";I\x02", b":\x02"),
        (b"'", b",\x01"),
        (b"rc", b"."),
        (b"\\\x01", b""),
        (b"a\x01I\x00", b"@\x01\x01"),
    ],
)
def test_no_nesting_is_too_deep(start, end):
    depth = 20_000
    found = decode(b"\xff\x0d" + start * depth + b"A\x00$\x00\x00" + end * depth)
    levels = 0
    while found != [] and levels < depth:
        levels += 1
        if isinstance(found, js.Error):
            found = found.cause
        elif isinstance(found, list):
            found = found[0]
        else:
            found = next(iter(found.values() if isinstance(found, js.Map | dict) else found))
    assert levels == (0 if start == b"\\\x01" else depth)


@pytest.mark.rule("ADV-062")
def test_a_frame_of_beginnings_alone_is_refused_before_it_takes_much_memory():
    """Each level takes half a kilobyte, for two bytes of the frame."""
    with pytest.raises(InvalidFrame, match=f"more than {read.DEEPEST} levels"):
        decode(b"\xff\x0d" + b"A\x01" * (read.DEEPEST + 1) + b"0")


@pytest.mark.rule("ADV-061")
@pytest.mark.parametrize(
    "text",
    [
        "'A' ffffff07",
        "22 ffffff07",
        "'B' ffffff07",
        "'Z' ffffff07",
        "5c 00 0a ffffff07",
        "'a' ffffffff0f 'I' 00 'T' 40 01 ffffffff0f",
    ],
)
def test_a_length_inside_of_a_frame_takes_no_memory(text):
    data = frame(text)
    tracemalloc.start()
    with contextlib.suppress(InvalidFrame):
        decode(data)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 50_000


def test_bytes_are_seen_in_place():
    data = frame("5c 00 08") + b"\x80\x80\x40" + bytes(1 << 20)
    tracemalloc.start()
    found = decode(data)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert len(found) == 1 << 17
    assert peak < 50_000
