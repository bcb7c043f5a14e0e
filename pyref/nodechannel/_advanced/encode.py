"""From a message to its frame."""

from __future__ import annotations

from nodechannel._advanced import fastwrite
from nodechannel._advanced.write import write
from nodechannel.errors import InvalidMessage

TYPE_CHECKING = False
if TYPE_CHECKING:
    from nodechannel._advanced.write import Default

_write_fast, _FAILURES = fastwrite.write, fastwrite.FAILURES


def encode(message: object, default: Default | None = None) -> bytes:
    """Return the frame of a message, its length before it; raises `InvalidMessage`, and the errors of `default`."""
    # [ADV-002]
    try:
        return _write_fast(message)
    except _FAILURES:
        return write(message, default)


def encode_many(messages: list[object], default: Default | None = None) -> list[bytes]:
    """Return the frames of many messages; the path of an `InvalidMessage` begins with the place of the message."""
    frames = []
    for index, message in enumerate(messages):
        try:
            frames.append(encode(message, default))
        except InvalidMessage as error:
            raise InvalidMessage(error.reason, f"$[{index}]{error.path[1:]}") from None
    return frames
