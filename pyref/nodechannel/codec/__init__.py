"""Bytes to lines, lines to values, and back: the serialization `json` of the channel.

`decode` and `encode` are loaded when they are first asked for: importing orjson takes longer than importing all the rest.
"""

from __future__ import annotations

from nodechannel.codec.framing import LONGEST_LINE, LineFramer

TYPE_CHECKING = False
if TYPE_CHECKING:
    from nodechannel.codec.json import decode, decode_lines, encode, encode_many, fast_path

__all__ = ["LONGEST_LINE", "LineFramer", "decode", "decode_lines", "encode", "encode_many", "fast_path"]


def __getattr__(name: str) -> object:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from nodechannel.codec import json

    return getattr(json, name)
