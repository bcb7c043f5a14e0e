"""A Redis list as a queue of work, which loses no message when a consumer dies."""

from __future__ import annotations

import asyncio
import math
import time
import uuid
from collections import Counter, deque
from collections.abc import Sequence
from itertools import count
from typing import Any, TypedDict, Unpack

from nodechannel._carriers.options import check_seconds
from nodechannel._io.limits import seconds
from nodechannel._redis.consumers import consumer_name
from nodechannel._redis.entries import Entry
from nodechannel._redis.server import Deadline, Server, kept
from nodechannel._redis.source import Source
from nodechannel._redis.values import text_of, value_of
from nodechannel.errors import ConnectionLost

# Gives the messages of a consumer back whose sign of life has expired, the oldest first again. The check and the moves are one step.
_GIVE_BACK = """
if redis.call('EXISTS', KEYS[2]) == 1 then return 0 end
local moved = 0
while redis.call('LMOVE', KEYS[3], KEYS[1], 'LEFT', 'RIGHT') do moved = moved + 1 end
redis.call('SREM', KEYS[4], ARGV[1])
return moved
"""

# Removes messages from the list of a consumer, each once: an acknowledgement whose answer was lost comes again, and an equal message may
# be in work. The set keeps the numbers of the last acknowledgements. KEYS are the list and the set; ARGV the call, then numbers and texts.
_ACKNOWLEDGE = """
for i = 2, #ARGV, 2 do
    if redis.call('ZADD', KEYS[2], 'NX', ARGV[1], ARGV[i]) == 1 then redis.call('LREM', KEYS[1], 1, ARGV[i + 1]) end
end
redis.call('ZREMRANGEBYRANK', KEYS[2], 0, -10001)
redis.call('PEXPIRE', KEYS[2], 86400000)
return 1
"""

# Messages of an acknowledgement that leave in one call.
_MANY = 1000


class ListOptions(TypedDict, total=False):
    """Options of a list.

    Attributes:
        reliable: keep each message in a list of this consumer until it is acknowledged; the default. Without it a message is gone once it
            is received, as with BRPOP.
        consumer: the name of this consumer; made of the host, the process and chance if not given.
        alive: seconds without a sign of life after which the messages of a consumer are given back; 30 if not given.
        retry: seconds before the first try to connect again; 0.05 if not given.
        replicas: how many replicas must have a message before `send` returns; 0 if not given. With fewer `send` raises `ConnectionLost`.
    """

    reliable: bool
    consumer: str
    alive: float
    retry: float
    replicas: int


