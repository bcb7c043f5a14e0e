"""A client: one conversation over one connection after another."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from types import TracebackType
from typing import Any, NoReturn, Self, Unpack

from nodechannel._carriers.backoff import pauses
from nodechannel._carriers.inbox import Inbox, Receiver
from nodechannel._carriers.options import check_seconds
from nodechannel._carriers.waiting import wait_until
from nodechannel._nodeipc.addresses import Address, address_of
from nodechannel._nodeipc.event import Event
from nodechannel._nodeipc.frames import frames_of
from nodechannel._nodeipc.link import Link
from nodechannel._nodeipc.options import ClientOptions
from nodechannel._nodeipc.outlet import Outlet
from nodechannel._nodeipc.sender import Sender
from nodechannel.errors import RemoteError

RETRY, MAX_RETRY, TIMEOUT = 0.5, 30.0, 10.0


class Client(Sender, Receiver[Event]):
    """A client of a server of `node-ipc`. Made by `connect`, inside a running event loop.

    A connection that ends is made again. Events that wait leave over the next connection; the delivery of an event that may be lost is
    abandoned. As an asynchronous context manager it disconnects at the end of the block.
    """

    def __init__(self, address: Address, options: ClientOptions) -> None:
        check_seconds(options, "retry", "max_retry")
        self.inbox: Inbox[Event] = Inbox()
        super().__init__(frames_of(options), Outlet(self.inbox.loop, self.inbox.waiters))
        self._address = address
        self._options = options
        self._lifecycle = options.get("lifecycle", False)
        self._link: Link | None = None
        self._error: OSError | None = None
        self.inbox.on_room = self._read_on
        self._task = self.inbox.loop.create_task(self._stay_connected())

    def __reduce__(self) -> NoReturn:
        raise TypeError("a Client cannot be copied or pickled: it belongs to one process")

    async def disconnect(self, timeout: float | None = None) -> None:
        """End the connection after all messages are written; raises `TimeoutError`, and then the client is closed too."""
        try:
            if self.connected:
                await self.outlet.flush(timeout)
                self._end()
                assert self._link is not None
                await self._link.finish()
        finally:
            self.close_connection()

    def close(self) -> None:
        """End now: queued and unread messages are dropped. Safe to call again."""
        self.close_connection()
        self.inbox.events.waiting.clear()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is None:
            await self.disconnect()
        else:
            self.close()

    # The connections.

    async def wait_connected(self, timeout: float | None) -> None:
        """Wait for the first connection; raises `OSError` when the tries are used up, and `TimeoutError`."""
        done = await wait_until(self.inbox.waiters, lambda: self.connected or self.outlet.ended, timeout)
        if self.connected:
            return
        self.close()
        if done and self._error is not None:
            raise self._error
        raise TimeoutError(
            f"no server answered at {self._address} within {timeout} seconds; start it, or give another path="
        ) from self._error

    async def _stay_connected(self) -> None:
        # [NIP-050, NIP-051]
        while await self._make_connection():
            assert self._link is not None
            await self._link.lost.wait()
        self._end()

    async def _make_connection(self) -> bool:
        """Try until there is a connection; return whether there is."""
        if self._link is not None and not await self._pause(self._pauses()):
            return False
        tries = self._pauses()
        while True:
            try:
                await self._address.dial(self.inbox.loop, self._make_link)
            except OSError as error:
                self._error = error
            else:
                return True
            if not await self._pause(tries):
                return False

    def _pauses(self) -> Any:
        options = self._options
        return pauses(
            options.get("retry", RETRY), options.get("max_retry", MAX_RETRY), options.get("max_retries")
        )

    async def _pause(self, tries: Any) -> bool:
        """Wait before the next try; return whether there is one."""
        pause = next(tries, None)
        if pause is None:
            return False
        await asyncio.sleep(pause)
        return True

    def _make_link(self) -> Link:
        self._link = Link(self, frames_of(self._options))
        return self._link

    def _read_on(self) -> None:
        if self._link is not None:
            self._link.read_on()

    def close_connection(self) -> None:
        """End now; received messages can still be taken."""
        self._end()
        if self._link is not None:
            self._link.abort()

    def _end(self) -> None:
        """Connect and send no more."""
        if not self.outlet.ended:
            self.outlet.end()
            self._task.cancel()
            self.inbox.end()

    # The news of a connection.

    def made(self) -> None:
        """Note that the connection stands."""
        if self._lifecycle:
            self.inbox.put([Event("connect")])

    def received(self, events: Iterable[Event | RemoteError]) -> None:
        """Take events."""
        self.inbox.put(events)

    def lost(self) -> None:
        """Note that the connection has ended."""
        if self._lifecycle:
            self.inbox.put([Event("disconnect")])

    def crowded(self) -> bool:
        """Tell whether the connection should read no more for now."""
        return self.inbox.full


async def connect(id: str | None = None, **options: Unpack[ClientOptions]) -> Client:
    """Connect to a server of `node-ipc` by its id, its path, or its host and port; for the options see `ClientOptions`.

    Raises `InvalidAddress`, `NotOnThisSystem` for an id or a path on Windows, `TimeoutError` when no server answers in time, and
    `OSError` when `max_retries` ran out.
    """
    client = Client(address_of(id, options), options)
    try:
        await client.wait_connected(options.get("timeout", TIMEOUT))
    except BaseException:
        client.close()
        raise
    return client
