"""Frames that PM2's daemon survives, whichever method of the channel sends them."""

from __future__ import annotations

import re
from itertools import accumulate
from typing import TYPE_CHECKING, Any

from nodechannel._json.given import given
from nodechannel._json.text import JsonText
from nodechannel._pm2.messages import UnsafeForPM2

if TYPE_CHECKING:
    import nodechannel
    from nodechannel import asyncio as aio
    from nodechannel._core.serialization import Serialization

# Lists and objects within each other. The daemon copies a message by recursion; measured, its stack ends between 2000 and 2500.
DEEPEST = 1000

# Bytes of a message. The daemon holds several copies of it, and writes one with its own words around it.
LONGEST = 100_000_000

_BRACKETS = re.compile(rb'"(?:[^"\\]|\\.)*"|([\[{])|([\]}])')


class Guard:
    """The serialization of a channel, which refuses messages that end the daemon."""

    def __init__(self, serialization: Serialization) -> None:
        self._serialization = serialization

    def frame(self, message: object) -> bytes:
        """Return the frame of a message; raises `UnsafeForPM2`."""
        if isinstance(message, JsonText):  # perhaps unread until now
            message = given(message.text, trusted=False)
        frame = self._serialization.frame(message)
        check(frame)
        return frame

    def frames(self, messages: list[object]) -> list[bytes]:
        """Return the frames of many messages; raises `UnsafeForPM2`."""
        return [self.frame(message) for message in messages]

    def envelope(self, message: object, *args: Any, **options: Any) -> bytes:
        """Return the frame of a message with a handle; raises `UnsafeForPM2`."""
        self.frame(message)
        return self._serialization.envelope(message, *args, **options)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._serialization, name)


def guard(channel: nodechannel.Channel | aio.Channel) -> None:
    """Let a channel refuse what ends the daemon. PM2 speaks the serialization `json` only."""
    connection = channel._connection
    if connection.mode == "json":
        guarded = Guard(connection._serialization)
        connection._serialization = guarded
        connection.frame, connection.frames = guarded.frame, guarded.frames


def check(frame: bytes) -> None:
    """Raise `UnsafeForPM2` for the frame of a message that ends the daemon."""
    if frame.strip() == b"null":
        raise UnsafeForPM2("null ends the daemon; send False, an empty string or a dictionary instead")
    if len(frame) > LONGEST:
        raise UnsafeForPM2(
            f"it has {len(frame)} bytes, and the daemon survives {LONGEST}; send a file name instead"
        )
    # The brackets are counted first, which costs little; texts among them do not matter then.
    if frame.count(b"[") + frame.count(b"{") > DEEPEST and _depth(frame) > DEEPEST:
        raise UnsafeForPM2(
            f"its lists and objects are nested more than {DEEPEST} deep; send it flat, or as a text"
        )


def _depth(frame: bytes) -> int:
    steps = (bool(found[1]) - bool(found[2]) for found in _BRACKETS.finditer(frame))
    return max(accumulate(steps), default=0)
