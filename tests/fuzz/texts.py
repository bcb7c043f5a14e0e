"""JSON values, the many spellings of a value, and the names of the kinds that a text shows."""

from __future__ import annotations

import json
import math
import re
from typing import TYPE_CHECKING, Any, NamedTuple

from hypothesis import strategies as st

from channelkit.wire.values import UNDEFINED, parse

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

SAFE = 2**53 - 1
PREFIX = "NODE_"


def joined(text: str) -> str:
    """Two surrogates side by side are a single character for every reader of JSON."""
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "surrogatepass")


_ODD_TEXTS = [
    "", "\ud800", "a\udc00\ud800", "\U0001f600", "\ufeff", "\u2028\x7f", '\x00\x1f\n\r"\\/', "é€", "NODE_", "__proto__", "$",
]  # fmt: skip
TEXTS = (st.text(st.characters(exclude_categories=()), max_size=12) | st.sampled_from(_ODD_TEXTS)).map(joined)
NAMES = st.sampled_from(["a", "b", "cmd", "", "1", "__proto__", "$", "\ud83d\ude00", "toString"]) | TEXTS
NUMBERS: st.SearchStrategy[float] = (
    st.integers(-1000, 1000)
    | st.integers(-SAFE, SAFE)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.sampled_from([0, -0.0, 5e-324, 1e21, 1e-7, 1.7976931348623157e308, SAFE, -SAFE, 2**31, 2**32, 0.1])
)
SCALARS = st.sampled_from([None, True, False]) | NUMBERS | TEXTS
VALUES: st.SearchStrategy[Any] = st.recursive(
    SCALARS,
    lambda member: st.lists(member, max_size=4) | st.dictionaries(NAMES, member, max_size=4),
    max_leaves=8,
)


ODD: list[Any] = [
    -0.0,
    [-0.0],
    5e-324,
    1e21,
    SAFE,
    "",
    "\ud800",
    {"": ""},
    {"$": 1, "a": 2},
    {"__proto__": [1]},
    [[]],
    {"1": 0},
]
"""Values at the top of a message that get lost easily."""


class Style(NamedTuple):
    """How a value is spelled."""

    blank: str = ""
    """Between tokens and around the text."""
    escapes: str = "few"
    """``few``, ``ascii``, ``all`` or ``solidus``."""
    numbers: str = "plain"
    """``plain`` or ``exponent``."""
    twice: bool = False
    """Each member of an object stands there twice, first with a different value."""


PLAIN = Style()
STYLES = st.just(PLAIN) | st.builds(
    Style,
    st.sampled_from(["", " ", "\t", "\r", " \t\r "]),
    st.sampled_from(["few", "ascii", "all", "solidus"]),
    st.sampled_from(["plain", "exponent"]),
    st.booleans(),
)


def spell(value: Any, style: Style = PLAIN) -> str:
    """Return a JSON text of a value."""
    blank = style.blank
    return f"{blank}{_spell(value, style)}{blank}"


def _spell(value: Any, style: Style) -> str:
    blank = style.blank
    if isinstance(value, str):
        return _string(value, style.escapes)
    if isinstance(value, dict):
        members = [
            f"{_string(name, style.escapes)}{blank}:{blank}{_spell(one, style)}"
            for name, one in value.items()
        ]
        if style.twice:
            members = [f"{_string(name, style.escapes)}{blank}:{blank}0" for name in value] + members
        return "{" + blank + f"{blank},{blank}".join(members) + blank + "}"
    if isinstance(value, list):
        return "[" + blank + f"{blank},{blank}".join(_spell(one, style) for one in value) + blank + "]"
    if isinstance(value, bool) or value is None:
        return {None: "null", True: "true", False: "false"}[value]
    return _number(value, style.numbers)


_SURROGATE = re.compile("[\ud800-\udfff]")


def _string(text: str, escapes: str) -> str:
    if escapes == "all":
        units = text.encode("utf-16-be", "surrogatepass")
        return '"' + "".join(f"\\u{units[at : at + 2].hex().upper()}" for at in range(0, len(units), 2)) + '"'
    spelled = json.dumps(text, ensure_ascii=escapes == "ascii")
    if escapes == "solidus":
        spelled = spelled.replace("/", "\\/")
    return _SURROGATE.sub(lambda found: f"\\u{ord(found[0]):04x}", spelled)


def _number(value: float, how: str) -> str:
    if how == "exponent" and isinstance(value, int):
        return f"{value}E+0"
    return repr(value)


