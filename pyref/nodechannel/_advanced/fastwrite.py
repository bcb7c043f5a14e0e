"""The same frames as `nodechannel._advanced.write`, sooner: dicts and lists of common values, by recursion.

A rare value raises, and the definition writes the message from its start. So this module need not say why a message is refused.
"""

from __future__ import annotations

from nodechannel._advanced import tags
from nodechannel._advanced.output import FrameTooLong, Output
from nodechannel._advanced.writeleaves import (
    LEAVES,
    PRIMITIVES,
    Refused,
    integer,
    name,
    pack_double,
    string,
    tag,
    varint,
    wide_string,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


class Rare(Exception):
    """The message holds a value that only the definition writes."""


# The exceptions of writing; RuntimeError where another thread changes a dict meanwhile.
FAILURES = (Rare, Refused, FrameTooLong, RecursionError, RuntimeError)

_DEEPEST = 500
_SHORT = 128
_DOUBLE = tags.DOUBLE
_STRING_HEADS = [tag(tags.LATIN1) + varint(size) for size in range(_SHORT)]
_INTEGERS = {value: tag(tags.INT32) + varint(value << 1) for value in range(1024)}
_TRUE, _FALSE, _NULL = tag(tags.TRUE), tag(tags.FALSE), tag(tags.NULL)
_OBJECT, _OBJECT_ENDS = tag(tags.OBJECT), [tag(tags.OBJECT_END) + varint(count) for count in range(_SHORT)]
_DENSE_HEADS = [tag(tags.DENSE) + varint(length) for length in range(_SHORT)]
_DENSE_ENDS = [tag(tags.DENSE_END) + varint(0) + varint(length) for length in range(_SHORT)]

# Names as they are written. The same few come in every message.
_NAMES: dict[str, bytes] = {}
_MOST_NAMES, _LONGEST_NAME = 1024, 64


def write(message: object) -> bytes:
    """Return the frame of a message; raises one of `FAILURES`."""
    out = Output()
    kind = type(message)
    if kind is dict:
        _object(out, message, 0)  # type: ignore[arg-type]
    elif kind is list:
        _array(out, message, 0)  # type: ignore[arg-type]
    else:
        _other(out, message)
    return out.frame()


def _object(out: Output, value: dict[str, Any], depth: int) -> None:
    numbers = out.numbers
    if depth > _DEEPEST:
        raise Rare
    numbers[id(value)] = len(numbers)
    parts, known, integers = out.parts, _NAMES, _INTEGERS
    parts.append(_OBJECT)
    count = 0
    for key, member in value.items():
        encoded = known.get(key)
        if encoded is None:
            _name(out, key)
        else:
            parts.append(encoded)
        count += 1
        kind = type(member)
        if kind is str:
            text: str = member
            size = len(text)
            if size < _SHORT and text.isascii():
                parts.append(_STRING_HEADS[size])
                parts.append(text.encode())
            else:
                _string(out, text)
        elif kind is int:
            encoded = integers.get(member)
            if encoded is None:
                integer(out, member)
            else:
                parts.append(encoded)
        elif member is None:
            parts.append(_NULL)
        elif kind is bool:
            parts.append(_TRUE if member else _FALSE)
        elif kind is float:
            parts.append(pack_double(_DOUBLE, member))
        elif id(member) in numbers:
            _reference(out, member)
        elif kind is dict:
            _object(out, member, depth + 1)
        elif kind is list:
            _array(out, member, depth + 1)
        else:
            _other(out, member)
    parts.append(_OBJECT_ENDS[count] if count < _SHORT else tag(tags.OBJECT_END) + varint(count))


def _array(out: Output, value: list[Any], depth: int) -> None:
    numbers = out.numbers
    if depth > _DEEPEST:
        raise Rare
    numbers[id(value)] = len(numbers)
    parts, integers = out.parts, _INTEGERS
    length = len(value)
    parts.append(_DENSE_HEADS[length] if length < _SHORT else tag(tags.DENSE) + varint(length))
    count = 0
    for member in value:
        count += 1
        kind = type(member)
        if kind is str:
            text: str = member
            size = len(text)
            if size < _SHORT and text.isascii():
                parts.append(_STRING_HEADS[size])
                parts.append(text.encode())
            else:
                _string(out, text)
        elif kind is int:
            encoded = integers.get(member)
            if encoded is None:
                integer(out, member)
            else:
                parts.append(encoded)
        elif kind is float:
            parts.append(pack_double(_DOUBLE, member))
        elif id(member) in numbers:
            _reference(out, member)
        elif kind is dict:
            _object(out, member, depth + 1)
        elif kind is list:
            _array(out, member, depth + 1)
        else:
            _other(out, member)
    if count != length:  # another thread has changed the list
        raise Rare
    parts.append(_DENSE_ENDS[length] if length < _SHORT else tag(tags.DENSE_END) + varint(0) + varint(length))


def _string(out: Output, text: str) -> None:
    """Write a string that is long, or not of ASCII alone."""
    size = len(text)
    if size >= _SHORT:
        string(out, text)
        return
    try:
        raw = text.encode("latin-1")
    except UnicodeEncodeError:
        wide_string(out, text)
        return
    out.parts.append(_STRING_HEADS[size])
    out.parts.append(raw)


def _other(out: Output, value: Any) -> None:
    kind = type(value)
    if kind in PRIMITIVES:
        PRIMITIVES[kind](out, value)
    elif kind in LEAVES:
        out.numbers[id(value)] = len(out.numbers)
        LEAVES[kind](out, value)
    else:
        raise Rare


def _reference(out: Output, value: object) -> None:
    out.parts.append(tag(tags.REFERENCE) + varint(out.numbers[id(value)]))


def _name(out: Output, key: str) -> None:
    """Write a name that is not known; remember it if it is short and needs no padding."""
    if type(key) is not str:
        raise Rare
    before, wide = len(out.parts), len(out.wide)
    name(out, key)
    if len(key) <= _LONGEST_NAME and len(out.wide) == wide:
        if len(_NAMES) >= _MOST_NAMES:
            _NAMES.clear()
        _NAMES[key] = b"".join(out.parts[before:])
