"""A handle on its way out, for type checkers: to import `typing` takes as long as importing this package."""

from __future__ import annotations

from typing import Protocol

from nodechannel._core.delivery import Delivery
from nodechannel._handles.types import HandleType
from nodechannel._transport.owned import OwnedFd


class Outgoing(Protocol):
    """A handle that the caller offers: described now, taken only once no step can fail any more."""

    type: HandleType
    dgram_type: str | None
    key: str | None
    shared: bool

    def take(self) -> OwnedFd:
        """Make the descriptor ready for the peer and hand it over."""

    def return_to(self, delivery: Delivery) -> None:
        """Leave a descriptor that was taken in vain to the delivery of its message."""
