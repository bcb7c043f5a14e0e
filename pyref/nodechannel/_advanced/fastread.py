"""The same answers as `nodechannel._advanced.read`, sooner: objects and dense arrays of common values, by recursion.

A rare value raises, and the definition reads the frame from its start. So this module need not say why a frame is bad.
"""

from __future__ import annotations

import struct

from nodechannel import js
from nodechannel._advanced import tags
from nodechannel._advanced.malformed import Malformed
from nodechannel._advanced.names import name_of
from nodechannel._advanced.readleaves import LEAVES, number, skip_padding, string, unpack_double, varint

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from nodechannel._advanced.readleaves import Frame


class Rare(Exception):
    """The frame holds a value that only the definition reads."""


# The exceptions of reading: also where the frame is cut off, and where it is nested too deep for Python's stack.
FAILURES = (Rare, Malformed, IndexError, KeyError, struct.error, RecursionError)

_LATIN1, _INT32, _DOUBLE = tags.LATIN1, tags.INT32, tags.DOUBLE
_OBJECT, _OBJECT_END, _DENSE, _DENSE_END = tags.OBJECT, tags.OBJECT_END, tags.DENSE, tags.DENSE_END
# The integers of a single byte.
_INTEGERS = [(value >> 1) ^ -(value & 1) for value in range(128)]

_CONSTANTS = {tags.NULL: None, tags.TRUE: True, tags.FALSE: False, tags.UNDEFINED: js.undefined}

# Up to this length the strings of a frame are cut out of one text; of a longer frame no second copy is made.
LONGEST_TEXT = 1 << 16
# A compiled build has no limit of its own.
_DEEPEST = 500


def read(frame: Frame) -> Any:
    """Return the value of a frame whose header is good; raises one of `FAILURES`."""
    text = str(frame, "latin-1") if len(frame) <= LONGEST_TEXT else None
    tag = frame[2]
    if tag == _OBJECT:
        return _object(frame, frame, 3, [], text, 0)[0]
    if tag == _DENSE:
        return _array(frame, frame, 3, [], text, 0)[0]
    return _LEAVES[tag](frame, 3, [])[0]


# `data` is the frame once more: a compiled build knows it as an array of bytes.


def _object(
    frame: Frame, data: Frame, at: int, objects: list[Any], text: str | None, depth: int
) -> tuple[dict[str, Any], int]:
    if depth > _DEEPEST:
        raise Rare
    found: dict[str, Any] = {}
    objects.append(found)
    count = 0
    while True:
        tag = data[at]
        if tag == _LATIN1 and (size := data[at + 1]) < 128:
            end = at + 2 + size
            name = text[at + 2 : end] if text is not None else _cut(frame, at + 2, end)
        elif tag == _OBJECT_END:
            if count < 128 and data[at + 1] == count == len(found):
                return found, at + 2
            return found, _end(frame, at + 1, count, len(found))
        else:
            name, end = _name(frame, at, objects)
        count += 1
        tag = data[end]
        if tag == _LATIN1 and (size := data[end + 1]) < 128:
            at = end + 2 + size
            found[name] = text[end + 2 : at] if text is not None else _cut(frame, end + 2, at)
        elif tag == _INT32 and (size := data[end + 1]) < 128:
            found[name] = _INTEGERS[size]
            at = end + 2
        elif tag in _CONSTANTS:
            found[name] = _CONSTANTS[tag]
            at = end + 1
        elif tag == _OBJECT:
            found[name], at = _object(frame, data, end + 1, objects, text, depth + 1)
        elif tag == _DOUBLE:
            value = unpack_double(frame, end + 1)[0]
            found[name] = value if value % 1 else number(value)
            at = end + 9
        elif tag == _DENSE:
            found[name], at = _array(frame, data, end + 1, objects, text, depth + 1)
        else:
            found[name], at = _LEAVES[tag](frame, end + 1, objects)


def _array(
    frame: Frame, data: Frame, at: int, objects: list[Any], text: str | None, depth: int
) -> tuple[list[Any], int]:
    if depth > _DEEPEST:
        raise Rare
    length = data[at]
    if length < 128:
        at += 1
    else:
        length, at = varint(frame, at)
    found: list[Any] = []
    objects.append(found)
    for _ in range(length):
        tag = data[at]
        if tag == _LATIN1 and (size := data[at + 1]) < 128:
            start = at + 2
            at = start + size
            found.append(text[start:at] if text is not None else _cut(frame, start, at))
        elif tag == _INT32 and (size := data[at + 1]) < 128:
            found.append(_INTEGERS[size])
            at += 2
        elif tag == _DOUBLE:
            value = unpack_double(frame, at + 1)[0]
            found.append(value if value % 1 else number(value))
            at += 9
        elif tag == _OBJECT:
            value, at = _object(frame, data, at + 1, objects, text, depth + 1)
            found.append(value)
        elif tag == _DENSE:
            value, at = _array(frame, data, at + 1, objects, text, depth + 1)
            found.append(value)
        else:
            value, at = _LEAVES[tag](frame, at + 1, objects)
            found.append(value)
    if data[at] != _DENSE_END or data[at + 1]:
        raise Rare
    if length < 128 and data[at + 2] == length:
        return found, at + 3
    return found, _end(frame, at + 2, length, length)


def _cut(frame: Frame, start: int, end: int) -> str:
    return frame[start:end].decode("latin-1")


def _end(frame: Frame, at: int, count: int, distinct: int) -> int:
    """Return the position after the count of a container, which has to be right."""
    counted, at = varint(frame, at)
    if counted != count or count != distinct:
        raise Rare
    return at


def _name(frame: Frame, at: int, objects: list[Any]) -> tuple[str, int]:
    """Read a name that is long, a number, or of two-byte characters."""
    tag = frame[at]
    if tag in (_INT32, _DOUBLE):
        value, at = LEAVES[tag](frame, at + 1, objects)
        return name_of(value), at
    return string(frame, at)


def _padded(frame: Frame, at: int, objects: list[Any]) -> tuple[Any, int]:
    at = skip_padding(frame, at)
    return LEAVES[frame[at]](frame, at + 1, objects)


def _reference(frame: Frame, at: int, objects: list[Any]) -> tuple[Any, int]:
    number, at = varint(frame, at)
    return objects[number], at


_LEAVES = {**LEAVES, tags.PADDING: _padded, tags.REFERENCE: _reference}
