"""Bytes to lines, lines to values, and back: the serialization `json` of the channel.

Importing orjson takes longer than importing all the rest. The functions of `nodechannel._json.loader`
come here when one of them is first asked for; only a first message that is plain goes out before that.
"""

from __future__ import annotations

from nodechannel._json import plain
from nodechannel._json.framing import LONGEST_LINE, LineFramer

TYPE_CHECKING = False
if TYPE_CHECKING:
    from nodechannel._json.loader import decode, decode_lines, encode_many, fast_path

__all__ = ["LONGEST_LINE", "LineFramer", "decode", "decode_lines", "encode", "encode_many", "fast_path"]

_first = iter([True])  # true once


def encode(message: object, unsafe_integers: bool = False, allow_nan: bool = True) -> bytes:
    """Return the frame of a message; raises `InvalidMessage`. See `nodechannel._json.exact.encode`."""
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
    from nodechannel._json import loader

    globals().update({name: getattr(loader, name) for name in loader.__all__})
