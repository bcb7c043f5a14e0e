"""Why a frame cannot be read, inside of this room: `decode` turns both into `InvalidFrame`."""

from __future__ import annotations


class Malformed(Exception):
    """The bytes are no value.

    Attributes:
        reason: why.
        at: the position in the frame, or None where the frame ends.
    """

    def __init__(self, reason: str, at: int | None = None) -> None:
        super().__init__(reason, at)
        self.reason = reason
        self.at = at


class Truncated(Malformed):
    """The frame ends in the middle of a value."""

    def __init__(self) -> None:
        super().__init__("the frame ends in the middle of a value")