# ---- the reading of a text --------------------------------------------------------------------------------


def read(line: bytes) -> tuple[bool, Any]:
    """Whether a line is a message, and which value it has; this is JSON.parse, not the reference."""
    try:
        return True, parse(line.decode("utf-8", "replace"))
    except ValueError:
        return False, None


def is_internal(value: Any) -> bool:
    """Whether a receiver takes a value for a message of the channel itself ([CLS-001])."""
    cmd = value.get("cmd") if isinstance(value, dict) else None
    return isinstance(cmd, str) and cmd.startswith(PREFIX) and cmd != PREFIX


def tagged(value: Any) -> Any:
    """Return a value as case files write it."""
    if isinstance(value, list):
        return [tagged(member) for member in value]
    if isinstance(value, dict):
        members = {joined(name): tagged(member) for name, member in value.items()}
        return {"$": "object", "v": [list(pair) for pair in members.items()]} if "$" in members else members
    if isinstance(value, str):
        return joined(value)
    if isinstance(value, float):
        if math.isinf(value):
            return {"$": "number", "v": "Infinity" if value > 0 else "-Infinity"}
        if value == 0 and math.copysign(1, value) < 0:
            return {"$": "number", "v": "-0"}
        if value.is_integer() and abs(value) <= SAFE:
            return int(value)
    assert value is not UNDEFINED
    return value


# ---- kinds ------------------------------------------------------------------------------------------------

_TEXT_KINDS: dict[str, Callable[[str], object]] = {
    "empty text": lambda text: text == "",
    "ASCII text": lambda text: text.isascii() and text != "",
    "control characters": re.compile("[\0-\x1f]").search,
    "quotes and backslashes": re.compile(r'["\\]').search,
    "two bytes a character": re.compile("[\x80-\u07ff]").search,
    "three bytes a character": re.compile("[\u0800-\ud7ff\ue000-\uffff]").search,
    "four bytes a character": re.compile("[\U00010000-\U0010ffff]").search,
    "lone surrogates": _SURROGATE.search,
    "line separators": re.compile("[\u2028\u2029]").search,
}
_NUMBER_KINDS: dict[str, Callable[[float], object]] = {
    "zero": lambda number: number == 0 and math.copysign(1, number) > 0,
    "minus zero": lambda number: number == 0 and math.copysign(1, number) < 0,
    "integer": lambda number: math.isfinite(number) and number == int(number) and 0 < abs(number) <= SAFE,
    "beyond 2**53": lambda number: abs(number) > SAFE,
    "fraction": lambda number: math.isfinite(number) and number != int(number),
    "denormal": lambda number: 0 < abs(number) < 2.3e-308,
    "negative": lambda number: number < 0,
}
_NAME_KINDS = {
    "": "empty name",
    "__proto__": "__proto__",
    "$": "dollar",
    "cmd": "cmd",
    "1": "number as a name",
}
VALUE_KINDS = frozenset(
    [*_TEXT_KINDS, *_NUMBER_KINDS, *_NAME_KINDS.values(), "null", "true", "false",
     "empty array", "array", "empty object", "object", "nested"]
)  # fmt: skip
SPELLING_KINDS = frozenset(["blanks", "escapes", "exponent", "duplicate members"])


def value_kinds(value: Any) -> Iterator[str]:
    """Names of the parts of a value."""
    todo = [(value, 0)]
    while todo:
        item, depth = todo.pop()
        if depth > 1:
            yield "nested"
        if isinstance(item, str):
            yield from (kind for kind, found in _TEXT_KINDS.items() if found(item))
        elif isinstance(item, list):
            yield "array" if item else "empty array"
            todo += [(member, depth + 1) for member in item]
        elif isinstance(item, dict):
            yield "object" if item else "empty object"
            yield from (_NAME_KINDS[name] for name in item if name in _NAME_KINDS)
            todo += [(member, depth + 1) for member in item.values()]
        elif item is None or isinstance(item, bool):
            yield spell(item)
        else:
            yield from (kind for kind, found in _NUMBER_KINDS.items() if found(float(item)))


def spelling_kinds(style: Style) -> Iterator[str]:
    """Names of the unusual parts of a style."""
    if style.blank:
        yield "blanks"
    if style.escapes != "few":
        yield "escapes"
    if style.numbers != "plain":
        yield "exponent"
    if style.twice:
        yield "duplicate members"
