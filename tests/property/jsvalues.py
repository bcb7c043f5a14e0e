"""Values of advanced mode for Hypothesis: Python's own, those of `nodechannel.js`, graphs of them, and broken frames."""

from __future__ import annotations

import datetime as dt
from typing import Any

from hypothesis import strategies as st

from nodechannel import js
from support.advanced import spec_frames

HEADER = b"\xff\x0d"

TEXTS = (
    st.text()
    | st.text(st.characters(max_codepoint=255))
    | st.text(st.characters(categories=["Cs", "L"]), max_size=5)
)
NUMBERS = st.integers(-(2**53) + 1, 2**53 - 1) | st.integers(-70, 1100) | st.floats(allow_nan=False)
BIGINTS = st.integers(-(2**200), 2**200).map(js.BigInt)
PRIMITIVES = st.none() | st.booleans() | NUMBERS | TEXTS | BIGINTS | st.just(js.undefined)
DATES = st.datetimes(timezones=st.just(dt.UTC)).map(
    lambda moment: moment.replace(microsecond=moment.microsecond // 1000 * 1000, fold=0)
)
NAMES = (
    st.text(max_size=6)
    | st.integers(0, 2**32).map(str)
    | st.sampled_from(["__proto__", "length", "constructor", "toString", "-0", "01"])
)
ERRORS = st.builds(js.Error, st.sampled_from(js.ERROR_NAMES), st.none() | TEXTS, st.none() | TEXTS)
# A Node older than 24 has no Float16Array.
VIEWS = st.builds(
    js.TypedArray,
    st.sampled_from([kind for kind in js.KINDS if kind != "Float16Array"]),
    st.binary(max_size=4).map(lambda data: data * 8),
)
OBJECTS = st.one_of(
    DATES,
    st.integers(253402300800000, 8_640_000_000_000_000).map(js.Date),
    st.builds(
        js.RegExp, st.sampled_from(["a", "\u20ac+", "(?:)", "[/\\n]"]), st.sampled_from(["", "g", "gimsuy"])
    ),
    st.builds(js.Boxed, st.booleans() | NUMBERS | TEXTS | BIGINTS),
    ERRORS,
    VIEWS,
    st.binary(max_size=300),
    st.binary(max_size=9).map(js.ArrayBuffer),
)
# Members that keep their type and value in a set of Python.
MEMBERS = st.none() | TEXTS | st.integers(2, 1000)


def _containers(children: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    pairs = st.lists(st.tuples(children, children), max_size=4)
    names = st.dictionaries(NAMES, children, max_size=5)
    properties = st.dictionaries(st.sampled_from(["x", "index", "\u20ac"]), children, min_size=1, max_size=2)
    sparse = st.dictionaries(st.integers(0, 20), children, max_size=4)
    return st.one_of(
        st.lists(children, max_size=5),
        names,
        pairs.map(js.Map),
        st.sets(MEMBERS, max_size=4),
        st.lists(children, max_size=4).map(lambda members: js.Set([[], *members])),
        st.builds(js.Array, st.lists(children, max_size=3), properties),
        st.builds(lambda elements: js.SparseArray(30, elements), sparse),
        st.builds(
            lambda error, cause: js.Error(error.name, error.message, error.stack, cause), ERRORS, children
        ),
    )


@st.composite
def _shared(draw: Any) -> Any:
    """A graph: some object stands in several places, or in itself."""
    one = draw(st.recursive(OBJECTS, _containers, max_leaves=4))
    cycle: list[Any] = [one, draw(PRIMITIVES), one]
    if draw(st.booleans()):
        cycle.append(cycle)
    return {"graph": cycle, "again": cycle, "one": one}


VALUES = st.recursive(PRIMITIVES | OBJECTS, _containers, max_leaves=15)
MESSAGES = VALUES | _shared()


def shape(value: Any) -> Any:
    """Return a value that is equal for two values only if they are the same in type, order, and identity of their objects."""
    seen: dict[int, int] = {}
    kept = []

    def of(part: Any) -> Any:
        kind = type(part)
        if part is None or kind in (bool, str, js.BigInt, js.Undefined):
            return kind, part
        if kind in (int, float):
            return "number", repr(float(part))
        if id(part) in seen:
            return "seen", seen[id(part)]
        seen[id(part)] = len(seen)
        kept.append(part)
        return kind, [of(inner) for inner in _parts(part)] or repr(part)

    return of(value)


def _parts(value: Any) -> list[Any]:
    if isinstance(value, js.Array):
        return [*value, *_flat(value.properties), "properties"]
    if isinstance(value, js.SparseArray):
        return [value.length, *_flat(value.elements), *_flat(value.properties)]
    if isinstance(value, js.Map):
        return _flat(dict(enumerate(value.pairs()))) and [part for pair in value.pairs() for part in pair]
    if isinstance(value, js.Error):
        return [value.name, value.message, value.stack, "none" if value.cause is js.NO_CAUSE else value.cause]
    if isinstance(value, js.Boxed):
        return [value.value]
    if isinstance(value, set):
        return sorted(value, key=lambda part: repr(float(part) if type(part) is int else part))
    if isinstance(value, dict):
        return _flat(value)
    return list(value) if isinstance(value, list | js.Set) else []


def _flat(members: dict[Any, Any]) -> list[Any]:
    return [part for pair in sorted(members.items(), key=lambda pair: str(pair[0])) for part in pair]


_GOOD = [HEADER + frame.body for frame in spec_frames()]
_TAGS = b"_0TFIUNZ\"cSo{A$a@-;:',DRnszyx^B~V\\rm.?\x00\x01\x02\x03"


@st.composite
def broken_frames(draw: Any) -> bytes:
    """A frame of the spec after a few accidents."""
    found = bytearray(draw(st.sampled_from(_GOOD)))
    for _ in range(draw(st.integers(1, 3))):
        at = draw(st.integers(2, len(found)))
        accident = draw(st.integers(0, 3))
        if accident == 0:
            found[at : at + 1] = draw(st.binary(min_size=1, max_size=1))
        elif accident == 1:
            found[at:at] = bytes([draw(st.sampled_from(_TAGS))])
        elif accident == 2:
            del found[at : at + draw(st.integers(1, 3))]
        else:
            found[at:at] = draw(st.sampled_from(_GOOD))[2:]
    return bytes(found)
