"""Handing over: a single unacknowledged handle, and all messages from meanwhile held back behind it."""

from __future__ import annotations

from nodechannel._core.delivery import Delivery, DeliveryState
from nodechannel._core.outbox import Outbox, Write
from nodechannel._core.state import HAND_OVER, HandOver, HandOverInput

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import TypeAlias

    from nodechannel._core import outbox
    from nodechannel._transport.owned import OwnedFd

    Checkpoint: TypeAlias = tuple[HandOver, Write | None, int, int, int, outbox.Checkpoint | None]

_IDLE = HandOver.IDLE
_SEND, _WRITE_DONE, _GIVE_UP = HandOverInput.SEND, HandOverInput.WRITE_DONE, HandOverInput.GIVE_UP
_ACK, _NACK = HandOverInput.ACK, HandOverInput.NACK
_QUEUED, _ACKNOWLEDGED, _ABANDONED = DeliveryState.QUEUED, DeliveryState.ACKNOWLEDGED, DeliveryState.ABANDONED

# [HND-016] A refused handle is written again this often; Node's own number.
MAX_RETRANSMISSIONS = 3


class HandOvers:
    """The handle that is under way, and the frames behind it.

    Args:
        outbox: where writes go whose turn has come.

    Attributes:
        waiting: how many handles are among them.
    """

    __slots__ = ("_held", "_in_flight", "_outbox", "_state", "waiting")

    def __init__(self, outbox: Outbox) -> None:
        self._outbox = outbox
        self._state = _IDLE
        self._in_flight: Write | None = None
        self._held: Outbox | None = None
        self.waiting = 0

    @property
    def held(self) -> Outbox:
        """The writes behind the handle ([HND-010]); made by the first use, because most channels hand no socket over."""
        if self._held is None:
            self._held = Outbox()
        return self._held

    @property
    def held_size(self) -> int:
        """Bytes behind the handle."""
        return 0 if self._held is None else self._held.size

    @property
    def idle(self) -> bool:
        """Whether no handle is under way."""
        return self._state is _IDLE

    def send(self, frame: bytes, fd: OwnedFd, delivery: Delivery, *, shared: bool) -> Delivery:
        """Queue the envelope of a handle."""
        write = Write(frame, delivery, fd, shared)
        if self.idle:
            self._start(write)
        else:
            self.held.put(write)
            self.waiting += 1
        return delivery

    def write_done(self, write: Write) -> None:
        """The kernel has all of a write."""
        if write is self._in_flight and (self._state, _WRITE_DONE) in HAND_OVER:
            self._move(_WRITE_DONE)

    def acknowledged(self) -> bool:
        """The peer has the handle; return whether there was one to acknowledge ([HND-051])."""
        if (self._state, _ACK) not in HAND_OVER:
            return False
        self._finish(_ACK, _ACKNOWLEDGED)
        return True

    def refused(self) -> Delivery | None:
        """The peer refused the handle; return its delivery now, or None if there was none to refuse."""
        write = self._in_flight
        if write is None or (self._state, _NACK) not in HAND_OVER:
            return None
        delivery = write.delivery
        delivery.refusals += 1
        if delivery.refusals > MAX_RETRANSMISSIONS:
            delivery.refused = True
            self._finish(_GIVE_UP, _ABANDONED)
        else:
            self._move(_NACK)  # [HND-015]
            delivery.state = _QUEUED
            write.offset = 0
            # [HND-024]
            self._outbox.put(write)
        return delivery

    # [HND-025]
    def abandon_all(self) -> None:
        """Give up all that was not delivered: the channel ends."""
        for write in (*self._outbox.clear(), *(self.held.clear() if self._held else ())):
            _conclude(write, _ABANDONED)
        if self._in_flight is not None:
            _conclude(self._in_flight, _ABANDONED)
        self._in_flight = None
        self._state = _IDLE
        self.waiting = 0

    def checkpoint(self) -> Checkpoint:
        """Return the state, for `restore`."""
        write = self._in_flight
        held = None if self._held is None else self._held.checkpoint()
        refusals, offset = (0, 0) if write is None else (write.delivery.refusals, write.offset)
        return self._state, write, refusals, offset, self.waiting, held

    def restore(self, checkpoint: Checkpoint) -> None:
        """Return to the state of a checkpoint."""
        self._state, write, refusals, offset, self.waiting, held = checkpoint
        self._in_flight = write
        if write is not None:
            write.delivery.refusals, write.offset = refusals, offset
        if held is None:
            self._held = None
        else:
            self.held.restore(held)

    def commit(self) -> None:
        """Forget the checkpoint."""
        if self._held is not None:
            self._held.commit()

    def _start(self, write: Write) -> None:
        # [HND-017]
        self._move(_SEND)
        self._in_flight = write
        self._outbox.put(write)

    def _finish(self, how: HandOverInput, state: DeliveryState) -> None:
        self._move(how)
        if self._in_flight is not None:
            _conclude(self._in_flight, state)
        self._in_flight = None
        # [HND-020, HND-023]
        while self.held_size and self.idle:
            write = self.held.take()
            if write.fd is not None:
                self.waiting -= 1
                self._start(write)
            else:
                self._outbox.put(write)

    def _move(self, how: HandOverInput) -> None:
        self._state = HAND_OVER[self._state, how]


def _conclude(write: Write, state: DeliveryState) -> None:
    """Put an end to a delivery: set its last state, and close or give back this side's copy of its descriptor."""
    write.delivery.state = state
    if write.fd is None:
        return
    if state is _ABANDONED and not write.shared:
        write.delivery._give_back(write.fd)
    else:
        write.fd.close()  # [HND-055, HND-060]
