"""The fate of a message after it was sent."""

from __future__ import annotations

import socket
from enum import Enum, auto

from nodechannel._transport.owned import OwnedFd
from nodechannel.errors import HandleAbandoned, HandleTaken


class DeliveryState(Enum):
    """How far a message has come."""

    QUEUED = auto()
    WRITTEN = auto()  # the kernel has it; for a message without a handle there is no later state
    ACKNOWLEDGED = auto()  # the peer has the handle
    # [LIF-017]
    ABANDONED = auto()  # it will never be delivered: the peer refused the handle or the channel ended


_QUEUED = DeliveryState.QUEUED


class Delivery:
    """The fate of a message after `send`; messages without a handle that leave together share it.

    It equals itself and its copies, which tell how far the message had come when they were made.

    Attributes:
        state: how far it has come.
        refusals: how often the peer refused its handle with `NODE_HANDLE_NACK`.
        refused: whether the peer refused the handle for good.
    """

    # The state of most messages is all that is ever known.
    refusals: int = 0
    refused: bool = False
    # Of a copy: the number of the original.
    _original: int | None = None
    # A signal handler may raise inside `__init__`, and `__del__` reads this attribute nevertheless.
    _returned: OwnedFd | None = None

    def __init__(self) -> None:
        self.state: DeliveryState = _QUEUED

    @property
    def error(self) -> HandleAbandoned | None:
        """Why the peer does not have the handle, if it refused it for good."""
        # Made anew: a delivery that keeps its error, which keeps the delivery, would close its descriptor only in the cyclic collector.
        return HandleAbandoned(self) if self.refused else None

    def take_back(self, timeout: float | None = None) -> socket.socket:
        """Return the connected socket that was handed over in vain, once the delivery is abandoned.

        It is non-blocking, or waits for `timeout` seconds in each call. A socket that is not taken back is closed with the delivery.
        Raises `HandleTaken` when there is none: it was shared and not handed over, was acknowledged, or was taken back before.
        """
        fd, self._returned = self._returned, None
        if fd is None:
            raise HandleTaken
        sock = socket.socket(fileno=fd.detach())
        sock.settimeout(timeout or 0.0)
        return sock

    # [HND-056]
    def _give_back(self, fd: OwnedFd) -> None:
        """Keep the descriptor of a handle that was not delivered."""
        self._returned = fd

    def _number(self) -> int:
        return id(self) if self._original is None else self._original

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Delivery) and self._number() == other._number()

    def __hash__(self) -> int:
        return self._number()

    def __getstate__(self) -> dict[str, object]:
        # The socket that may be taken back stays with the original.
        return {**vars(self), "_returned": None, "_original": self._number()}

    def __del__(self) -> None:
        if self._returned is not None:
            self._returned.close()

    def __repr__(self) -> str:
        return f"<Delivery {self.state.name.lower()}>"


WRITTEN_AT_ONCE = Delivery()
"""The delivery of every message that the kernel took at once."""
WRITTEN_AT_ONCE.state = DeliveryState.WRITTEN
