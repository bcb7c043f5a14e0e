"""What the kit asks of a serialization. Nothing else in the kit knows what a frame looks like.

A frame is the bytes of one message on the wire, with all that delimits it.
"""

from dataclasses import dataclass
from typing import Any, Protocol

from channelkit.wire.values import show


@dataclass(slots=True)
class Frame:
    """One frame of the subject. ``problem`` says why it holds no message, else it is empty."""

    raw: bytes
    """The message without what delimits it."""
    value: Any = None
    problem: str = ""
    rights: tuple[int, ...] = ()
    """Where in the frame descriptors came; exact as long as every read takes one byte."""

    def __str__(self) -> str:
        return f"{self.raw[:200]!r} ({self.problem})" if self.problem else show(self.value)


class Serialization(Protocol):
    """Messages to frames and frames to messages; without state, so that all sessions share one."""

    @property
    def mode(self) -> str:
        """Its name in ``NODE_CHANNEL_SERIALIZATION_MODE``."""

    def frame(self, value: Any) -> bytes:
        """The frame of a value without tags. Raises :class:`ValueError` when it has none."""

    def read(self, frame: bytes) -> Frame:
        """Judges one frame; never fails."""

    def end(self, data: bytes | bytearray, begin: int, seen: int) -> int:
        """Where the frame that begins at ``begin`` ends, -1 when it is not complete. It does not end before ``seen``."""

    def cuts(self, data: bytes) -> dict[str, list[int]]:
        """Segmentations of a write by name: places inside of ``data`` where a receiver errs that takes a read for a message."""


def split(serialization: Serialization, data: bytes) -> tuple[list[bytes], bytes]:
    """The complete frames of a stream, and the unfinished one behind them."""
    frames = []
    begin = 0
    while (end := serialization.end(data, begin, begin)) >= 0:
        frames.append(data[begin:end])
        begin = end
    return frames, data[begin:]
