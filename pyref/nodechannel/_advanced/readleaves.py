"""Reading values that hold no other value.

Each function is given the frame, the position after the tag, and the objects that have been read; it returns the value and the
position after it. An overrun raises `IndexError` or `struct.error`.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from math import copysign
from struct import Struct

from nodechannel import js
from nodechannel._advanced import tags
from nodechannel._advanced.malformed import Malformed, Truncated

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, TypeAlias

    Frame: TypeAlias = bytes | bytearray
    Leaf: TypeAlias = Callable[[Frame, int, list[Any]], tuple[Any, int]]

unpack_double = Struct("<d").unpack_from

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_FIRST, _LAST = -62_135_596_800_000, 253_402_300_799_999


def varint(frame: Frame, at: int) -> tuple[int, int]:
    """Read an unsigned integer of 32 bits: seven bits a byte, the lowest first. Bits beyond the 32nd are ignored, as V8 does."""
    byte = frame[at]
    at += 1
    value = byte & 0x7F
    shift = 7
    while byte > 0x7F:
        byte = frame[at]
        at += 1
        if shift < 32:
            value |= (byte & 0x7F) << shift
            shift += 7
    return value & 0xFFFFFFFF, at


def block(frame: Frame, at: int) -> tuple[int, int]:
    """Read a length in bytes; return where the bytes begin and end."""
    length, at = varint(frame, at)
    if at + length > len(frame):  # [ADV-061]
        raise Truncated
    return at, at + length


def number(value: float) -> float:
    """Return a double as the table of values has it: an int where it is a safe integer, except for -0."""
    if value.is_integer() and abs(value) <= tags.MAX_SAFE_INTEGER:
        return int(value) if value or copysign(1, value) > 0 else value
    return value


# ---- primitives -----------------------------------------------------------------------------------------------


def _constant(value: object) -> Leaf:
    return lambda _frame, at, _refs: (value, at)


def _int32(frame: Frame, at: int, _refs: list[Any]) -> tuple[int, int]:
    value, at = varint(frame, at)
    return (value >> 1) ^ -(value & 1), at


def _uint32(frame: Frame, at: int, _refs: list[Any]) -> tuple[int, int]:
    return varint(frame, at)


def _double(frame: Frame, at: int, _refs: list[Any]) -> tuple[float, int]:
    return number(unpack_double(frame, at)[0]), at + 8


def bigint(frame: Frame, at: int, _refs: list[Any]) -> tuple[js.BigInt, int]:
    """Read a BigInt: its sign and length in one varint, then its bytes, the lowest first."""
    bits, at = varint(frame, at)
    end = at + (bits >> 1)
    if end > len(frame):
        raise Truncated
    magnitude = int.from_bytes(frame[at:end], "little")
    if bits & 1 and not magnitude:
        raise Malformed("a BigInt is minus zero", at)
    return js.BigInt(-magnitude if bits & 1 else magnitude), end


def _latin1(frame: Frame, at: int, _refs: list[Any]) -> tuple[str, int]:
    at, end = block(frame, at)
    return frame[at:end].decode("latin-1"), end


def _utf16(frame: Frame, at: int, _refs: list[Any]) -> tuple[str, int]:
    at, end = block(frame, at)
    if (end - at) % 2:
        raise Malformed("a string of two-byte characters has an odd number of bytes", at)
    return frame[at:end].decode("utf-16-le", "surrogatepass"), end  # [ADV-025]


def _utf8(frame: Frame, at: int, _refs: list[Any]) -> tuple[str, int]:
    at, end = block(frame, at)
    return frame[at:end].decode("utf-8", "replace"), end


# Values that can stand where the format wants a string, like a key.
STRINGS: dict[int, Leaf] = {tags.LATIN1: _latin1, tags.UTF16: _utf16, tags.UTF8: _utf8}


def string(frame: Frame, at: int) -> tuple[str, int]:
    """Read a tag and a string."""
    at = skip_padding(frame, at)
    try:
        read = STRINGS[frame[at]]
    except KeyError:
        raise Malformed("a string is missing", at) from None
    return read(frame, at + 1, [])


def skip_padding(frame: Frame, at: int) -> int:
    """Return where the next tag stands ([ADV-021])."""
    while not frame[at]:
        at += 1
    return at


# ---- objects --------------------------------------------------------------------------------------------------


def _date(frame: Frame, at: int, refs: list[Any]) -> tuple[datetime | js.Date, int]:
    date = js.Date(unpack_double(frame, at)[0])
    within = date.valid and _FIRST <= date.milliseconds <= _LAST
    refs.append(_EPOCH + timedelta(milliseconds=date.milliseconds) if within else date)
    return refs[-1], at + 8


def _regexp(frame: Frame, at: int, refs: list[Any]) -> tuple[js.RegExp, int]:
    source, at = string(frame, at)
    bits, end = varint(frame, at)
    flags = "".join(letter for bit, letter in tags.REGEXP_FLAGS.items() if bits & bit)
    if bits & ~sum(tags.REGEXP_FLAGS) or ("u" in flags and "v" in flags):
        raise Malformed(f"{bits} are no flags of a RegExp", at)
    refs.append(js.RegExp(source, flags))
    return refs[-1], end


def _boxed(read: Leaf) -> Leaf:
    def leaf(frame: Frame, at: int, refs: list[Any]) -> tuple[js.Boxed, int]:
        value, at = read(frame, at, refs)
        box = js.Boxed(value)
        refs.append(box)
        return box, at

    return leaf


def view(frame: Frame, at: int, refs: list[Any]) -> tuple[bytes | js.TypedArray, int]:
    """Read a view as Node writes it, after its tag and HOST_VIEW: the number of its kind, its length, its bytes ([ADV-042])."""
    kind, at = varint(frame, at)
    if kind >= len(tags.VIEW_KINDS):
        raise Malformed(f"{kind} is no kind of a view", at)
    at, end = block(frame, at)
    if kind == tags.BUFFER:
        # By way of a memoryview the bytes of a bytearray are copied once.
        value: bytes | js.TypedArray = bytes(memoryview(frame)[at:end])
    else:
        value = typed_array(tags.VIEW_KINDS[kind], memoryview(frame)[at:end])
    refs.append(value)
    return value, end


def typed_array(kind: str, data: memoryview) -> js.TypedArray:
    """Return a typed array over bytes, without those that make no whole element: Node ignores them."""
    return js.TypedArray(kind, data[: len(data) - len(data) % js.ITEM_SIZES[js.KINDS[kind]]])


def _host_view(frame: Frame, at: int, refs: list[Any]) -> tuple[bytes | js.TypedArray, int]:
    kind, at = varint(frame, at)
    if kind != tags.HOST_VIEW:
        raise Malformed(f"{kind} is no kind of a host object", at)
    return view(frame, at, refs)


LEAVES: dict[int, Leaf] = {
    tags.UNDEFINED: _constant(js.undefined),
    tags.NULL: _constant(None),
    tags.TRUE: _constant(True),
    tags.FALSE: _constant(False),
    tags.INT32: _int32,
    tags.UINT32: _uint32,
    tags.DOUBLE: _double,
    tags.BIGINT: bigint,
    **STRINGS,
    tags.DATE: _date,
    tags.REGEXP: _regexp,
    tags.BOXED_NUMBER: _boxed(_double),
    tags.BOXED_STRING: _boxed(lambda frame, at, _refs: string(frame, at)),
    tags.BOXED_BIGINT: _boxed(bigint),
    tags.BOXED_TRUE: _boxed(_constant(True)),
    tags.BOXED_FALSE: _boxed(_constant(False)),
    tags.HOST_OBJECT: _host_view,
}
