"""A connection to a peer, in the event loop."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING, Protocol, cast

if TYPE_CHECKING:
    from collections.abc import Iterable

    from nodechannel._nodeipc.event import Event
    from nodechannel._nodeipc.frames import Frames, RawFrames
    from nodechannel._nodeipc.outlet import Outlet
    from nodechannel.errors import RemoteError

    class Owner(Protocol):
        """The client or the server's peer that a connection belongs to."""

        outlet: Outlet

        def made(self) -> None:
            """Note that the connection stands."""

        def received(self, events: Iterable[Event | RemoteError]) -> None:
            """Take events; a reader goes on within this call."""

        def lost(self) -> None:
            """Note that the connection has ended."""

        def crowded(self) -> bool:
            """Tell whether the connection should read no more for now."""


FAREWELL = 1.0
"""Seconds that a peer has to end its side of TLS."""


class Link(asyncio.Protocol):
    """A connection over a stream.

    Args:
        owner: where events go to and frames come from.
        frames: the framing, new for each connection.

    Attributes:
        transport: the connection, once it stands.
        lost: set when the connection has ended.
    """

    def __init__(self, owner: Owner, frames: Frames | RawFrames) -> None:
        self._owner = owner
        self._frames = frames
        self._paused = False
        self.transport: asyncio.Transport | None = None
        self.lost: asyncio.Event = asyncio.Event()

    async def finish(self) -> None:
        """End the connection in good order: TLS says farewell."""
        if self.transport is None:
            return
        self.transport.close()
        with suppress(TimeoutError):
            async with asyncio.timeout(FAREWELL):
                await self.lost.wait()
        self.transport.abort()

    def abort(self) -> None:
        """End the connection now."""
        if self.transport is not None:
            self.transport.abort()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin."""
        self.transport = cast("asyncio.Transport", transport)
        self._owner.made()
        if not self.transport.is_closing():
            self._owner.outlet.attach(self.transport)

    def data_received(self, data: bytes) -> None:
        """Hand on events."""
        assert self.transport is not None
        found = self._frames.feed(data)
        if self._frames.broken:
            self.transport.abort()
        if found:
            self._owner.received(found)
        # [NIP-022] With anything on its way out reading goes on: the peer may wait for room itself.
        if self._owner.crowded() and self._owner.outlet.settled and not self.transport.is_closing():
            self._paused = True
            self.transport.pause_reading()

    def read_on(self) -> None:
        """Read again after a pause."""
        if self._paused and self.transport is not None:
            self._paused = False
            if not self.transport.is_closing():
                self.transport.resume_reading()

    def pause_writing(self) -> None:
        """Read on while a block waits for room."""
        self.read_on()

    def resume_writing(self) -> None:
        """Note that the block is written."""
        self._owner.outlet.resume()

    def eof_received(self) -> None:
        """Let the connection end: a peer of `node-ipc` never closes one direction alone."""

    def connection_lost(self, _error: Exception | None) -> None:
        """End."""
        self._owner.outlet.detach()
        if found := self._frames.end():
            self._owner.received(found)
        self.lost.set()
        self._owner.lost()
