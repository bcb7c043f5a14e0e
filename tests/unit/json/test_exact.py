"""Each value of a line: the definition, `nodechannel._json.exact`. The fast path gives the same answers, so each test runs on both."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import pytest

from nodechannel.errors import InvalidJson

if TYPE_CHECKING:
    from collections.abc import Callable

    Decode = Callable[[bytes], Any]
    Encode = Callable[..., bytes]


@pytest.mark.parametrize(
    ("line", "value"),
    [
        (b"null", None),
        (b"true", True),
        (b"false", False),
        (b"0", 0),
        (b'""', ""),
        (b"[]", []),
        (b"{}", {}),
        (b'{"a":[1,{"b":null}]}', {"a": [1, {"b": None}]}),
        (b'  {"a" : 1}\t\r', {"a": 1}),
        (b"-0", -0.0),
        (b"-0.0", -0.0),
        (b"[-0]", [-0.0]),
        (b'{"a":-0 }', {"a": -0.0}),
        (b'["2024-01-01",-0.5]', ["2024-01-01", -0.5]),
        (b'"-0"', "-0"),
        (b'[": -0"]', [": -0"]),
        (b"1e2", 100.0),
        (b"1E+2", 100.0),
        (b"5e-324", 5e-324),
        (b"1e-400", 0.0),
        (b"1e400", math.inf),
        (b"-1e400", -math.inf),
        (b"9007199254740993", 9007199254740993),
        (b"9223372036854775808", 2**63),
        (b"18446744073709551615", 2**64 - 1),
        (b"18446744073709551616", 2.0**64),
        (b"99999999999999999999", 1e20),
        (b"-9223372036854775808", -(2**63)),
        (b"-9223372036854775809", -(2.0**63)),
        (b"1" * 400, math.inf),
        (b"-" + b"1" * 5000, -math.inf),
        (rb'"\ud800"', "\ud800"),
        (rb'"\udc00\ud800"', "\udc00\ud800"),
        (rb'"\ud83d\ude00"', "\U0001f600"),
        (rb'{"\ud800":1}', {"\ud800": 1}),
        (rb'"\"\\\/\b\f\n\r\t\u0000\u00E9"', '"\\/\b\f\n\r\t\0é'),
        ('"\x7f\u2028\u2029\ufeff"'.encode(), "\x7f\u2028\u2029\ufeff"),
        (b'"\xff\xfe"', "\ufffd\ufffd"),
        (b'"\xc0\x80"', "\ufffd\ufffd"),
        (b'"\xed\xa0\x80"', "\ufffd\ufffd\ufffd"),
        (b'"\xe2\x82"', "\ufffd"),
        (b'{"a":1,"b":2,"a":3}', {"a": 3, "b": 2}),
        (b'{"__proto__":{"x":1},"constructor":2}', {"__proto__": {"x": 1}, "constructor": 2}),
    ],
    ids=lambda part: repr(part)[:40],
)
def test_a_line_means(decode: Decode, line: bytes, value: object) -> None:
    found = decode(line)
    # repr tells int from float and -0.0 from 0.0, which == does not.
    assert repr(found) == repr(value)


@pytest.mark.parametrize(
    "line",
    [
        b"",
        b" ",
        b"\t\r",
        b"\xef\xbb\xbf{}",
        b"\xfe\xff\x00{\x00}",
        b"{\x00}\x00",
        b"1\x00",
        b"\x001",
        b"\xc2\xa01",
    ]
    + [
        b"NaN",
        b"[Infinity]",
        b"-Infinity",
        b"undefined",
        b"True",
        b"nul",
        b"truee",
        b"'a'",
        b"{a:1}",
        b"{1:1}",
    ]
    + [b"01", b"-01", b"+1", b".5", b"5.", b"1.e1", b"1e", b"1e+", b"-", b"--1", b"0x10", b"1_0", b"- 1"]
    + [
        "\u0661".encode(),
        b"1 2",
        b"[1,]",
        b"[,1]",
        b"[1 2]",
        b'{"a":1,}',
        b'{"a"}',
        b'{"a":}',
        b'{"a" 1}',
        b"{,}",
    ]
    + [
        b"[",
        b"]",
        b"{",
        b"}",
        b'{"a":1',
        b"[1",
        b'"',
        b'"a',
        b'"\\',
        b'"\\u12"',
        rb'"\x41"',
        rb'"\u00 1"',
        b"[]]",
    ]
    + [b'"\x00"', b'"\x01"', b'"\x1f"', b'"\t"', b'"\r"', b'"a\nb"', b"/**/1", b"1//", b"\x0b1", b"\x0c1"]
    + [
        b"[" * 5000,
        b'{"a":' * 5000,
        b"[" * 5000 + b"]" * 4999,
        b"[" * 5000 + b"]" * 5001,
        b"[" * 5000 + b"]" * 4999 + b"}",
    ]
    + [
        b"[" * 5000 + inner + b"]" * 5000
        for inner in (
            b"NaN",
            b"01",
            b"1,",
            b"1 22",
            b'{xa":1}',
            b"trux",
            b'"\t"',
            b'{"a":1,}',
            b"{1:2}",
            b'{"a" 1}',
            b"tru",
        )
    ],
    ids=lambda line: repr(line)[:40],
)
@pytest.mark.rule("JSN-030")
def test_a_line_that_is_not_json_is_refused_whole(decode: Decode, line: bytes) -> None:
    with pytest.raises(InvalidJson) as caught:
        decode(line)
    assert caught.value.line == line


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b"", "it is blank"),
        (b" \r", "it is blank"),
        (b"[NaN]", "NaN is not JSON"),
        (b"[1,x]", "Expecting value (character 3)"),
        (b"[" * 3000 + b"x", "Expecting value (character 3000)"),
        (b"1 2", "Extra data (character 2)"),
    ],
    ids=lambda part: repr(part)[:20],
)
def test_the_error_says_what_is_wrong_and_where(decode: Decode, line: bytes, reason: str) -> None:
    with pytest.raises(InvalidJson, match="the peer sent a line that is not JSON: ") as caught:
        decode(line)
    assert reason in str(caught.value)


DEEP = 100_000
"""Levels of the arrays. The other forms have a quarter, which is twenty-five times what Python lets a function call itself."""
LESS = DEEP // 4


def depth_of(value: Any) -> int:
    """Number of containers around the value inside."""
    depth = 0
    while isinstance(value, dict | list):
        (value,) = value.values() if isinstance(value, dict) else value
        depth += 1
    return depth


@pytest.mark.parametrize(
    ("line", "depth"),
    [
        (b"[" * DEEP + b"1" + b"]" * DEEP, DEEP),
        (b'{"a":' * LESS + b'"x"' + b"}" * LESS, LESS),
        (b' [ { "a" :\t' * (LESS // 2) + b"null" + b"\r} ]" * (LESS // 2), LESS),
    ],
    ids=["arrays", "objects", "both with blanks"],
)
@pytest.mark.rule("JSN-029")
def test_nesting_has_no_limit(decode: Decode, encode: Encode, line: bytes, depth: int) -> None:
    value = decode(line)
    assert depth_of(value) == depth
    compact = line.translate(None, b" \t\r")
    assert encode(value) == compact + b"\n"


def test_deep_values_keep_all_their_members(decode: Decode, encode: Encode) -> None:
    start, end = b'[0,{"a":true,"b":[],"c":{},"d":', b',"e":"\\u20ac"},-0.5]'
    line = start * 2000 + b"1e400" + end * 2000
    value = decode(line)
    for _ in range(2000):
        zero, members, half = value
        assert (zero, half) == (0, -0.5)
        value = members.pop("d")
        assert members == {"a": True, "b": [], "c": {}, "e": "\N{EURO SIGN}"}
    assert value == math.inf
