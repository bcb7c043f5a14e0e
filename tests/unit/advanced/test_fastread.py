"""The fast reader: the answers of the definition, or none. Random values are in `tests/property/test_advanced.py`."""

from __future__ import annotations

import pytest

from nodechannel import js
from nodechannel._advanced import fastread
from nodechannel._advanced.encode import encode
from nodechannel._advanced.read import read

COMMON = [
    {}, [], {"a": {"b": [1, "x", None, True, False, 2.5, -0.0]}}, [js.undefined, {"é": "ü" * 200}], {"1": 2, "x": {"2": []}},
    list(range(-70, 300)), ["€uro", "a" * 70_000], {str(n): n for n in range(200)}, {"d": 1e300, "n": [[[]]]},
]  # fmt: skip


@pytest.mark.parametrize("value", COMMON, ids=lambda value: repr(value)[:20])
def test_common_values_are_those_of_the_definition(value):
    frame = encode(value)[4:]
    found = fastread.read(frame)
    assert repr(found) == repr(read(frame)) == repr(value)


@pytest.mark.parametrize("value", COMMON, ids=lambda value: repr(value)[:20])
def test_a_cut_frame_is_left_to_the_definition(value):
    frame = encode(value)[4:]
    for size in {*range(2, min(len(frame), 60)), len(frame) - 1}:
        with pytest.raises(fastread.FAILURES):
            fastread.read(frame[:size])


def test_a_reference_is_the_same_object():
    shared = [1]
    found = fastread.read(encode({"a": shared, "b": shared})[4:])
    assert found["a"] is found["b"]


@pytest.mark.parametrize(
    "value", [js.Map({1: 2}), {"a": js.SparseArray(3)}, js.Error("E", "m")], ids=["map", "holes", "error"]
)
def test_rare_values_are_left_to_the_definition(value):
    with pytest.raises(fastread.FAILURES):
        fastread.read(encode(value)[4:])


def test_a_long_frame_is_read_without_a_second_copy():
    frame = encode(["x" * fastread.LONGEST_TEXT, "yé"])[4:]
    assert fastread.read(frame) == ["x" * fastread.LONGEST_TEXT, "yé"]
    assert fastread.read(bytearray(frame))[1] == "yé"


def test_a_deep_value_is_left_to_the_definition():
    """A compiled build has no stack to spare, and no limit of Python's."""
    for depth in (600, 1_000_000):
        for opening, ending in ((b"A\x01", b"$\x00\x01"), (b'o"\x01a', b"{\x01")):
            with pytest.raises(fastread.FAILURES):
                fastread.read(b"\xff\x0d" + opening * depth + b"0" + ending * depth)
