"""Values, their tags and their equality."""

from __future__ import annotations

import json
import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from channelkit.wire.compare import contains, equal
from channelkit.wire.values import UNDEFINED, _parse_deep, compact, parse, show, untag

JSON = st.recursive(
    st.none() | st.booleans() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


@given(JSON)
def test_both_parsers_agree(value: Any) -> None:
    text = json.dumps(value)
    assert equal(parse(text), value)
    assert equal(_parse_deep(text), value)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[",
        "]",
        "[1,]",
        "{,}",
        '{"a"}',
        '{"a":}',
        "1 2",
        "[1}",
        "nul",
        "'a'",
        '"\t"',
        "01",
        "[,1]",
        '{"a":1,}',
    ],
)
def test_both_parsers_refuse(text: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 (the texts differ between the two)
        parse(text)
    with pytest.raises(ValueError):  # noqa: PT011
        _parse_deep(text)


@pytest.mark.parametrize("word", ["NaN", "Infinity", "-Infinity"])
def test_what_json_cannot_say_is_refused(word: str) -> None:
    with pytest.raises(ValueError, match="not JSON"):
        parse(word)


def test_depth_is_no_obstacle() -> None:
    depth = 100_000
    deep = parse("[" * depth + "]" * depth)
    assert equal(deep, untag({"$": "nested", "depth": depth}, large=True))
    assert not equal(deep, untag({"$": "nested", "depth": depth - 1}, large=True))
    assert "too deep" in show(deep)


@pytest.mark.parametrize(
    ("left", "right"),
    [
        (1, 1.0),
        (2**53 + 1, float(2**53)),
        (10**400, math.inf),
        (math.nan, math.nan),
        ({"a": 1, "b": 2}, {"b": 2.0, "a": 1}),
    ],
)
def test_equal(left: Any, right: Any) -> None:
    assert equal(left, right)


@pytest.mark.parametrize(
    ("left", "right"),
    [
        (0.0, -0.0),
        (1, True),
        (0, False),
        (None, UNDEFINED),
        ("1", 1),
        ([1], [1, 2]),
        ({"a": 1}, {"a": 1, "b": 2}),
        ({}, []),
    ],
)
def test_not_equal(left: Any, right: Any) -> None:
    assert not equal(left, right)


def test_contains_ignores_members_that_are_not_named_at_every_depth() -> None:
    assert contains({"a": {"b": 1}}, {"a": {"b": 1, "c": 2}, "d": 3})
    assert not contains({"a": [1]}, {"a": [1, 2]})


def test_tags() -> None:
    tagged = [
        {"$": "number", "v": "-0"},
        {"$": "undefined"},
        {"$": "object", "v": [["$", {"$": "number", "v": "NaN"}]]},
    ]
    zero, nothing, plain = untag(tagged)
    assert math.copysign(1, zero) == -1
    assert nothing is UNDEFINED
    assert equal(plain, {"$": math.nan})
    with pytest.raises(ValueError, match="unknown tag"):
        untag({"$": "repeat", "s": "a", "times": 2})


def test_minus_zero_survives_parsing() -> None:
    assert equal(parse("-0"), -0.0)


def test_lone_surrogates_are_escaped_and_others_are_not() -> None:
    assert compact("é\ud800") == b'"\xc3\xa9\\ud800"'
