"""Frames on their way out to a peer, through each connection that this peer has in turn.

The event loop gets a block when it has written the block before. So a connection that ends loses one block at most, whose delivery is
abandoned. The frames behind it leave over the next connection.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from nodechannel._carriers.waiting import wait_until
from nodechannel._core.connection import HIGH_WATER
from nodechannel._core.delivery import Delivery, DeliveryState
from nodechannel._core.outbox import Outbox
from nodechannel._json.framing import blocks
from nodechannel.errors import ChannelClosed, SendTimeout

if TYPE_CHECKING:
    from nodechannel._aio.wakeup import Waiters


class Outlet:
    """The way out to a peer.

    Args:
        loop: the event loop of the connections.
        waiters: those that wait for frames to leave.

    Attributes:
        ended: whether no message can be sent any more.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop, waiters: Waiters) -> None:
        self._loop = loop
        self._waiters = waiters
        self._outbox = Outbox()
        self._transport: asyncio.WriteTransport | None = None
        # The delivery of the block that the event loop has not written yet.
        self._under_way: Delivery | None = None
        self._scheduled = False
        self._prompt = True
        self.ended: bool = False

    @property
    def connected(self) -> bool:
        """Whether there is a connection."""
        return self._transport is not None

    @property
    def settled(self) -> bool:
        """Whether all messages are written, or never will be."""
        return not self._outbox.size and self._under_way is None

    @property
    def size(self) -> int:
        """Bytes that wait."""
        return self._outbox.size

    # The acts of a user.

    def queue(self, frame: bytes) -> Delivery:
        """Queue a frame, and begin to write; raises `ChannelClosed`."""
        if self.ended:
            raise ChannelClosed("send")
        delivery = self._outbox.push(frame)
        self._write_soon()
        return delivery

    def queue_many(self, frames: list[bytes]) -> Delivery:
        """Queue frames; return the delivery of the last. Raises `ChannelClosed`."""
        return [self.queue(block) for block in blocks(frames)][-1]

    async def have_room(self, delivery: Delivery, timeout: float | None) -> Delivery:
        """Wait while too many bytes wait; raises `SendTimeout` and `ChannelClosed`."""
        if self._crowded() and not await wait_until(self._waiters, lambda: not self._crowded(), timeout):
            raise SendTimeout(delivery)
        return _checked(delivery)

    async def have_written(self, delivery: Delivery, timeout: float | None) -> Delivery:
        """Wait until the kernel has the frame; raises `SendTimeout` and `ChannelClosed`."""
        if not await wait_until(self._waiters, lambda: delivery.state is not DeliveryState.QUEUED, timeout):
            raise SendTimeout(delivery)
        return _checked(delivery)

    async def flush(self, timeout: float | None) -> None:
        """Wait until all messages are written; raises `ChannelClosed` and `TimeoutError`."""
        if not await wait_until(self._waiters, lambda: self.settled or self.ended, timeout):
            raise TimeoutError("not everything was written in time")
        if self.ended:
            raise ChannelClosed("flush")

    def _crowded(self) -> bool:
        return self._outbox.size > HIGH_WATER

    # The acts of a connection.

    def attach(self, transport: asyncio.WriteTransport) -> None:
        """Write through this connection from now on."""
        transport.set_write_buffer_limits(0)
        self._transport = transport
        self.write()

    def detach(self) -> None:
        """Forget the connection; the block that it had is lost."""
        self._transport = None
        if self._under_way is not None:
            self._under_way.state = DeliveryState.ABANDONED
            self._under_way = None
        self._waiters.wake()

    def resume(self) -> None:
        """Note that the connection has written its block."""
        if self._under_way is not None:
            self._under_way.state = DeliveryState.WRITTEN
            self._under_way = None
        self.write()

    def end(self) -> None:
        """Refuse further messages; waiting messages are lost."""
        self.ended = True
        self._transport = None
        for write in self._outbox.clear():
            write.delivery.state = DeliveryState.ABANDONED
        self.detach()

    def _write_soon(self) -> None:
        """Write the first frame of a turn or a read at once, and all that follow in the turn together."""
        if self._scheduled or self._transport is None:
            return
        if self._prompt:
            self.write()
            self._prompt = False
        self._scheduled = True
        self._loop.call_soon(self._write_turn)

    def _write_turn(self) -> None:
        self._scheduled = False
        self._prompt = True
        self.write()

    def write(self) -> None:
        """Give the event loop blocks until a block does not leave at once."""
        while self._transport is not None and self._under_way is None and self._outbox.size:
            # [NIP-020] A block holds whole frames.
            data, _ = self._outbox.gather()
            self._outbox.taken = len(data)
            write = self._outbox.account()
            assert write is not None
            self._outbox.drop()
            self._transport.write(data)
            if self._transport.get_write_buffer_size():
                self._under_way = write.delivery
            else:
                write.delivery.state = DeliveryState.WRITTEN
        self._waiters.wake()


def _checked(delivery: Delivery) -> Delivery:
    if delivery.state is DeliveryState.ABANDONED:
        raise ChannelClosed("send")
    return delivery
