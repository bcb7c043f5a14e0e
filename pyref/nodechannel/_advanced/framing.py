"""Cutting the stream into frames: four bytes of length, the highest first, and as many bytes ([ADV-001], [ADV-050]).

The length alone delimits. It is a claim of the peer: no memory is taken for bytes that have not come ([ADV-060]).
"""

from __future__ import annotations

from struct import Struct

from nodechannel._advanced import tags
from nodechannel.errors import FrameTooLong, SerializationMismatch

TYPE_CHECKING = False
if TYPE_CHECKING:
    from nodechannel._core.serialization import Body
    from nodechannel.errors import RemoteError

LENGTH = 4
# [ADV-065]
MAX_FRAME = 536_870_888
"""The same limit as for a line: by default no longer frame is read."""

# The length of a frame and its first byte.
_unpack_start = Struct(">IB").unpack_from
_HEADER = tags.HEADER


class FrameFramer:
    """Collects the bytes read from the channel and returns the frames that are complete, without their lengths.

    An unfinished frame grows in place. Its bytes at the end of the stream are no message; they go with the framer.

    Attributes:
        max_frame: bytes of the longest frame that is accepted, its length not counted.
        error: set when the rest of the stream cannot be read: a frame is too long, or does not begin as every frame does.
    """

    __slots__ = ("_length", "_rest", "_start", "error", "max_frame")

    def __init__(self, max_frame: int = MAX_FRAME) -> None:
        self.max_frame = max_frame
        # Of the unfinished frame: its first bytes until there are five; from then on its length, and its bytes without the length.
        self._start = b""
        self._length = 0
        self._rest = bytearray()
        self.error: RemoteError | None = None

    @property
    def buffered(self) -> int:
        """Bytes of the unfinished frame."""
        return len(self._start) + (LENGTH + len(self._rest) if self._rest else 0)

    def checkpoint(self) -> tuple[bytes, int, bytearray, int]:
        """Return the state of the unfinished frame, for `restore`."""
        return self._start, self._length, self._rest, len(self._rest)

    def restore(self, checkpoint: tuple[bytes, int, bytearray, int]) -> None:
        """Return to the state of a checkpoint, before which no frame was wrong."""
        self._start, self._length, rest, size = checkpoint
        # A copy, because a value that was read meanwhile may hold the bytes.
        self._rest = rest if len(rest) == size else rest[:size]
        self.error = None

    def feed(self, data: bytes) -> list[Body]:
        """Return the frames that `data` completes, those before an error too."""
        frames: list[Body] = []
        if self.error is not None:
            return frames
        if self._rest:
            data = self._complete(data, frames)
        elif self._start:
            data, self._start = self._start + data, b""
        at, size, limit = 0, len(data), self.max_frame
        while at + 4 < size:
            length, first = _unpack_start(data, at)
            end = at + 4 + length
            if first != _HEADER or length > limit:
                if length:
                    break
                end = at + 4  # an empty frame, and the byte belongs to the next
            elif end > size:
                break
            frames.append(data[at + 4 : end])
            at = end
        if at < size:
            self._keep(data[at:], frames)
        return frames

    def whole(self, data: bytes) -> list[Body]:
        """Return the frame in `data` where it is one whole frame and none is unfinished, else none; no state changes."""
        if self._rest or self._start or self.error is not None or len(data) <= LENGTH:
            return []
        length, first = _unpack_start(data)
        if first != _HEADER or length != len(data) - LENGTH or length > self.max_frame:
            return []
        return [data[LENGTH:]]

    def _complete(self, data: bytes, frames: list[Body]) -> bytes:
        """Finish the frame that has begun; return the rest of `data`."""
        rest = self._rest
        missing = self._length - len(rest)
        rest += memoryview(data)[:missing]
        if missing > len(data):
            return b""
        self._rest = bytearray()
        frames.append(rest)
        return data[missing:]

    def _keep(self, start: bytes, frames: list[Body]) -> None:
        """Keep the start of a frame, unless it is none or shows an error."""
        # The least length that these bytes can stand for.
        length = int.from_bytes(start[:LENGTH].ljust(LENGTH, b"\0"))
        if length == 0 and len(start) == LENGTH:
            frames.append(b"")
        elif length > self.max_frame or start[LENGTH : LENGTH + 1] not in (b"", b"\xff"):
            self.error = self._fault(start, length)
        elif len(start) <= LENGTH:
            self._start = start
        else:
            self._length = length
            self._rest = bytearray(memoryview(start)[LENGTH:])

    def _fault(self, start: bytes, length: int) -> RemoteError:
        if start[LENGTH : LENGTH + 1] == b"\xff":
            return FrameTooLong(length, self.max_frame)
        # [ADV-070]
        return SerializationMismatch("advanced", start)
