"""A Redis stream with a consumer group: each message reaches one consumer, again and again until it is acknowledged."""

from __future__ import annotations

import time
import uuid
from collections import deque
from collections.abc import Iterable
from typing import Any, TypedDict, Unpack

from nodechannel._carriers.options import check_counts, check_seconds
from nodechannel._redis.consumers import consumer_name
from nodechannel._redis.entries import Entry
from nodechannel._redis.server import Deadline, RedisRefused, Server, kept, milliseconds
from nodechannel._redis.source import Source
from nodechannel._redis.values import text_of, value_of
from nodechannel.errors import InvalidMessage, MalformedMessage

# [RDS-010] Fields of an entry: the JSON text, and the id for consumers that look for duplicates.
DATA, ID = b"data", b"id"


class StreamOptions(TypedDict, total=False):
    """Options of a stream.

    Attributes:
        group: the consumer group; ``nodechannel`` if not given. It is made when it is not there, and then begins at the first message.
        consumer: the name of this consumer; made of the host, the process and chance if not given.
        prefetch: messages that are read at once; 100 if not given.
        claim_after: seconds without acknowledgement after which a message goes to another consumer; 30 if not given.
        max_attempts: deliveries before a message goes to the stream ``KEY:dead``; without limit if not given.
        max_length: entries that the stream keeps at least, whether acknowledged or not; all if not given.
        retry: seconds before the first try to connect again; 0.05 if not given.
        replicas: how many replicas must have a message before `send` returns; 0 if not given. With at least one, a primary that dies
            takes no message with it.
    """

    group: str
    consumer: str
    prefetch: int
    claim_after: float
    max_attempts: int | None
    max_length: int | None
    retry: float
    replicas: int


