"""The words of sending that a client and a peer of a server share."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from nodechannel._core.delivery import Delivery
from nodechannel._nodeipc.frames import Frames, RawFrames
from nodechannel._nodeipc.outlet import Outlet


class Sender:
    """An end of a conversation that events are sent through.

    Args:
        frames: how events become bytes.
        outlet: where the bytes wait for the connection.
    """

    def __init__(self, frames: Frames | RawFrames, outlet: Outlet) -> None:
        self._frames = frames
        self.outlet: Outlet = outlet

    @property
    def connected(self) -> bool:
        """Whether there is a connection now."""
        return self.outlet.connected

    async def send(self, type: str | bytes, data: Any = None, *, timeout: float | None = None) -> Delivery:
        """Queue an event; wait only while too much is queued.

        Raises `InvalidMessage`, `ChannelClosed`, and `SendTimeout`. Cancelled or timed out, the event stays queued.
        """
        delivery = self.outlet.queue(self.frame(type, data))
        return await self.outlet.have_room(delivery, timeout)

    async def send_many(self, events: Iterable[tuple[str, Any]], *, timeout: float | None = None) -> Delivery:
        """Queue many events at once, each as its type and data. Raises the errors of `send`; after `InvalidMessage` none is queued."""
        frames = [self.frame(type, data) for type, data in events]
        return await self.outlet.have_room(self.outlet.queue_many(frames), timeout)

    def frame(self, type: str | bytes, data: Any) -> bytes:
        """Return the bytes of an event; raises `InvalidMessage`."""
        return self._frames.frame(type, data)

    async def flush(self, timeout: float | None = None) -> None:
        """Wait until all messages are written; raises `ChannelClosed` and `TimeoutError`."""
        await self.outlet.flush(timeout)
