"""Cutting the stream into lines, and joining frames.

The line feed is the only delimiter ([FRM-020]). Lines stay bytes until they are complete, so that a character
which arrives in two reads is never decoded in halves ([FRM-022]).
"""

from __future__ import annotations

from nodechannel._core.outbox import BLOCK_SIZE
from nodechannel.errors import LineTooLong, SerializationMismatch

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import TypeAlias

    from nodechannel.errors import RemoteError

    # A line that came in pieces is a bytearray.
    Line: TypeAlias = bytes | bytearray

# [FRM-023]
LONGEST_LINE = 536_870_888
"""V8's longest string. A Node process dies of a longer line: none is written, and by default none is read."""

_SMALL = 4096

# No JSON text begins with one of these; the others below them are white space.
_NO_JSON = frozenset(range(0x20)) - frozenset(b"\t\n\r")


def blocks(frames: list[bytes]) -> list[bytes]:
    """Return the bytes of many frames in few pieces, at least one."""
    # To measure each takes longer than to join small ones; the first stands for all.
    if not frames or len(frames[0]) < _SMALL:
        return [b"".join(frames)]
    found: list[list[bytes]] = []
    room = 0
    for frame in frames:
        room -= len(frame)
        if room < 0:
            found.append([])
            room = BLOCK_SIZE - len(frame)
        found[-1].append(frame)
    return [b"".join(block) for block in found]


class LineFramer:
    """Collects the bytes read from the channel and returns the lines that are complete.

    The bytes of an unfinished line grow in place, which keeps a long line linear ([FRM-024]) and takes its memory once. What is left
    at the end of the stream is no message; it goes with the framer ([FRM-029]).

    Attributes:
        max_line: bytes of the longest line that is accepted, its line feed not counted.
        error: set when a line exceeded that limit, or the peer speaks another serialization; no line is returned from there on.
    """

    __slots__ = ("_rest", "error", "max_line")

    def __init__(self, max_line: int = LONGEST_LINE) -> None:
        # [SEC-002]
        self.max_line = max_line
        self._rest = bytearray()
        self.error: RemoteError | None = None

    # Nothing tells how long a line will be.
    places = None

    @property
    def buffered(self) -> int:
        """Bytes of the unfinished line."""
        return len(self._rest)

    def checkpoint(self) -> tuple[bytearray, int]:
        """Return the unfinished line and its length, for `restore`."""
        return self._rest, len(self._rest)

    def restore(self, checkpoint: tuple[bytearray, int]) -> None:
        """Return to the state of a checkpoint, before which no line exceeded the limit."""
        self._rest, size = checkpoint
        del self._rest[size:]
        self.error = None

    def feed(self, data: bytes) -> list[Line]:
        """Return the lines that `data` completes, without their line feeds; those before a line that is too long too ([FRM-027])."""
        if self.error is not None or len(self._rest) + len(data) > self.max_line:
            return self._feed_near_limit(data)
        # A line feed may be among the first bytes: a frame of ten bytes has one in its length.
        if not self._rest and self._is_foreign(data):
            return []
        # [FRM-021]
        lines: list[Line] = data.split(b"\n")  # type: ignore[assignment]
        rest = lines.pop()
        if self._rest and lines:
            lines[0] = self._finish(lines[0])
        if rest:
            self._rest += rest
            self._is_foreign(self._rest)
        return lines

    def whole(self, data: bytes) -> list[Line]:
        """Return the lines in `data` where it is whole lines and none is unfinished, else none; no state changes."""
        if self._rest:
            return []
        lines: list[Line] = data.split(b"\n")  # type: ignore[assignment]
        return [] if lines.pop() or len(data) > self.max_line else lines

    def _is_foreign(self, start: bytes | bytearray) -> bool:
        """Give the stream up if the peer speaks the other serialization: no line feed need ever come."""
        # [ADV-071] The length and the header of a frame, up to 512 MiB.
        if start[4:5] == b"\xff" and start[0] in _NO_JSON:
            self._fail(SerializationMismatch("json", bytes(start[:16])))
            return True
        return False

    def _finish(self, end: Line) -> Line:
        """Return the line whose last piece is `end`."""
        line = self._rest
        line += end
        self._rest = bytearray()
        return line

    def _feed_near_limit(self, data: bytes) -> list[Line]:
        """Do the same with an eye on each line: some line of a chunk this long may exceed the limit."""
        lines: list[Line] = []
        start = 0
        while self.error is None and start < len(data):
            end = data.find(b"\n", start)
            piece = data[start:] if end < 0 else data[start:end]
            if len(self._rest) + len(piece) > self.max_line:
                # [FRM-030]
                self._fail(LineTooLong(self.max_line))
            elif end < 0:
                self._rest += piece
                break
            else:
                lines.append(self._finish(piece))
                start = end + 1
        return lines

    def _fail(self, error: RemoteError) -> None:
        """Give the stream up: its rest cannot be trusted, and is not kept."""
        self.error = error
        self._rest = bytearray()


class PlainLineFramer(LineFramer):
    """The same for a stream that has no second serialization: any bytes are a line."""

    __slots__ = ()

    @property
    def rest(self) -> bytes:
        """The bytes of the unfinished line."""
        return bytes(self._rest)

    def _is_foreign(self, _start: bytes | bytearray) -> bool:
        """Take the bytes as they are."""
        return False
