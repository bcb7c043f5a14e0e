"""The methods that the kit needs of a serialization. No further place in the kit knows the form of a frame.

A frame is the bytes of a message on the wire, together with its delimiters.
"""

from dataclasses import dataclass
from typing import Any, Protocol

from channelkit.wire.values import show


@dataclass(slots=True)
class Frame:
    """A frame of the subject. ``problem`` says why it holds no message; empty when it holds a message."""

    raw: bytes
    """The bytes of the message without delimiters."""
    value: Any = None
    problem: str = ""
    rights: tuple[int, ...] = ()
    """The bytes of the frame that came with descriptors; exact while each read takes a single byte."""

    def __str__(self) -> str:
        return f"{self.raw[:200]!r} ({self.problem})" if self.problem else show(self.value)


class Serialization(Protocol):
    """Messages to frames and frames to messages. The object has no state, and all sessions share it."""

    @property
    def mode(self) -> str:
        """The name of the serialization in ``NODE_CHANNEL_SERIALIZATION_MODE``."""

    def frame(self, value: Any) -> bytes:
        """The frame of a value without tags. Raises :class:`ValueError` when it has none."""

    def echo(self, value: Any) -> Any:
        """The message by which an echo child answers a message."""

    def read(self, frame: bytes) -> Frame:
        """Reads a frame as a message; never fails."""

    def end(self, data: bytes | bytearray, begin: int, seen: int) -> int:
        """Where the frame that begins at ``begin`` ends, -1 when it is not complete. It does not end before ``seen``."""

    def cuts(self, data: bytes) -> dict[str, list[int]]:
        """Segmentations of a write by name: places inside of ``data`` where a receiver errs that takes a read for a message."""


def split(serialization: Serialization, data: bytes) -> tuple[list[bytes], bytes]:
    """The complete frames of a stream, and the bytes of the unfinished frame behind them."""
    frames = []
    begin = 0
    while (end := serialization.end(data, begin, begin)) >= 0:
        frames.append(data[begin:end])
        begin = end
    return frames, data[begin:]
