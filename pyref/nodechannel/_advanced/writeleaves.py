"""Writing values that hold no other value. Each function is given the output and the value; `Refused` says why it cannot be sent."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from struct import Struct

from nodechannel import js
from nodechannel._advanced import tags
from nodechannel._advanced.names import index_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, TypeAlias

    from nodechannel._advanced.output import Output

    WriteLeaf: TypeAlias = Callable[[Output, Any], object]

# [ADV-026] V8's longest string, in its characters of two bytes.
LONGEST_STRING = 536_870_888
# [ADV-027]
LONGEST_BIGINT = 2**30

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)
pack_double = Struct("<Bd").pack


class Refused(Exception):
    """A value cannot be sent.

    Attributes:
        reason: why, and the remedy.
    """

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def tag(number: int) -> bytes:
    """Return a tag as bytes."""
    return bytes([number])


def varint(value: int) -> bytes:
    """Return an unsigned integer, seven bits a byte, the lowest first."""
    if value < 0x80:
        return _BYTES[value]
    found = bytearray()
    while value > 0x7F:
        found.append(value & 0x7F | 0x80)
        value >>= 7
    found.append(value)
    return bytes(found)


_BYTES = [bytes([value]) for value in range(0x80)]


# ---- primitives -----------------------------------------------------------------------------------------------


def _constant(number: int) -> WriteLeaf:
    encoded = tag(number)
    return lambda out, _value: out.parts.append(encoded)


def integer(out: Output, value: int) -> None:
    """Write an int: as V8 does, up to 32 bits as an integer, a safe integer as a double, beyond that as a BigInt ([ADV-024])."""
    if -(2**31) <= value < 2**31:
        out.parts.append(_INT32 + varint((value << 1 ^ value >> 31) & 0xFFFFFFFF))
    elif abs(value) <= tags.MAX_SAFE_INTEGER:
        out.parts.append(pack_double(tags.DOUBLE, value))
    else:
        bigint(out, value)


_INT32 = tag(tags.INT32)


def double(out: Output, value: float) -> None:
    """Write a float."""
    out.parts.append(pack_double(tags.DOUBLE, value))


def bigint(out: Output, value: int) -> None:
    """Write a BigInt in whole digits of eight bytes, as V8 does."""
    out.parts.append(tag(tags.BIGINT) + _bigint_body(value))


def _bigint_body(value: int) -> bytes:
    bits = value.bit_length()
    if bits > LONGEST_BIGINT:
        raise Refused(f"an integer of {bits} bits is more than a BigInt holds ({LONGEST_BIGINT})")
    size = (bits + 63) // 64 * 8
    return varint(size << 1 | (value < 0)) + abs(value).to_bytes(size, "little")


def string(out: Output, value: str) -> None:
    """Write a string: one byte for each character where that is enough, else two ([ADV-022])."""
    try:
        raw = value.encode("latin-1")
    except UnicodeEncodeError:
        wide_string(out, value)
        return
    _check_length(len(raw))
    out.parts += (_LATIN1 + varint(len(raw)), raw)


_LATIN1 = tag(tags.LATIN1)


def wide_string(out: Output, value: str) -> None:
    """Write a string of two-byte characters."""
    # [ADV-025]
    raw = value.encode("utf-16-le", "surrogatepass")
    _check_length(len(raw) // 2)
    out.wide.append(len(out.parts))
    out.parts += (tag(tags.UTF16) + varint(len(raw)), raw)


def _check_length(length: int) -> None:
    if length > LONGEST_STRING:
        raise Refused(
            f"a string of {length} characters is longer than any that Node reads ({LONGEST_STRING})"
        )


def name(out: Output, value: str) -> None:
    """Write the name of a property: an index of an array as a number ([ADV-030])."""
    index = index_of(value)
    if index is None:
        string(out, value)
    else:
        integer(out, index)


# ---- objects --------------------------------------------------------------------------------------------------


def _date(out: Output, value: js.Date) -> None:
    out.parts.append(pack_double(tags.DATE, value.milliseconds))


def _datetime(out: Output, value: datetime) -> None:
    if value.utcoffset() is None:
        raise Refused("a datetime without a time zone (give it one, such as datetime.UTC)")
    out.parts.append(pack_double(tags.DATE, (value - _EPOCH) // _MILLISECOND))


def _regexp(out: Output, value: js.RegExp) -> None:
    out.parts.append(tag(tags.REGEXP))
    string(out, value.source)
    out.parts.append(varint(sum(bit for bit, letter in tags.REGEXP_FLAGS.items() if letter in value.flags)))


def _boxed(out: Output, value: js.Boxed) -> None:
    inner = value.value
    if isinstance(inner, bool):
        out.parts.append(tag(tags.BOXED_TRUE if inner else tags.BOXED_FALSE))
    elif isinstance(inner, str):
        out.parts.append(tag(tags.BOXED_STRING))
        string(out, inner)
    elif isinstance(inner, js.BigInt) or (isinstance(inner, int) and abs(inner) > tags.MAX_SAFE_INTEGER):
        out.parts.append(tag(tags.BOXED_BIGINT) + _bigint_body(inner))
    else:
        out.parts.append(pack_double(tags.BOXED_NUMBER, inner))


def _view(out: Output, kind: int, data: bytes | bytearray | memoryview) -> None:
    """Write a view as Node does ([ADV-042]): the bytes are copied when the frame is joined, and not before."""
    size = len(data)
    _check_size(size)
    out.parts += (_VIEW + varint(kind) + varint(size), data)


_VIEW = bytes([tags.HOST_OBJECT, tags.HOST_VIEW])


def _check_size(size: int) -> None:
    if size >= 2**31:
        raise Refused(f"{size} bytes are more than a frame holds")


def _bytes(out: Output, value: bytes) -> None:
    _view(out, tags.BUFFER, value)


def _typed_array(out: Output, value: js.TypedArray) -> None:
    _view(out, tags.VIEW_KINDS.index(value.kind), value.data)


def _array_buffer(out: Output, value: js.ArrayBuffer) -> None:
    size, limit = len(value), value.max_byte_length
    _check_size(size)
    if limit is None:
        out.parts += (tag(tags.ARRAY_BUFFER) + varint(size), value)
    else:
        # The buffer can have grown since its limit was set.
        out.parts += (tag(tags.RESIZABLE_BUFFER) + varint(size) + varint(max(limit, size)), value)


# Formats of the buffer protocol whose size is the machine's.
_NATIVE = {"l": "q", "L": "Q", "n": "q", "N": "Q", "c": "B", "?": "B"}
_KIND_OF = {
    format_: tags.VIEW_KINDS.index(kind)
    for kind, format_ in js.KINDS.items()
    if kind not in ("Uint8ClampedArray", "DataView")
}


def buffer(out: Output, value: Any) -> None:
    """Write anything with the buffer protocol as the typed array of its format."""
    view = memoryview(value)
    format_ = view.format.lstrip("@=<") or "B"
    kind = _KIND_OF.get(_NATIVE.get(format_, format_))
    if kind is None or view.ndim > 1 or js.ITEM_SIZES[_NATIVE.get(format_, format_)] != view.itemsize:
        raise Refused(
            f"a {type(value).__name__} of {view.ndim} dimensions and format {view.format!r} is no typed array; "
            "send bytes or one dimension of numbers"
        )
    _view(out, kind, view.cast("B") if view.c_contiguous else memoryview(view.tobytes()))


PRIMITIVES: dict[type, WriteLeaf] = {
    type(None): _constant(tags.NULL),
    bool: lambda out, value: out.parts.append(tag(tags.TRUE if value else tags.FALSE)),
    js.Undefined: _constant(tags.UNDEFINED),
    int: integer,
    float: double,
    str: string,
    js.BigInt: bigint,
}

# Values with an identity: a second mention is a reference.
LEAVES: dict[type, WriteLeaf] = {
    bytes: _bytes,
    datetime: _datetime,
    js.Date: _date,
    js.RegExp: _regexp,
    js.Boxed: _boxed,
    js.ArrayBuffer: _array_buffer,
    js.TypedArray: _typed_array,
    bytearray: buffer,
    memoryview: buffer,
}
