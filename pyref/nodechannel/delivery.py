"""What becomes of a message after it was sent."""

from __future__ import annotations

from enum import Enum, auto


class DeliveryState(Enum):
    """How far a message has come."""

    QUEUED = auto()
    WRITTEN = auto()  # the kernel has it; for a message without a handle there is no later state
    ACKNOWLEDGED = auto()  # the peer has the handle
    ABANDONED = auto()  # it will never be delivered: the peer refused the handle or the channel ended


class Delivery:
    """What becomes of one message after `send`.

    Attributes:
        state: how far it has come.
        refusals: how often the peer refused its handle with `NODE_HANDLE_NACK`.
    """

    __slots__ = ("refusals", "state")

    def __init__(self) -> None:
        self.state = DeliveryState.QUEUED
        self.refusals = 0

    def __repr__(self) -> str:
        return f"<Delivery {self.state.name.lower()}>"
