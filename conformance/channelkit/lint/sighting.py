"""The frames of a recording, each with its place and with the descriptors that came in it."""

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from channelkit.tap.record import DOWN, UP, Entry
from channelkit.wire.serialization import Frame, Serialization

Descriptor = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Sighting:
    """A frame as it passed."""

    way: str
    frame: Frame
    raw: bytes
    """All bytes of the frame, its end included."""
    offset: int
    entry: int
    time: int
    """When its last byte passed."""
    descriptors: tuple[tuple[int, Descriptor], ...] = ()
    """The place in the frame, and the descriptor."""
    command: str = ""
    """``cmd`` of an internal message, else empty."""

    @property
    def value(self) -> Any:
        """The message, None where the frame holds none."""
        return self.frame.value


def command_of(value: Any) -> str:
    """``cmd`` of an internal message, else empty."""
    command = value.get("cmd") if type(value) is dict else None
    internal = isinstance(command, str) and command.startswith("NODE_") and len(command) > len("NODE_")
    return str(command) if internal else ""


def other(way: str) -> str:
    """The way back."""
    return UP if way == DOWN else DOWN


class Stream:
    """The bytes of a way, cut into frames."""

    def __init__(self, way: str, serialization: Serialization, skip: bool) -> None:
        """With ``skip`` the recording begins within a frame, which is passed over."""
        self._way = way
        self._serialization = serialization
        self._skip = skip
        self.rest = bytearray()
        """The unfinished frame."""
        self.offset = 0
        """Where it begins."""
        self._descriptors: deque[tuple[int, Descriptor]] = deque()
        self.begun: tuple[int, int] = (0, 0)
        """Entry and time of the last bytes."""

    def feed(self, number: int, entry: Entry) -> Iterator[Sighting]:
        """The frames that are complete now."""
        self.begun = (number, entry.time)
        seen = len(self.rest)
        at = self.offset + seen
        self._descriptors.extend((at, one) for one in entry.descriptors)
        self.rest += entry.data
        begin = 0
        end_of, read = self._serialization.end, self._serialization.read
        if end_of(self.rest, 0, seen) < 0:  # a long frame in many pieces is not copied with each of them
            return
        data = bytes(self.rest)
        while (end := end_of(data, begin, max(begin, seen))) >= 0:
            raw = data[begin:end]
            start = self.offset + begin
            fds = self._taken(start, start + len(raw)) if self._descriptors else ()
            if self._skip:
                self._skip = False
            else:
                frame = read(raw)
                command = command_of(frame.value)
                yield Sighting(self._way, frame, raw, start, number, entry.time, fds, command)
            begin = end
        if begin:
            del self.rest[:begin]
            self.offset += begin

    def _taken(self, begin: int, end: int) -> tuple[tuple[int, Descriptor], ...]:
        taken = []
        while self._descriptors and self._descriptors[0][0] < end:
            at, one = self._descriptors.popleft()
            taken.append((at - begin, one))
        return tuple(taken)
