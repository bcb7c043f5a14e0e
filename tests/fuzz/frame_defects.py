"""Seeded defects of the mode ``advanced``. Each breaks a reader or the writer of frames in a single way."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Any

from nodechannel._advanced import decode, encode, fastread, fastwrite, read
from nodechannel._advanced.malformed import Malformed

if TYPE_CHECKING:
    from collections.abc import Callable

_MINUS_ZERO = struct.pack("<d", -0.0)


def _fast(change: Callable[[Any], Any]) -> None:
    found = fastread.read

    def changed(frame: Any) -> Any:
        return change(found(frame))

    fastread.read = decode._read_fast = changed


def untyped_error_of_a_frame() -> None:
    """A frame that cannot be read raises an error of Python."""
    found = read.read

    def changed(frame: Any) -> Any:
        try:
            return found(frame)
        except Malformed as fault:
            raise IndexError(fault.reason) from None

    for module in (read, decode):
        setattr(module, "read", changed)  # noqa: B010 - a module does not export what it imports


def frames_lose_a_sign() -> None:
    """The fast reader reads a negative whole number as a positive number."""
    _fast(lambda value: abs(value) if type(value) is int else value)


def frames_copy_what_is_shared() -> None:
    """The fast reader makes a new object of the last element of a list."""

    def change(value: Any) -> Any:
        if isinstance(value, list) and len(value) > 1 and isinstance(value[-1], dict):
            value[-1] = dict(value[-1])
        return value

    _fast(change)


def frames_lose_minus_zero() -> None:
    """The fast writer writes 0 in the place of -0."""
    found = fastwrite.write

    def changed(message: Any) -> bytes:
        return found(message).replace(_MINUS_ZERO, bytes(8))

    encode._write_fast = changed


FRAME_DEFECTS = (
    untyped_error_of_a_frame,
    frames_lose_a_sign,
    frames_copy_what_is_shared,
    frames_lose_minus_zero,
)
