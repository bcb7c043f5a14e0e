"""Plain values in the format of V8, version 13, which every Node from 12 on reads."""

import struct
from typing import Any

from channelkit.wire.values import UNDEFINED

HEADER = b"\xff\x0d"


def written(value: Any) -> bytes:
    """Header and value. Raises :class:`ValueError` for a value that is none of JSON and not ``undefined``."""
    return HEADER + _value(value)


def varint(number: int) -> bytes:
    """An unsigned integer in groups of seven bits, the lowest first."""
    out = bytearray()
    while number > 0x7F:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    out.append(number)
    return bytes(out)


def _value(value: Any) -> bytes:
    words = {None: b"0", True: b"T", False: b"F", UNDEFINED: b"_"}
    if value is None or value is UNDEFINED or isinstance(value, bool):
        return words[value]
    if isinstance(value, int | float):
        return _number(value)
    if isinstance(value, str):
        return _text(value)
    if isinstance(value, list):
        size = varint(len(value))
        return b"A" + size + b"".join(map(_value, value)) + b"$\0" + size
    if isinstance(value, dict):
        members = b"".join(_text(name) + _value(member) for name, member in value.items())
        return b"o" + members + b"{" + varint(len(value))
    raise ValueError(f"{value!r} is for bytes in hex")


def _number(value: float) -> bytes:
    number = float(value)
    if number.is_integer() and -(2**31) <= number < 2**31 and str(number) != "-0.0":
        whole = int(number)
        return b"I" + varint((whole << 1 ^ whole >> 31) & 0xFFFFFFFF)
    return b"N" + struct.pack("<d", number)


def _text(text: str) -> bytes:
    if all(character <= "\xff" for character in text):
        return b'"' + varint(len(text)) + text.encode("latin-1")
    data = text.encode("utf-16-le", "surrogatepass")
    return b"c" + varint(len(data)) + data
