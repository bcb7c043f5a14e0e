"""Bytes to lines, lines to values, and back: the serialization `json` of the channel.

Importing orjson takes longer than importing all the rest. So the functions of `nodechannel.codec.json` come here when one of them is first
asked for; only a first message that is plain goes out before that.
"""

from __future__ import annotations

from nodechannel.codec import plain
from nodechannel.codec.framing import LONGEST_LINE, LineFramer

TYPE_CHECKING = False
if TYPE_CHECKING:
    from nodechannel.codec.json import decode, decode_lines, encode_many, fast_path

__all__ = ["LONGEST_LINE", "LineFramer", "decode", "decode_lines", "encode", "encode_many", "fast_path"]

_first = iter([True])  # true once


def encode(message: object, unsafe_integers: bool = False, allow_nan: bool = True) -> bytes:
    """Return the frame of a message; raises `InvalidMessage`. See `nodechannel.codec.exact.encode`."""
    frame = plain.encode(message) if next(_first, False) else None
    if frame is not None:
        return frame
    _load()
    return encode(message, unsafe_integers, allow_nan)  # another one by now


def __getattr__(name: str) -> object:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    _load()
    return globals()[name]


def _load() -> None:
    """Let each name stand for the function that does it, `encode` included."""
    from nodechannel.codec import json

    globals().update({name: getattr(json, name) for name in json.__all__})
