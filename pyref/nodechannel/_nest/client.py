"""A client of NestJS microservices over Redis."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from typing import Any

from nodechannel._io.limits import seconds
from nodechannel._nest import wire
from nodechannel._nest.wire import NestError
from nodechannel._redis.server import RedisRefused, Server
from nodechannel._redis.source import Connected
from nodechannel._redis.values import text_of, value_of
from nodechannel.errors import ConnectionLost, MalformedMessage


class Client(Connected):
    """A client of NestJS microservices. Made by `connect`.

    As an asynchronous context manager it closes its connections at the end of the block.
    """

    def __init__(self, url: str) -> None:
        self._server = Server(url)
        self._asked: dict[Any, asyncio.Queue[Any]] = {}
        self._confirmed: dict[str, asyncio.Future[None]] = {}
        self._subscription: Any = None
        self._reading: asyncio.Task[None] | None = None

    async def request(self, pattern: Any, data: Any, *, timeout: float | None = None) -> Any:
        """Ask for an answer and return it; of a stream of values the last.

        Raises `NestError` for an error answer and when no server listens, `TimeoutError`, `InvalidMessage`, and `ConnectionLost` when the
        answer may be lost.
        """
        last = None
        async with asyncio.timeout(seconds(timeout)):
            async for response in self.stream(pattern, data):
                last = response
        return last

    async def stream(self, pattern: Any, data: Any) -> AsyncIterator[Any]:
        """Ask for an answer and yield each of its values; raises the errors of `request`."""
        channel = wire.route(pattern)
        packet = wire.request(pattern, data)
        text = text_of(packet)
        answers = self._asked[packet["id"]] = asyncio.Queue()
        try:
            # [RDS-043]
            await self._subscribed(f"{channel}.reply")
            # [RDS-044]
            if not await self._server.once(lambda redis: redis.publish(channel, text), "request"):
                raise NestError(f"no server listens to {channel!r}")
            while True:
                found = await answers.get()
                if isinstance(found, Exception):
                    raise found
                if found.get("err") is not None:
                    raise NestError(found["err"])
                if "response" in found:
                    yield found["response"]
                if found.get("isDisposed"):
                    return
        finally:
            del self._asked[packet["id"]]

    async def emit(self, pattern: Any, data: Any) -> int:
        """Tell an event; return how many servers it reached. Raises `InvalidMessage` and `ConnectionLost`."""
        channel, text = wire.route(pattern), text_of(wire.event(pattern, data))
        return int(await self._server.once(lambda redis: redis.publish(channel, text), "emit"))

    async def close(self) -> None:
        """Close the connections; requests under way fail. Safe to call again."""
        if self._reading is not None:
            self._reading.cancel()
            with suppress(asyncio.CancelledError):
                await self._reading
        await self._server.close()

    # The answers.

    async def _subscribed(self, channel: str) -> None:
        """Wait until answers on a channel arrive."""
        confirmed = self._confirmed.get(channel)
        if confirmed is None:
            loop = asyncio.get_running_loop()
            confirmed = self._confirmed[channel] = loop.create_future()
            if self._subscription is None:
                self._subscription = self._server.redis.pubsub()
            subscription = self._subscription
            try:
                await self._server.once(lambda _: subscription.subscribe(channel), "request")
            except BaseException:
                self._confirmed.pop(channel, None)
                raise
            if self._reading is None:
                self._reading = loop.create_task(self._read(subscription))
        await asyncio.shield(confirmed)

    async def _read(self, subscription: Any) -> None:
        """Hand on answers until the connection ends."""
        error: Exception = ConnectionLost("the client was closed")
        try:
            while True:
                message = await self._server.once(lambda _: subscription.get_message(timeout=None), "receive")
                if message is not None:
                    self._take(message)
        except (ConnectionLost, RedisRefused) as lost:
            error = lost
        finally:
            self._fail(error)
            self._subscription = self._reading = None
            await subscription.aclose()

    def _take(self, message: dict[str, Any]) -> None:
        if message["type"] == "subscribe":
            confirmed = self._confirmed.get(message["channel"].decode())
            if confirmed is not None and not confirmed.done():
                confirmed.set_result(None)
        elif message["type"] == "message":
            with suppress(MalformedMessage):
                packet = value_of(message["data"])
                if isinstance(packet, dict) and packet.get("id") in self._asked:
                    self._asked[packet["id"]].put_nowait(packet)

    def _fail(self, error: Exception) -> None:
        for answers in self._asked.values():
            answers.put_nowait(error)
        for confirmed in self._confirmed.values():
            if not confirmed.done():
                confirmed.set_exception(error)
                confirmed.exception()  # those who wait see it; without any it is no news
        self._confirmed.clear()


async def connect(url: str) -> Client:
    """Make a client of the microservices at a Redis server, which need not be there yet."""
    return Client(url)
