"""Messages and dirty lines for property tests, and a form in which deep values can be compared.

A flat form is a list of tokens. Neither building it nor comparing it recurses.
"""

from __future__ import annotations

import math
import re
import struct
import sys
from collections import OrderedDict
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from enum import Enum, IntEnum, StrEnum
from typing import TYPE_CHECKING, Any, NamedTuple
from uuid import UUID

from hypothesis import strategies as st

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

# ---- flat forms ---------------------------------------------------------------------------------------


class _Token(str):
    """A finished token among values."""

    __slots__ = ()


def flat(value: object, scalar: Callable[[object], str]) -> list[str]:
    """Return the tokens of a value; members of objects stand in the order of their names."""
    tokens: list[str] = []
    todo: list[object] = [value]
    while todo:
        item = translate(todo.pop())
        if isinstance(item, _Token):
            tokens.append(item)
        elif isinstance(item, dict):
            # By UTF-16, because two spellings of a name are the same name to JavaScript: the later wins.
            members = {utf16(key): member for key, member in item.items()}
            todo.append(_Token("}"))
            for name in sorted(members, reverse=True):
                todo += [members[name], _Token(f"key {name}")]
            todo.append(_Token("{"))
        elif isinstance(item, list | tuple):
            todo += [_Token("]"), *reversed(item), _Token("[")]
        else:
            tokens.append(scalar(item))
    return tokens


def translate(value: Any) -> object:
    """Return the JSON value of an enum member or a UUID."""
    while isinstance(value, Enum) and not isinstance(value, str | int):
        value = value.value
    return str(value) if isinstance(value, UUID) else value


def utf16(text: str) -> str:
    return text.encode("utf-16-be", "surrogatepass").hex()


def python_scalar(value: object) -> str:
    """Tell apart all values that Python tells apart: int from float, -0.0 from 0.0."""
    return f"{type(value).__name__} {value!a}"


def javascript_scalar(value: object) -> str:
    """Tell apart the values that JavaScript tells apart, in the words of the script of test_json_node.py."""
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    if isinstance(value, str):
        return f"string {utf16(value)}"
    assert isinstance(value, int | float)
    return f"number {struct.pack('>d', value).hex()}"


def sent_scalar(value: object) -> str:
    """Do the same after `JSON.stringify`, which has no word for a number that is not finite."""
    unwritable = isinstance(value, float) and not math.isfinite(value)
    return "null" if unwritable else javascript_scalar(value)


# ---- messages -----------------------------------------------------------------------------------------


class Text(str):
    __slots__ = ()


class Count(int):
    pass


class Real(float):
    pass


class Items(list[Any]):
    pass


class Members(dict[str, Any]):
    pass


class Pair(NamedTuple):
    left: object
    right: object


class Level(IntEnum):
    LOW = 1


class Colour(StrEnum):
    RED = "red"


class Odd(Enum):
    NOTHING = None
    NESTED = (1, [Colour.RED, {"level": Level.LOW}])
    NOT_A_NUMBER = math.nan
    WEIRD = "\udc80"


@dataclass
class Record:
    field: int = 1


SAFE = 2**53 - 1
ODD_FLOATS = st.sampled_from([math.nan, math.inf, -math.inf, -0.0, 5e-324, 1e16, 1e-7, sys.float_info.max])
STRINGS = st.text(st.characters(exclude_categories=())) | st.sampled_from(
    ["\ud800", "\udc00\ud800", "\ud83d\ude00", "\U0001f600", "\ufeff", "\u2028\x7f", '\x00\x1f\n\r"\\/', "-0"]
)
SCALARS: st.SearchStrategy[Any] = (
    st.none()
    | st.booleans()
    | st.integers(-SAFE, SAFE)
    | st.floats(allow_nan=False, allow_infinity=False)
    | ODD_FLOATS
    | STRINGS
    | STRINGS.map(Text)
    | st.integers(-SAFE, SAFE).map(Count)
    | st.floats(allow_nan=False).map(Real)
    | st.sampled_from([Level.LOW, Colour.RED, *Odd])
    | st.uuids()
)


