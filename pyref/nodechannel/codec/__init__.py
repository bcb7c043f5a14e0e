"""Bytes to lines, lines to values, and back: the serialization `json` of the channel.

Importing orjson takes longer than importing all the rest. So the functions here load those of `nodechannel.codec.json`, which then
take their place in this module; only a first message that is plain goes out before that.
"""

from __future__ import annotations

from nodechannel.codec import plain
from nodechannel.codec.framing import LONGEST_LINE, LineFramer

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

__all__ = ["LONGEST_LINE", "LineFramer", "decode", "decode_lines", "encode", "encode_many", "fast_path"]

_first = iter([True])  # true once


def _load() -> None:
    """Let each of the names below stand for the function that does it."""
    from nodechannel.codec import json

    globals().update({name: getattr(json, name) for name in json.__all__})


def encode(message: object, unsafe_integers: bool = False, allow_nan: bool = True) -> bytes:
    """Return the frame of a message; raises `InvalidMessage`. See `nodechannel.codec.exact.encode`."""
    frame = plain.encode(message) if next(_first, False) else None
    if frame is not None:
        return frame
    _load()
    return encode(message, unsafe_integers, allow_nan)


def encode_many(messages: list[object], unsafe_integers: bool = False, allow_nan: bool = True) -> list[bytes]:
    """Return the blocks of the frames of many messages. See `nodechannel.codec.exact.encode_many`."""
    _load()
    return encode_many(messages, unsafe_integers, allow_nan)


def decode(line: bytes) -> Any:
    """Return the value of a line; raises `InvalidJson`. See `nodechannel.codec.exact.decode`."""
    _load()
    return decode(line)


def decode_lines(lines: list[bytes]) -> list[Any]:
    """Return the values of many lines; raises `InvalidJson` when any of them is no JSON."""
    _load()
    return decode_lines(lines)


def fast_path() -> str:
    """Return what serves the messages, for people to read."""
    _load()
    return fast_path()
