"""A frame on its way out: its parts, and the objects that it holds."""

from __future__ import annotations

from struct import Struct

from nodechannel._advanced import tags

_LENGTH = Struct(">I").pack
_HEADER = bytes([tags.HEADER, tags.WRITTEN_VERSION])

# Up to so many parts their lengths are added up.
_FEW = 16

# [ADV-003] From 2**31 on Node takes the length for negative.
LONGEST_FRAME = 2**31 - 1


class Output:
    """Collects the parts of a frame.

    Attributes:
        parts: bytes of the frame, joined once at the end.
        numbers: the number of each object that was written, by its identity.
        wide: where in `parts` the heads of strings of two-byte characters stand.
    """

    __slots__ = ("numbers", "parts", "wide")

    def __init__(self) -> None:
        self.parts: list[bytes | bytearray | memoryview] = [_HEADER]
        self.numbers: dict[int, int] = {}
        self.wide: list[int] = []

    def frame(self) -> bytes:
        """Return the frame with its length before it; raises `FrameTooLong`."""
        if self.wide:
            self._align()
        parts = self.parts
        if len(parts) > _FEW:
            # Many parts are short: the copy is made sooner than their lengths are added up.
            body = b"".join(parts)
            return _length(len(body)) + body
        return b"".join((_length(sum(map(len, parts))), *parts))

    def _align(self) -> None:
        """Put two-byte characters at even positions, as V8 does ([ADV-022])."""
        at = start = 0
        for index in self.wide:
            at += sum(map(len, self.parts[start:index]))
            start = index
            if (at + len(self.parts[index])) % 2:
                self.parts[index] = bytes([tags.PADDING, *self.parts[index]])


def _length(size: int) -> bytes:
    if size > LONGEST_FRAME:
        raise FrameTooLong(size)
    return _LENGTH(size)


class FrameTooLong(Exception):
    """The frame is longer than any Node reads.

    Attributes:
        size: its bytes.
    """

    def __init__(self, size: int) -> None:
        super().__init__(size)
        self.size = size