class Queue(Source[Entry]):
    """A list as a queue: sent on its left, received on its right. Made by `queue`.

    As an asynchronous context manager it closes its connections at the end of the block.
    """

    def __init__(self, url: str, key: str, options: ListOptions) -> None:
        check_seconds(options, "alive", "retry")
        self._server = Server(url, options.get("retry", 0.05))
        self._key = key
        self._replicas = options.get("replicas", 0)
        self._reliable = options.get("reliable", True)
        self._consumer = options.get("consumer") or consumer_name()
        self._alive = options.get("alive", 30.0)
        self._next_sign = 0.0
        # Texts that the user has and has not acknowledged, by the numbers of their deliveries.
        self._held: dict[int, bytes] = {}
        self._deliveries, self._acknowledgements = count(1), count(1)
        # Another consumer of this name has numbers of its own.
        self._process = uuid.uuid4().hex
        # One call at a time takes a message: what the list of this consumer holds beyond it has lost its answer.
        self._taking = asyncio.Lock()
        # Messages that the server moved to this consumer's list in calls whose answer was lost, the oldest first.
        self._found: deque[bytes] = deque()
        # Whether the answer of the last call that takes a message may have been lost.
        self._unsure = False
        # Whether an equal message may have hidden one of those when they were looked for.
        self._doubtful = False
        self._signs: asyncio.Task[None] | None = None

    async def send(self, data: Any, *, timeout: float | None = None) -> int:
        """Append a message; return the length of the list.

        Raises `InvalidMessage`, `TimeoutError` after `timeout` seconds, `RedisRefused` and `ChannelClosed`; and `ConnectionLost` when
        the answer was lost, after which the message may be there.
        """
        text = text_of(data)

        async def push(redis: Any) -> int:
            async with redis.pipeline(transaction=False) as pipeline:
                pipeline.lpush(self._key, text)
                return int((await kept(pipeline, self._replicas))[0])

        async with asyncio.timeout(seconds(timeout)):
            return await self._server.once(push, "send")

    async def receive(self, timeout: float | None = None) -> Entry:
        """Return the next message; a reliable queue keeps it until `acknowledge`.

        While Redis cannot be reached this tries again. Raises `TimeoutError` after `timeout` seconds, `ChannelClosed`, and
        `MalformedMessage` for a message that is no JSON text.
        """
        deadline = Deadline(timeout)
        while True:
            text = await self._take_in_turn(deadline)
            if text is not None:
                delivery = next(self._deliveries)
                if self._reliable:
                    self._held[delivery] = text
                return Entry(value_of(text), text, delivery=delivery)
            if deadline.passed:
                raise TimeoutError("no message arrived in time")

    async def acknowledge(self, *entries: Entry, timeout: float | None = None) -> None:
        """Remove messages that are done with from the list of this consumer; a message that was acknowledged before is left alone."""
        deadline = Deadline(timeout)
        for first in range(0, len(entries) if self._reliable else 0, _MANY):
            await self._remove(entries[first : first + _MANY], deadline)

    async def _remove(self, entries: Sequence[Entry], deadline: Deadline) -> None:
        # [RDS-023, RDS-025]
        keys = [self._place(), f"{self._key}:acknowledged:{self._process}"]
        words = [word for entry in entries for word in (entry.delivery, entry.id)]
        call, tries = next(self._acknowledgements), count()

        async def remove(redis: Any) -> None:
            next(tries)
            await redis.eval(_ACKNOWLEDGE, len(keys), *keys, call, *words)

        await self._server.steadily(remove, "acknowledge", deadline)
        for entry in entries:
            self._held.pop(entry.delivery, None)
        # Meanwhile a message of another lost answer may have been taken for one of these.
        self._doubtful |= next(tries) > 1

    async def close(self) -> None:
        """Close the connections, and give unacknowledged messages back at once. Safe to call again."""
        if self._signs is not None and not self._server.closed:
            self._signs.cancel()
            self._signs = None
            try:
                await self._server.once(lambda redis: redis.delete(self._sign(self._consumer)), "close")
                await self._server.once(lambda redis: self._give_back(redis, self._consumer), "close")
            except ConnectionLost:
                pass  # they are given back when the sign of life has expired
        await self._server.close()

    # Receiving.

    def _place(self) -> str:
        return f"{self._key}:processing:{self._consumer}"

    def _sign(self, consumer: str) -> str:
        return f"{self._key}:alive:{consumer}"

    async def _take_in_turn(self, deadline: Deadline) -> bytes | None:
        if not self._reliable:
            return await self._take(deadline)
        try:
            async with asyncio.timeout(seconds(deadline.left(math.inf))):
                await self._taking.acquire()
        except TimeoutError:
            raise TimeoutError("no message arrived in time") from None
        try:
            return await self._take(deadline)
        finally:
            self._taking.release()

    async def _take(self, deadline: Deadline) -> bytes | None:
        if self._reliable:
            await self._look_after_others(deadline)

        async def take(redis: Any) -> Any:
            wait = max(0.01, deadline.left(min(2.0, self._alive / 2)))
            if not self._reliable:
                found = await redis.brpop([self._key], wait)
                return found and found[1]
            if self._unsure or self._doubtful:
                await self._look_at_own(redis)
            if self._found:
                return self._found.popleft()
            self._unsure = True
            # [RDS-020]
            text = await redis.blmove(self._key, self._place(), wait, "RIGHT", "LEFT")
            self._unsure = False
            return text

        text: bytes | None = await self._server.steadily(take, "receive", deadline)
        return text

    async def _look_at_own(self, redis: Any) -> None:
        """Find the messages that were moved to this consumer's list and never reached it."""
        # [RDS-024]
        unknown = Counter(self._held.values())
        self._found.clear()
        for text in reversed(await redis.lrange(self._place(), 0, -1)):
            if unknown[text]:
                unknown[text] -= 1
            else:
                self._found.append(text)
        self._unsure = self._doubtful = False

    async def _look_after_others(self, deadline: Deadline) -> None:
        """Give back the messages of dead consumers, from time to time."""
        if self._signs is None:
            await self._server.steadily(self._show_life, "receive", deadline)
            self._signs = asyncio.get_running_loop().create_task(self._stay_alive())
        if time.monotonic() < self._next_sign:
            return
        self._next_sign = time.monotonic() + min(self._alive / 2, 5.0)
        await self._server.steadily(self._sweep, "receive", deadline)

    async def _sweep(self, redis: Any) -> None:
        # [RDS-022]
        for name in await redis.smembers(f"{self._key}:consumers"):
            await self._give_back(redis, name.decode())

    async def _stay_alive(self) -> None:
        while True:
            await self._server.steadily(self._show_life, "receive")
            await asyncio.sleep(self._alive / 3)

    async def _show_life(self, redis: Any) -> None:
        # [RDS-021]
        async with redis.pipeline(transaction=True) as pipeline:
            pipeline.set(self._sign(self._consumer), 1, px=max(1, int(self._alive * 1000)))
            pipeline.sadd(f"{self._key}:consumers", self._consumer)
            await pipeline.execute()

    async def _give_back(self, redis: Any, consumer: str) -> Any:
        place = f"{self._key}:processing:{consumer}"
        keys = [self._key, self._sign(consumer), place, f"{self._key}:consumers"]
        return await redis.eval(_GIVE_BACK, len(keys), *keys, consumer)


async def queue(url: str, key: str, **options: Unpack[ListOptions]) -> Queue:
    """Open a list as a queue; for the options see `ListOptions`. Redis need not be there yet."""
    return Queue(url, key, options)
