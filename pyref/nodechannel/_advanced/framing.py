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
    """Collects what was read from the channel and returns the frames that are complete, without their lengths.

    An unfinished frame grows in place. What is left at the end of the stream is no message; it goes with the framer.

    Attributes:
        max_frame: bytes of the longest frame that is accepted, its length not counted.
        error: set when the rest of the stream cannot be read: a frame is too long, or does not begin as every frame does.
    """

    __slots__ = ("_rest", "error", "max_frame")

    def __init__(self, max_frame: int = MAX_FRAME) -> None:
        self.max_frame = max_frame
        self._rest = bytearray()
        self.error: RemoteError | None = None

    @property
    def buffered(self) -> int:
        """Bytes of the unfinished frame."""
        return len(self._rest)

    def feed(self, data: bytes) -> list[Body]:
        """Return the frames that `data` completes, those before an error too."""
        frames: list[Body] = []
        if self.error is not None:
            return frames
        if self._rest:
            data = self._complete(data, frames)
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

    def _complete(self, data: bytes, frames: list[Body]) -> bytes:
        """Finish the frame that has begun; return what is left of `data`."""
        rest = self._rest
        if len(rest) <= LENGTH:  # its length or its first byte is missing
            self._rest = bytearray()
            return bytes(rest) + data
        missing = LENGTH + int.from_bytes(rest[:LENGTH]) - len(rest)
        rest += memoryview(data)[:missing]
        if missing > len(data):
            return b""
        del rest[:LENGTH]
        frames.append(rest)
        self._rest = bytearray()
        return data[missing:]

    def _keep(self, start: bytes, frames: list[Body]) -> None:
        """Keep the start of a frame, unless it is none or shows an error."""
        # The least length that these bytes can stand for.
        length = int.from_bytes(start[:LENGTH].ljust(LENGTH, b"\0"))
        if length == 0 and len(start) == LENGTH:
            frames.append(b"")
        elif length > self.max_frame or start[LENGTH : LENGTH + 1] not in (b"", b"\xff"):
            self.error = self._fault(start, length)
        else:
            self._rest += start

    def _fault(self, start: bytes, length: int) -> RemoteError:
        if start[LENGTH : LENGTH + 1] == b"\xff":
            return FrameTooLong(length, self.max_frame)
        # [ADV-070]
        return SerializationMismatch("advanced", start)
