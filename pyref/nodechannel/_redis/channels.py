"""Channels of Redis: a message reaches all programs that listen at that moment."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from nodechannel._carriers.options import check_seconds
from nodechannel._io.limits import seconds
from nodechannel._redis.server import FOREVER, Deadline, Server
from nodechannel._redis.source import Source
from nodechannel._redis.values import text_of, value_of
from nodechannel.errors import ChannelClosed, ConnectionLost


class Published(NamedTuple):
    """A message of a channel.

    Attributes:
        channel: the name of the channel.
        data: the value.
    """

    channel: str
    data: Any


class Channels(Source[Published]):
    """Channels to listen to and to send to. Made by `channels`.

    As an asynchronous context manager it closes its connections at the end of the block.
    """

    def __init__(self, url: str, names: Sequence[str], patterns: Sequence[str], retry: float) -> None:
        check_seconds({"retry": retry}, "retry")
        self._server = Server(url, retry)
        self._names, self._patterns = list(names), list(patterns)
        self._subscription: Any = None
        self._found: deque[Published] = deque()

    async def send(self, channel: str, data: Any, *, timeout: float | None = None) -> int:
        """Publish a message; return how many connections it reached, which may be none.

        Raises `InvalidMessage`, `TimeoutError`, `RedisRefused`, `ChannelClosed`, and `ConnectionLost` when the answer was lost.
        """
        text = text_of(data)
        async with asyncio.timeout(seconds(timeout)):
            return int(await self._server.once(lambda redis: redis.publish(channel, text), "send"))

    async def send_many(
        self, channel: str, messages: Iterable[Any], *, timeout: float | None = None
    ) -> list[int]:
        """Publish many messages in a single exchange; return for each how many connections it reached. Raises the errors of `send`."""
        texts = [text_of(message) for message in messages]

        async def publish(redis: Any) -> list[int]:
            async with redis.pipeline(transaction=False) as pipeline:
                for text in texts:
                    pipeline.publish(channel, text)
                return list(await pipeline.execute())

        async with asyncio.timeout(seconds(timeout)):
            return await self._server.once(publish, "send")

    async def receive(self, timeout: float | None = None) -> Published:
        """Return the next message.

        Raises `ConnectionLost` in the place of messages that may have been missed while there was no connection, `MalformedMessage` for
        a message that is no JSON text, `TimeoutError` after `timeout` seconds, and `ChannelClosed`.
        """
        deadline = Deadline(timeout)
        while True:
            message = await self._next(deadline)
            if message is not None:
                return Published(message["channel"].decode(errors="replace"), value_of(message["data"]))
            if deadline.passed:
                raise TimeoutError("no message arrived in time")

    async def subscribe(self) -> None:
        """Begin to listen, until it succeeds; returns when messages that are sent from now on arrive."""
        await self._subscribe_again(FOREVER)

    async def _subscribe_again(self, deadline: Deadline) -> None:
        await self._server.steadily(self._subscribe, "subscribe", deadline)

    async def _subscribe(self, redis: Any) -> None:
        if not self._names and not self._patterns:
            raise ValueError("there is no channel to listen to; name one when this is made")
        subscription = redis.pubsub()
        try:
            if self._names:
                await subscription.subscribe(*self._names)
            if self._patterns:
                await subscription.psubscribe(*self._patterns)
            confirmed = 0
            while confirmed < len(self._names) + len(self._patterns):
                answer = await subscription.get_message(timeout=None)
                confirmed += answer is not None and answer["type"] in ("subscribe", "psubscribe")
        except BaseException:
            await subscription.aclose()
            raise
        self._subscription = subscription

    async def _next(self, deadline: Deadline) -> Any:
        """Return a message, or None when none came in a while."""
        if self._server.closed:
            raise ChannelClosed("receive")
        if self._subscription is None:
            await self._subscribe_again(deadline)
        try:
            answer = await self._server.once(
                lambda _: self._subscription.get_message(timeout=deadline.left()), "receive"
            )
        except ConnectionLost:
            # [RDS-031]
            await self._forget_subscription()
            await self._subscribe_again(deadline)
            raise ConnectionLost("messages may be missing: the connection to Redis was made anew") from None
        return answer if answer is not None and answer["type"] in ("message", "pmessage") else None

    async def _forget_subscription(self) -> None:
        if self._subscription is not None:
            subscription, self._subscription = self._subscription, None
            await subscription.aclose()

    async def close(self) -> None:
        """Close the connections. Safe to call again."""
        await self._forget_subscription()
        await self._server.close()


async def channels(url: str, *names: str, patterns: Sequence[str] = (), retry: float = 0.05) -> Channels:
    """Listen to channels of Redis by their names and patterns; with neither the object can send alone.

    Returns once Redis confirms, for which it waits: put a limit around it where that is too long.
    """
    made = Channels(url, names, patterns, retry)
    if names or patterns:
        try:
            await made.subscribe()
        except BaseException:
            await made.close()
            raise
    return made
