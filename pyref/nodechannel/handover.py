"""Handing over: one unacknowledged handle at a time, and everything sent meanwhile held back behind it."""

from __future__ import annotations

from nodechannel.delivery import DeliveryState, HandleDelivery
from nodechannel.errors import HandleAbandoned
from nodechannel.outbox import HandleWrite, Outbox
from nodechannel.state import HAND_OVER, HandOver, HandOverInput

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from nodechannel.fd import OwnedFd
    from nodechannel.outbox import Write

# [HND-016] A refused handle is written again this often; Node's own number.
MAX_RETRANSMISSIONS = 3


class HandOvers:
    """The handle that is under way, and what waits behind it.

    Args:
        outbox: where writes go whose turn has come.

    Attributes:
        held: writes behind the handle ([HND-010]).
    """

    __slots__ = ("_in_flight", "_outbox", "_state", "held")

    def __init__(self, outbox: Outbox) -> None:
        self._outbox = outbox
        self._state = HandOver.IDLE
        self._in_flight: HandleWrite | None = None
        self.held = Outbox()

    @property
    def idle(self) -> bool:
        """Whether no handle is under way."""
        return self._state is HandOver.IDLE

    def send(self, frame: bytes, fd: OwnedFd, *, shared: bool) -> HandleDelivery:
        """Queue the envelope of a handle."""
        delivery = HandleDelivery()
        write = HandleWrite(frame, delivery, fd, shared=shared)
        if self.idle:
            self._start(write)
        else:
            self.held.put(write)
        return delivery

    def written(self, write: Write) -> None:
        """The kernel has all of a write."""
        if write is self._in_flight:
            self._move(HandOverInput.WRITTEN)

    def acknowledged(self) -> bool:
        """The peer has the handle; return whether there was one to acknowledge ([HND-051])."""
        if (self._state, HandOverInput.ACK) not in HAND_OVER:
            return False
        self._finish(HandOverInput.ACK, DeliveryState.ACKNOWLEDGED)
        return True

    def refused(self) -> HandleDelivery | None:
        """The peer refused the handle; return what is known of it now, or None if there was none to refuse."""
        write = self._in_flight
        if write is None or (self._state, HandOverInput.NACK) not in HAND_OVER:
            return None
        delivery = write.delivery
        delivery.refusals += 1
        if delivery.refusals > MAX_RETRANSMISSIONS:
            delivery.error = HandleAbandoned(delivery)
            self._finish(HandOverInput.GIVE_UP, DeliveryState.ABANDONED)
        else:
            self._move(HandOverInput.NACK)  # [HND-015]
            delivery.state = DeliveryState.QUEUED
            # [HND-024]
            self._outbox.put(write)
        return delivery

    # [HND-025]
    def abandon_all(self) -> None:
        """Give up whatever was not delivered: the channel ends."""
        _conclude(self._outbox.clear(), DeliveryState.ABANDONED)
        _conclude(self.held.clear(), DeliveryState.ABANDONED)
        if self._in_flight is not None:
            _conclude([self._in_flight], DeliveryState.ABANDONED)
        self._in_flight = None
        self._state = HandOver.IDLE

    def _start(self, write: HandleWrite) -> None:
        # [HND-017]
        self._move(HandOverInput.SEND)
        self._in_flight = write
        self._outbox.put(write)

    def _finish(self, how: HandOverInput, state: DeliveryState) -> None:
        self._move(how)
        if self._in_flight is not None:
            _conclude([self._in_flight], state)
        self._in_flight = None
        # [HND-020, HND-023]
        while self.held and self.idle:
            write = self.held.take()
            if isinstance(write, HandleWrite):
                self._start(write)
            else:
                self._outbox.put(write)

    def _move(self, how: HandOverInput) -> None:
        self._state = HAND_OVER[self._state, how]


def _conclude(writes: Iterable[Write], state: DeliveryState) -> None:
    """Put an end to deliveries: set their last state, and close or give back this side's copy of their descriptors."""
    for write in writes:
        write.delivery.state = state
        if not isinstance(write, HandleWrite):
            continue
        if state is DeliveryState.ABANDONED and not write.shared:
            write.delivery.give_back(write.fd)
        else:
            write.fd.close()  # [HND-055]
