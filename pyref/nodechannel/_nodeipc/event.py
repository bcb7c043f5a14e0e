"""An event, as a receiver gets it."""

from __future__ import annotations

from typing import Any


class Event:  # noqa: PLW1641 (the value of most events has no hash)
    """An event that has arrived.

    Attributes:
        type: its name.
        data: its value as Python's JSON types; bytes in raw mode.
        peer: on a server the connection that it came over, which `send` answers; else None.
    """

    __slots__ = ("data", "peer", "type")
    __match_args__ = ("type", "data", "peer")

    def __init__(self, type: str, data: Any = None, peer: Any = None) -> None:
        self.type: str = type
        self.data: Any = data
        self.peer: Any = peer

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Event):
            return NotImplemented
        return (self.type, self.peer) == (other.type, other.peer) and bool(self.data == other.data)

    def __repr__(self) -> str:
        return f"Event({self.type!r}, {self.data!r})"


def note_id(peer: Any, data: Any) -> None:
    """Call a peer by the `id` in the data of its event."""
    # [NIP-040]
    if isinstance(data, dict) and data.get("id"):
        peer.id = data["id"]
