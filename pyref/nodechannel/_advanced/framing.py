"""Cutting the stream into frames: four bytes of length, the highest first, and as many bytes ([ADV-001], [ADV-050]).

The length alone delimits. It is a claim of the peer: memory is taken in proportion to the bytes that have come ([ADV-060]).
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

# A read puts so many bytes or more where they belong, rather than copy them to there.
LONG = 65536
# An unfinished frame that lacks so many is one of several of its length: a read asks for so many bytes.
MEDIUM, SEVERAL = 8192, 1 << 18

# The buffer of an unfinished frame is a multiple of the bytes that have come, up to a size from which on it grows in place by steps.
_MULTIPLE, _LARGE = 16, 1 << 21
_STEP = bytes(1 << 18)

_NO_BUFFER = bytearray()
# The length of a frame and its first byte.
_unpack_start = Struct(">IB").unpack_from
_HEADER = tags.HEADER


class FrameFramer:
    """Collects the bytes read from the channel and returns the frames that are complete, without their lengths.

    The bytes of an unfinished frame lie in a buffer, and a long frame is read to there. At the end of the stream they are no message; they
    go with the framer.

    Attributes:
        max_frame: bytes of the longest frame that is accepted, its length not counted.
        error: set when the rest of the stream cannot be read: a frame is too long, or does not begin as every frame does.
    """

    __slots__ = ("_buffer", "_filled", "_length", "_start", "error", "max_frame")

    def __init__(self, max_frame: int = MAX_FRAME) -> None:
        self.max_frame = max_frame
        # Of the unfinished frame: its first bytes until there are five; from then on its length, and a buffer with its bytes so far.
        # The buffer is as long as the frame, or has room for more.
        self._start = b""
        self._length = self._filled = 0
        self._buffer = _NO_BUFFER
        self.error: RemoteError | None = None

    @property
    def buffered(self) -> int:
        """Bytes of the unfinished frame."""
        return len(self._start) + (LENGTH + self._filled if self._filled else 0)

    def checkpoint(self) -> tuple[bytes, int, int, bytearray]:
        """Return the state of the unfinished frame, for `restore`."""
        return self._start, self._length, self._filled, self._buffer

    def restore(self, checkpoint: tuple[bytes, int, int, bytearray]) -> None:
        """Return to the state of a checkpoint, before which no frame was wrong. The same bytes come to the same places again."""
        self._start, self._length, self._filled, self._buffer = checkpoint
        self.error = None

    @property
    def places(self) -> FrameFramer:
        """The framer: it knows the length of a frame before its end."""
        return self

    def place(self) -> memoryview | int | None:
        """Return where the next bytes belong, or how many to ask for, if the unfinished frame lacks many; no state changes."""
        missing = self._length - self._filled
        if missing < MEDIUM or not self._filled:
            return None
        return SEVERAL if missing < LONG else memoryview(self._buffer)[self._filled :]

    def filled(self, count: int) -> list[Body]:
        """Return the frame if the bytes that were read to `place` complete it."""
        frames: list[Body] = []
        self._fill(self._filled + count, frames)
        return frames

    def feed(self, data: bytes) -> list[Body]:
        """Return the frames that `data` completes, those before an error too."""
        frames: list[Body] = []
        if self.error is not None:
            return frames
        if self._filled:
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
        if self._filled or self._start or self.error is not None or len(data) <= LENGTH:
            return []
        length, first = _unpack_start(data)
        if first != _HEADER or length != len(data) - LENGTH or length > self.max_frame:
            return []
        return [data[LENGTH:]]

    def _complete(self, data: bytes, frames: list[Body]) -> bytes:
        """Go on with the frame that has begun; return the bytes after its end."""
        size = min(len(data), self._length - self._filled)
        end = self._filled + size
        if end > len(self._buffer):
            self._enlarge(end)
        memoryview(self._buffer)[self._filled : end] = memoryview(data)[:size]
        self._fill(end, frames)
        return data[size:]

    def _fill(self, end: int, frames: list[Body]) -> None:
        """Note up to where the buffer is filled; add the frame to `frames` if it is complete."""
        self._filled = end
        if end == self._length:
            frames.append(self._buffer)
            self._buffer, self._filled = _NO_BUFFER, 0
        elif end == len(self._buffer):
            self._enlarge(end)

    def _enlarge(self, end: int) -> None:
        """Have a buffer for bytes up to `end` and more. The bytes before them are kept, because the state before may come back."""
        size = min(self._length, _MULTIPLE * end, max(_LARGE, end + len(_STEP)))
        if size <= _LARGE or not self._filled:
            buffer = bytearray(size)
            buffer[: self._filled] = memoryview(self._buffer)[: self._filled]
            self._buffer = buffer
            return
        lacking = size - len(self._buffer)
        more = memoryview(_STEP)[:lacking] if lacking <= len(_STEP) else bytes(lacking)
        try:
            self._buffer += more
        except BufferError:  # the traceback of an interrupted read holds the place
            self._buffer = self._buffer + more

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
            self._complete(start[LENGTH:], frames)

    def _fault(self, start: bytes, length: int) -> RemoteError:
        if start[LENGTH : LENGTH + 1] == b"\xff":
            return FrameTooLong(length, self.max_frame)
        # [ADV-070]
        return SerializationMismatch("advanced", start)
