"""The fast writer: the frames of the definition, or none. Random values are in `tests/property/test_advanced.py`."""

from __future__ import annotations

import pytest

from nodechannel import js
from nodechannel._advanced import fastwrite
from nodechannel._advanced.write import write

COMMON = [
    {}, [], None, "a", 5, {"a": {"b": [1, "x", None, True, False, 2.5, -0.0]}}, [{"é": "ü" * 200}], {"1": 2, "x": {"2": []}},
    list(range(-70, 1100)), ["€uro", "a" * 70_000], {str(n): n for n in range(200)}, {"d": 1e300, "n": [[[]]], "i": 2**40},
]  # fmt: skip


@pytest.mark.parametrize("value", COMMON, ids=lambda value: repr(value)[:20])
def test_common_values_give_the_frames_of_the_definition(value):
    assert fastwrite.write(value) == write(value)


def nested(depth: int) -> list[object]:
    found: list[object] = []
    for _ in range(depth):
        found = [found]
    return found


def test_a_second_mention_is_a_reference():
    shared = [1]
    value = {"a": shared, "b": [shared]}
    assert fastwrite.write(value) == write(value)
    assert fastwrite.write(value).count(b"^") == 1


@pytest.mark.parametrize(
    "value", [js.Map({1: 2}), {"a": object()}, {1: 2}, nested(1000)], ids=["map", "object", "number", "deep"]
)
def test_rare_values_are_left_to_the_definition(value):
    with pytest.raises(fastwrite.FAILURES):
        fastwrite.write(value)


def test_the_memory_of_names_has_a_limit():
    for number in range(3 * fastwrite._MOST_NAMES):
        fastwrite.write({f"name{number}": 1})
    assert len(fastwrite._NAMES) <= fastwrite._MOST_NAMES
    assert fastwrite.write({"another": 1}) == write({"another": 1})
