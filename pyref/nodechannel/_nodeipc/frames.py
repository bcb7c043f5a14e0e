"""Frames: a JSON text and a form feed each. Bytes come in, events and errors go out."""

from __future__ import annotations

from itertools import takewhile
from typing import TYPE_CHECKING, Any

from nodechannel._json import codec
from nodechannel._nodeipc.event import Event
from nodechannel._nodeipc.names import LIFECYCLE, check_name
from nodechannel.errors import InvalidEvent, InvalidMessage, LineTooLong, MalformedMessage, TruncatedMessage

if TYPE_CHECKING:
    from nodechannel._nodeipc.options import FrameOptions
    from nodechannel.errors import RemoteError

# [NIP-002]
DELIMITER = b"\f"

MAX_FRAME = 64 << 20
"""Bytes of the longest frame that is accepted, if not said otherwise."""


class Frames:
    """Cuts a stream into events, and writes them.

    Args:
        options: those of the client or server.

    Attributes:
        broken: whether reading has ended.
    """

    def __init__(self, options: FrameOptions) -> None:
        self._json = (
            options.get("unsafe_integers", False),
            options.get("allow_nan", True),
            options.get("default"),
        )
        self._limit = options.get("max_frame", MAX_FRAME)
        self._rest = bytearray()
        self.broken: bool = False

    def frame(self, type: object, data: Any) -> bytes:
        """Return the bytes of an event; raises `InvalidMessage`."""
        # [NIP-001, NIP-003]
        return codec.encode({"type": check_name(type), "data": data}, *self._json)[:-1] + DELIMITER

    def feed(self, data: bytes) -> list[Event | RemoteError]:
        """Return the events that `data` completes, and an error in the place of each frame that is none."""
        if self.broken:
            return []
        # [NIP-010] Any cut of the stream means the same.
        first, *others = data.split(DELIMITER)
        self._rest += first
        frames: list[bytes] = []
        if others:
            frames = [bytes(self._rest), *others[:-1]]
            self._rest = bytearray(others[-1])
        # [NIP-014]
        longest = max(len(self._rest), *map(len, frames), 0)
        return self._read(frames) if longest <= self._limit else self._fail(frames)

    def _fail(self, frames: list[bytes]) -> list[Event | RemoteError]:
        """Return the bytes before the first frame that is too long, and give the stream up."""
        self.broken, self._rest = True, bytearray()
        good = takewhile(lambda frame: len(frame) <= self._limit, frames)
        return [*self._read(list(good)), LineTooLong(self._limit, "max_frame")]

    def end(self) -> list[Event | RemoteError]:
        """Return the error of a frame whose end never came."""
        return [TruncatedMessage(self._rest)] if self._rest else []

    def _read(self, frames: list[bytes]) -> list[Event | RemoteError]:
        if all(map(_announces_event, frames)):
            try:
                return [_event(value) for value in codec.decode_lines(frames)]
            except MalformedMessage:
                pass
        return list(map(self._read_one, frames))

    def _read_one(self, frame: bytes) -> Event | RemoteError:
        # [NIP-011]
        try:
            return _event(codec.decode(frame))
        except MalformedMessage as error:
            return error


def _announces_event(frame: bytes) -> bool:
    """Tell whether a frame begins as an object; a frame with white space alone would vanish among many."""
    return frame[:1] == b"{"


def _event(value: Any) -> Event:
    """Return a decoded frame as an event; raises `InvalidEvent`."""
    type = value.get("type") if isinstance(value, dict) else None
    # [NIP-012]
    if not isinstance(type, str):
        raise InvalidEvent("it has no type", value)
    # [NIP-013]
    if type in LIFECYCLE:
        raise InvalidEvent(f"its type {type!r} is the name of news of a connection", value)
    return Event(type, value.get("data"))


class RawFrames:
    """Bytes without frames, the raw mode of `node-ipc`: each read is an event of the type ``data``."""

    broken: bool = False

    def frame(self, type: object, data: Any) -> bytes:
        """Return the bytes; raises `InvalidMessage` for an event."""
        if not isinstance(type, bytes | bytearray | memoryview) or data is not None:
            raise InvalidMessage("in raw mode `send` takes bytes alone")
        return bytes(type)

    def feed(self, data: bytes) -> list[Event | RemoteError]:
        """Return the bytes as an event."""
        return [Event("data", data)]

    def end(self) -> list[Event | RemoteError]:
        """Return none: bytes without frames end anywhere."""
        return []


def frames_of(options: FrameOptions) -> Frames | RawFrames:
    """Return the framing that the options choose."""
    return RawFrames() if options.get("raw") else Frames(options)