class Stream(Source[Entry]):
    """A stream of messages. Made by `stream`.

    As an asynchronous context manager it closes its connections at the end of the block. Messages that were received and not acknowledged
    go to another consumer after `claim_after` seconds.
    """

    def __init__(self, url: str, key: str, options: StreamOptions) -> None:
        check_seconds(options, "claim_after", "retry")
        check_counts(options, "prefetch")
        check_counts(options, "max_attempts", "max_length", optional=True)
        self._server = Server(url, options.get("retry", 0.05))
        self._key = key
        self._options = options
        self._group = options.get("group", "nodechannel")
        self._replicas = options.get("replicas", 0)
        self._consumer = options.get("consumer") or consumer_name()
        self._prefetch = options.get("prefetch", 100)
        self._claim_after = options.get("claim_after", 30.0)
        self._found: deque[Entry | MalformedMessage] = deque()
        self._next_claim = 0.0
        self._grouped = False

    @property
    def pending(self) -> int:
        """The number of messages that were read already: so many calls of `receive` do not wait."""
        return len(self._found)

    async def send(self, data: Any, *, id: str | None = None, timeout: float | None = None) -> str:
        """Append a message; return its `message_id` once Redis has it: `id`, or a random number.

        While Redis cannot be reached this tries again. A message whose answer was lost is there twice then, with the same id. Raises
        `InvalidMessage`, `TimeoutError` after `timeout` seconds, `RedisRefused` and `ChannelClosed`.
        """
        if id is not None and not isinstance(id, str):
            raise InvalidMessage("the id of a message is a string", "$.id")
        name = uuid.uuid4().hex if id is None else id
        await self._append([(name, text_of(data))], timeout)
        return name

    async def send_many(self, messages: Iterable[Any], *, timeout: float | None = None) -> list[str]:
        """Append many messages in a single exchange; raises the errors of `send`, and after `InvalidMessage` no message was sent."""
        # [RDS-011]
        entries = [(uuid.uuid4().hex, text_of(message)) for message in messages]
        await self._append(entries, timeout)
        return [id for id, _ in entries]

    async def _append(self, entries: list[tuple[str, bytes]], timeout: float | None) -> None:
        async def append(redis: Any) -> None:
            async with redis.pipeline(transaction=False) as pipeline:
                for id, text in entries:
                    pipeline.xadd(self._key, {DATA: text, ID: id}, maxlen=self._options.get("max_length"))
                await kept(pipeline, self._replicas)

        await self._server.steadily(append, "send", Deadline(timeout))

    async def receive(self, timeout: float | None = None) -> Entry:
        """Return the next message, which comes again unless it is acknowledged.

        While Redis cannot be reached this tries again. Raises `TimeoutError` after `timeout` seconds, `ChannelClosed`, and
        `MalformedMessage` for a message that is no JSON text, in its place.
        """
        deadline = Deadline(timeout)
        while not self._found:
            await self._fill(deadline)
            if not self._found and deadline.passed:
                raise TimeoutError("no message arrived in time")
        event = self._found.popleft()
        if isinstance(event, Entry):
            return event
        raise event

    async def receive_many(self, timeout: float | None = None) -> list[Entry]:
        """Return all messages that have been read, at least one; raises the errors of `receive`."""
        found = [await self.receive(timeout)]
        while self._found and isinstance(self._found[0], Entry):
            found.append(await self.receive())
        return found

    async def acknowledge(self, *entries: Entry, timeout: float | None = None) -> None:
        """Note that messages are done with, so that they do not come again."""
        # [RDS-013]
        if entries:
            ids = [entry.id for entry in entries]
            await self._server.steadily(
                lambda redis: redis.xack(self._key, self._group, *ids), "acknowledge", Deadline(timeout)
            )

    async def renew(self, *entries: Entry, timeout: float | None = None) -> None:
        """Keep messages that take long: `claim_after` begins anew for them."""
        # [RDS-016]
        if entries:
            ids = [entry.id for entry in entries]
            await self._server.steadily(
                lambda redis: redis.xclaim(self._key, self._group, self._consumer, 0, ids, justid=True),
                "renew",
                Deadline(timeout),
            )

    async def close(self) -> None:
        """Close the connections. Safe to call again."""
        await self._server.close()

    # Reading.

    async def _fill(self, deadline: Deadline) -> None:
        """Read new messages, or from time to time those that another consumer left."""
        await self._make_group(deadline)
        try:
            if time.monotonic() >= self._next_claim:
                await self._claim(deadline)
                self._next_claim = time.monotonic() + min(self._claim_after / 2, 5.0)
            if not self._found:
                await self._read(deadline)
        except RedisRefused as error:
            # [RDS-014] A server that restarted without its data has no group.
            if "NOGROUP" not in str(error):
                raise
            self._grouped = False

    async def _make_group(self, deadline: Deadline) -> None:
        if self._grouped:
            return

        async def make(redis: Any) -> None:
            await redis.xgroup_create(self._key, self._group, id="0", mkstream=True)

        try:
            await self._server.steadily(make, "receive", deadline)
        except RedisRefused as error:
            if "BUSYGROUP" not in str(error):
                raise
        self._grouped = True

    async def _read(self, deadline: Deadline) -> None:
        async def read(redis: Any) -> Any:
            wait = milliseconds(deadline.left(min(2.0, self._claim_after / 2)))
            return await redis.xreadgroup(
                self._group, self._consumer, {self._key: ">"}, count=self._prefetch, block=wait
            )

        for _, entries in await self._server.steadily(read, "receive", deadline):
            self._take(entries, {})

    async def _claim(self, deadline: Deadline) -> None:
        """Take over messages that no consumer acknowledged for long."""

        # [RDS-012]
        async def claim(redis: Any) -> Any:
            idle = milliseconds(self._claim_after)
            return await redis.xautoclaim(self._key, self._group, self._consumer, idle, count=self._prefetch)

        async def count(redis: Any) -> Any:
            async with redis.pipeline(transaction=False) as pipeline:
                for id, _ in entries:
                    pipeline.xpending_range(self._key, self._group, id, id, 1)
                return await pipeline.execute()

        answer = await self._server.steadily(claim, "receive", deadline)
        entries = [entry for entry in answer[1] if entry and entry[1]]
        if not entries:
            return
        counted = await self._server.steadily(count, "receive", deadline)
        attempts = {rows[0]["message_id"]: rows[0]["times_delivered"] for rows in counted if rows}
        most = self._options.get("max_attempts")
        if most is not None:
            for entry in [entry for entry in entries if attempts.get(entry[0], 1) > most]:
                entries.remove(entry)
                await self._bury(entry[0], entry[1], deadline)
        self._take(entries, attempts)

    async def _bury(self, id: bytes, fields: dict[bytes, bytes], deadline: Deadline) -> None:
        """Move a message that no consumer survives to another stream."""

        # [RDS-015]
        async def bury(redis: Any) -> None:
            async with redis.pipeline(transaction=True) as pipeline:
                pipeline.xadd(f"{self._key}:dead", fields)
                pipeline.xack(self._key, self._group, id)
                await pipeline.execute()

        await self._server.steadily(bury, "receive", deadline)

    def _take(self, entries: Iterable[tuple[bytes, dict[bytes, bytes]]], attempts: dict[bytes, int]) -> None:
        for id, fields in entries:
            try:
                value = value_of(fields.get(DATA, b""))
            except MalformedMessage as error:
                self._found.append(error)
            else:
                given = fields.get(ID)
                name = given.decode(errors="replace") if given else None
                self._found.append(Entry(value, id, name, attempts.get(id, 1)))


async def stream(url: str, key: str, **options: Unpack[StreamOptions]) -> Stream:
    """Open a Redis stream; for the options see `StreamOptions`. Redis need not be there yet."""
    return Stream(url, key, options)
