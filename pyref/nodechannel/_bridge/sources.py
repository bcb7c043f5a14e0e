"""The carriers that a bridge takes jobs from."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from nodechannel._bridge.jobs import Job, Source, nothing
from nodechannel.errors import ChannelClosed, InvalidMessage

# Deliveries of a message before it counts as deadly, and the seconds after which it goes to another bridge.
MAX_ATTEMPTS = 5
CLAIM_AFTER = 30.0

# A carrier that keeps no messages has none to renew.
NEVER = 3600.0


class RedisSource:
    """A Redis stream; answers go to the stream whose name ends in ``:answers``.

    Args:
        url: the server.
        key: the stream.
        group: the consumer group.
        claim_after: seconds without a sign of this bridge after which a message goes to another bridge.
    """

    def __init__(self, url: str, key: str, group: str, claim_after: float) -> None:
        from nodechannel._redis.streams import Stream

        self.pace = claim_after / 3
        # No message is read ahead: a message that waits here could be with an idle child elsewhere.
        self._jobs = Stream(
            url,
            key,
            {"group": group, "prefetch": 1, "claim_after": claim_after, "max_attempts": MAX_ATTEMPTS},
        )
        self._answers = Stream(url, f"{key}:answers", {})

    async def receive(self) -> Job:
        """Return the next message."""
        entry = await self._jobs.receive()

        async def answer(value: Any) -> None:
            # An answer that is there twice has the same id. A lost answer would be worse.
            await self._answers.send(value, id=entry.message_id or entry.id.decode())
            await self._jobs.acknowledge(entry)

        async def renew() -> None:
            with suppress(TimeoutError):  # another try comes with the next pace
                await self._jobs.renew(entry, timeout=self.pace)

        return Job(entry.data, answer, renew)

    async def close(self) -> None:
        """End the connections."""
        await self._jobs.close()
        await self._answers.close()


class NodeIpcSource:
    """A server of node-ipc: the child gets `{"type", "data"}` of each event, and answers with the same or with the data alone."""

    pace = NEVER

    def __init__(self, server: Any) -> None:
        self._server = server

    async def receive(self) -> Job:
        """Return the next event."""
        event = await self._server.receive()

        async def answer(value: Any) -> None:
            named = isinstance(value, dict) and isinstance(value.get("type"), str)
            type, data = (value["type"], value.get("data")) if named else (event.type, value)
            try:
                await event.peer.send(type, data)
            except ChannelClosed:
                pass  # the peer has gone, and its answer has no reader
            except InvalidMessage:
                await event.peer.send("invalid", data)

        return Job({"type": event.type, "data": event.data}, answer, nothing)

    async def close(self) -> None:
        """End the connections."""
        await self._server.disconnect()


class StdioSource:
    """Lines of JSON on standard input; answers are lines on standard output."""

    pace = NEVER

    def __init__(self, channel: Any) -> None:
        self._channel = channel

    async def receive(self) -> Job:
        """Return the next line."""
        message = await self._channel.receive()
        return Job(message.data, self._channel.send, nothing)

    async def close(self) -> None:
        """Write the rest."""
        await self._channel.disconnect()


async def open_source(name: str, key: str | None, group: str, claim_after: float) -> Source:
    """Return the source of a name: ``stdio``, ``node-ipc`` with an id, or the URL of Redis with a stream. Raises `ValueError`."""
    if name == "stdio" and key is None:
        from nodechannel.stdio import asyncio as stdio

        return StdioSource(await stdio.connect())
    if name == "node-ipc" and key is not None:
        from nodechannel.nodeipc import asyncio as nodeipc

        return NodeIpcSource(await nodeipc.serve(key))
    if name.startswith(("redis://", "rediss://", "unix://")) and key is not None:
        return RedisSource(name, key, group, claim_after)
    raise ValueError("the source is 'stdio', 'node-ipc ID', or 'redis://HOST STREAM'")
