"""Bytes to lines, lines to values, and back: the serialization `json` of the channel."""

from nodechannel.codec.framing import LONGEST_LINE, LineFramer
from nodechannel.codec.json import decode, encode, fast_path

__all__ = ["LONGEST_LINE", "LineFramer", "decode", "encode", "fast_path"]
