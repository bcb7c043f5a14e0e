"""Items that arrive in an event loop and wait for their reader."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import Any, Generic, Protocol, Self, TypeVar

from nodechannel._aio.channel import READ_AHEAD, READ_AHEAD_LOW
from nodechannel._aio.wakeup import Waiters
from nodechannel._carriers.events import Events
from nodechannel._carriers.waiting import wait_until
from nodechannel.errors import ChannelClosed, RemoteError

Item = TypeVar("Item")


class Inbox(Generic[Item]):
    """A queue of items between a source in the running event loop and its readers.

    Attributes:
        events: the items.
        ended: whether no more items can arrive.
        on_room: called when few items wait, so that a source that paused goes on.
    """

    def __init__(self) -> None:
        self.loop: asyncio.AbstractEventLoop = asyncio.get_running_loop()
        self.events: Events[Item] = Events()
        self.ended: bool = False
        self.on_room: Callable[[], object] = bool
        self.waiters: Waiters = Waiters(self.loop)
        self._paused = False

    @property
    def full(self) -> bool:
        """Whether the source should pause. A source that asks is told by `on_room` when to go on."""
        self._paused = len(self.events) > READ_AHEAD
        return self._paused

    def put(self, items: Iterable[Item | RemoteError]) -> None:
        """Append items; a reader goes on at once, so this is the last act of its caller."""
        self.events.waiting += items
        self.waiters.wake()

    def end(self) -> None:
        """Note that no more items can arrive."""
        self.ended = True
        self.waiters.wake_all_soon()

    async def arrival(self, timeout: float | None) -> None:
        """Wait until an item is there; raises `ChannelClosed` at the end, and `TimeoutError`."""
        if not self.events and not await wait_until(self.waiters, self._arrived, timeout):
            raise TimeoutError("no message arrived in time")
        if not self.events:
            raise ChannelClosed("receive")

    def _arrived(self) -> bool:
        return bool(self.events) or self.ended

    def read_on(self) -> None:
        """Let a source that paused go on once few items wait."""
        if self._paused and len(self.events) <= READ_AHEAD_LOW:
            self._paused = False
            self.on_room()

    def read_on_soon(self) -> None:
        """Do the same from any thread."""
        if self._paused and len(self.events) <= READ_AHEAD_LOW:
            with suppress(RuntimeError):  # the loop is closed, and the source with it
                self.loop.call_soon_threadsafe(self.read_on)


class Arrivals(Protocol):
    """What a reader needs of a queue whose items arrive in an event loop: an `Inbox`, or a transport with one of its own."""

    @property
    def events(self) -> Events[Any]:
        """The items."""

    async def arrival(self, timeout: float | None) -> None:
        """Wait until an item is there; raises `ChannelClosed` at the end, and `TimeoutError`."""

    def read_on_soon(self) -> None:
        """Let a source that paused go on once few items wait; callable from any thread."""


class Receiver(Generic[Item]):
    """The words of receiving, as coroutines."""

    inbox: Inbox[Item]

    @property
    def pending(self) -> int:
        """The number of items that were read already: so many calls of `receive` do not wait."""
        return len(self.inbox.events)

    async def receive(self, timeout: float | None = None) -> Item:
        """Return the next item.

        Raises `ChannelClosed` when no more can arrive and every item was returned, `TimeoutError` after `timeout` seconds, and a
        `RemoteError` for a fault of the peer at this point; later items can still be received.
        """
        await self.inbox.arrival(timeout)
        try:
            return self.inbox.events.take()
        finally:
            self.inbox.read_on()

    async def receive_many(self, timeout: float | None = None) -> list[Item]:
        """Return all items that have been read, at least one; an error ends the list before it, and the next call raises it."""
        await self.inbox.arrival(timeout)
        try:
            return self.inbox.events.take_many()
        finally:
            self.inbox.read_on()

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Item:
        try:
            return await self.receive()
        except ChannelClosed:
            raise StopAsyncIteration from None