def containers(member: st.SearchStrategy[Any], keys: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    lists = st.lists(member, max_size=4)
    dicts = st.dictionaries(keys, member, max_size=4)
    return (
        lists
        | lists.map(tuple)
        | lists.map(Items)
        | st.builds(Pair, member, member)
        | dicts
        | dicts.map(Members)
        | dicts.map(OrderedDict)
    )


NAMES = STRINGS | STRINGS.map(Text) | st.just(Colour.RED)
MESSAGES = st.recursive(SCALARS, lambda member: containers(member, NAMES), max_leaves=8)

REFUSED_SCALARS: st.SearchStrategy[Any] = st.sampled_from(
    [
        b"",
        bytearray(),
        {1},
        frozenset(),
        Record(),
        datetime(2024, 1, 1, tzinfo=UTC),
        object(),
        1j,
        Decimal(1),
        iter([]),
    ]
)
UNSAFE_INTEGERS = st.integers(SAFE + 1, 2**70) | st.integers(-(2**70), -SAFE - 1)
"""Refused unless they are allowed."""
BAD_NAMES = NAMES | st.integers() | st.none() | st.floats() | st.booleans() | st.uuids() | st.just(Level.LOW)
MIXED_MESSAGES = st.recursive(
    SCALARS | REFUSED_SCALARS | UNSAFE_INTEGERS | UNSAFE_INTEGERS.map(Count),
    lambda member: containers(member, NAMES) | containers(member, BAD_NAMES),
    max_leaves=8,
)


def kinds(value: object) -> Iterator[str]:
    """Names of the parts of a message."""
    todo: list[Any] = [value]
    while todo:
        item = todo.pop()
        yield type(item).__name__
        if isinstance(item, str):
            yield from (f"str of {what}" for what, found in STRING_KINDS.items() if found(item))
        elif isinstance(item, int):
            yield from (f"int {what}" for what, found in INT_KINDS.items() if found(item))
        elif isinstance(item, float):
            yield from (f"float {what}" for what, found in FLOAT_KINDS.items() if found(item))
        elif isinstance(item, dict):
            yield from (f"key {type(key).__name__}" for key in item)
            todo += item.values()
        elif isinstance(item, list | tuple):
            todo += item
        elif item is not None and not isinstance(item, UUID | Enum):
            yield "no JSON"


STRING_KINDS: dict[str, Callable[[str], object]] = {
    "surrogates": re.compile("[\ud800-\udfff]").search,
    "control characters": re.compile("[\0-\x1f]").search,
    "characters beyond the BMP": re.compile("[\U00010000-\U0010ffff]").search,
    "nothing": lambda text: not text,
}
INT_KINDS: dict[str, Callable[[int], object]] = {
    "beyond 2**53": lambda number: abs(number) > SAFE,
    "beyond 2**63": lambda number: abs(number) > 2**63,
}
FLOAT_KINDS: dict[str, Callable[[float], object]] = {
    "nan": math.isnan,
    "infinite": math.isinf,
    "-0.0": lambda number: number == 0 and math.copysign(1, number) < 0,
    "beyond 2**64": lambda number: math.isfinite(number) and abs(number) > 2**64,
    "subnormal": lambda number: 0 < abs(number) < 2.2e-308,
    "with a fraction": lambda number: math.isfinite(number) and number % 1 != 0,
}

# ---- lines --------------------------------------------------------------------------------------------


def joined(*parts: st.SearchStrategy[bytes]) -> st.SearchStrategy[bytes]:
    return st.tuples(*parts).map(b"".join)


def digits(least: int, most: int) -> st.SearchStrategy[bytes]:
    return st.text("0123456789", min_size=least, max_size=most).map(str.encode)


EDGES = [
    0,
    1,
    SAFE,
    2**53,
    2**53 + 1,
    2**63 - 1,
    2**63,
    2**63 + 1,
    2**64 - 1,
    2**64,
    2**64 + 1,
    10**19,
    10**20,
]
EDGE_INTEGERS = (st.sampled_from(EDGES) | st.integers(2**63, 2**64 - 1)).map(
    lambda number: str(number).encode()
)
INTEGERS = (
    EDGE_INTEGERS
    | joined(st.sampled_from([bytes([digit]) for digit in b"123456789"]), digits(0, 25))
    | joined(st.just(b"1"), digits(300, 330))
)
FRACTIONS = st.just(b"") | joined(st.just(b"."), digits(1, 20))
EXPONENTS = st.just(b"") | joined(
    st.sampled_from([b"e", b"E", b"e+", b"e-", b"E-"]), digits(1, 2) | digits(3, 3)
)
SIGNS = st.sampled_from([b"", b"-"])
ODD_NUMBERS = st.sampled_from(
    [b"-0", b"-0.0", b"-0e1", b"0e1", b"-0E-1", b"1e400", b"-1e400", b"5e-324", b"2e-324", b"1" * 5000]
)
NUMBERS = joined(SIGNS, EDGE_INTEGERS) | joined(SIGNS, INTEGERS, FRACTIONS, EXPONENTS) | ODD_NUMBERS
ESCAPES = st.sampled_from(
    [rb"\n", rb"\/", rb"\"", rb"\\", rb"\u0000", rb"\u00e9", rb"\uD83D\uDe00"]
) | st.integers(0xD700, 0xE0FF).map(lambda unit: b"\\u%04x" % unit)
RAW = st.text(st.characters(exclude_characters='"\\', exclude_categories=["Cs", "Cc"]), max_size=5).map(
    str.encode
)
ODD_RAW = st.sampled_from(
    [
        b"-0",
        b" -0,",
        b"2024-01-01",
        "\x7f\u2028\ufeff".encode(),
        b"\xff\xfe",
        b"\xc0\x80",
        b"\xe2\x82",
        b"\xed\xa0\x80",
    ]
)
QUOTED = st.lists(ESCAPES | RAW | ODD_RAW, max_size=4).map(lambda pieces: b'"%s"' % b"".join(pieces))
BLANKS = st.sampled_from([b"", b"", b"", b" ", b"\t", b"\r", b" \r\t "])
NAMES_ON_THE_WIRE = QUOTED | st.sampled_from([b'"a"', b'"b"', b'"10"', b'"9"', b'"__proto__"', b'"\\u0061"'])


def composites(text: st.SearchStrategy[bytes]) -> st.SearchStrategy[bytes]:
    item = joined(BLANKS, text, BLANKS)
    member = joined(BLANKS, NAMES_ON_THE_WIRE, BLANKS, st.just(b":"), item)
    arrays = joined(st.just(b"["), st.lists(item, max_size=4).map(b",".join) | BLANKS, st.just(b"]"))
    objects = joined(st.just(b"{"), st.lists(member, max_size=4).map(b",".join) | BLANKS, st.just(b"}"))
    return arrays | objects


CONSTANTS = st.sampled_from([b"true", b"false", b"null"])
TEXTS = st.recursive(CONSTANTS | NUMBERS | QUOTED, composites, max_leaves=6)
DIRT = st.sampled_from(
    rb""", : [ ] { } " \ - + . 0 e ' // /**/ \x41 \u12 NaN Infinity -Infinity undefined True 0x1 1_0""".split(
        b" "
    )
) | st.sampled_from(
    [b"\0", b"\t", b"\x01", b"\x1f", b"\x0b", b"\x0c", b"\xff", b"\xf0\x9f"]
    + [text.encode() for text in ("\ufeff", "\xa0", "\u2028", "\u0663")]
)


@st.composite
def dirty(draw: st.DrawFn) -> bytes:
    """Draw a JSON text with up to three places replaced by fragments that may or may not fit there."""
    line = draw(joined(BLANKS, TEXTS, BLANKS))
    for _ in range(draw(st.integers(1, 3))):
        start = draw(st.integers(0, len(line)))
        end = min(len(line), start + draw(st.integers(0, 2)))
        line = line[:start] + draw(DIRT | st.just(b"")) + line[end:]
    return line.replace(b"\n", b"")


LINES = (
    joined(BLANKS, TEXTS, BLANKS) | dirty() | st.binary(max_size=6).map(lambda line: line.replace(b"\n", b""))
)
