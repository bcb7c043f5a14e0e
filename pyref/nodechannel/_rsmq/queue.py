"""A queue of npm `rsmq`: messages stay until they are deleted, and come again when their consumer does not delete them in time."""

from __future__ import annotations

import asyncio
from typing import Any, NamedTuple

from nodechannel._io.limits import seconds
from nodechannel._redis.server import FOREVER, Deadline, RedisRefused, Server
from nodechannel._redis.source import Source
from nodechannel._rsmq import rules, scripts
from nodechannel.errors import ConnectionLost

# Seconds between two looks at an empty queue.
POLL = 0.2

_TEXTS = {
    "queueNotFound": "Queue not found",
    "queueExists": "Queue exists",
    "messageTooLong": "Message too long",
}


class Message(NamedTuple):
    """A message that was received.

    Attributes:
        id: its id, for `delete` and `change_visibility`.
        message: its text.
        rc: how often it was received, this time included.
        fr: when it was first received, in milliseconds of the server.
        sent: when it was sent, in milliseconds of the server.
    """

    id: str
    message: str
    rc: int
    fr: int
    sent: float


class Attributes(NamedTuple):
    """The attributes of a queue, with the names of `rsmq`.

    Attributes:
        vt: seconds that a received message stays hidden.
        delay: seconds before a sent message can be received.
        maxsize: UTF-16 units of a message at most, -1 for no limit.
        totalrecv: messages received.
        totalsent: messages sent.
        created: seconds of the server when the queue was made.
        modified: seconds of the server when its attributes were set.
        msgs: messages in the queue.
        hiddenmsgs: messages that cannot be received yet; those of the running second count too.
    """

    vt: int
    delay: int
    maxsize: int
    totalrecv: int
    totalsent: int
    created: int
    modified: int
    msgs: int
    hiddenmsgs: int


class Queue(Source[Message]):
    """A queue. Made by `queue`; as an asynchronous context manager it closes its connections at the end of the block."""

    def __init__(self, url: str, name: str, ns: str, realtime: bool) -> None:
        self._name = rules.check_queue(name)
        self._server = Server(url)
        self._ns = ns
        self._realtime = realtime
        self._news: Any = None

    async def create(
        self,
        vt: int = rules.DEFAULT_VT,
        delay: int = rules.DEFAULT_DELAY,
        maxsize: int = rules.DEFAULT_MAXSIZE,
    ) -> None:
        """Make the queue; raises `QueueError` queueExists and invalidValue. For the values see `Attributes`."""
        values = (
            rules.check_seconds("vt", vt),
            rules.check_seconds("delay", delay),
            rules.check_maxsize(maxsize),
        )
        await self._call(scripts.CREATE, self._name, *values)

    async def drop(self) -> None:
        """Remove the queue with all its messages; raises `QueueError` queueNotFound."""
        await self._call(scripts.DROP, self._name)

    async def attributes(self) -> Attributes:
        """Return the attributes of the queue; raises `QueueError` queueNotFound."""
        found = await self._call(scripts.ATTRIBUTES)
        return Attributes(*(int(float(value)) for value in found))

    async def set_attributes(
        self, vt: int | None = None, delay: int | None = None, maxsize: int | None = None
    ) -> Attributes:
        """Set some attributes; return all. Raises `QueueError` noAttributeSupplied, invalidValue and queueNotFound."""
        given: list[Any] = []
        for item, value in (("vt", vt), ("delay", delay)):
            if value is not None:
                given += [item, rules.check_seconds(item, value)]
        if maxsize is not None:
            given += ["maxsize", rules.check_maxsize(maxsize)]
        if not given:
            raise rules.QueueError("noAttributeSupplied", "No attribute was supplied")
        await self._call(scripts.SET_ATTRIBUTES, *given)
        return await self.attributes()

    async def send(self, message: str, *, delay: int | None = None, timeout: float | None = None) -> str:
        """Append a message; return its id.

        Raises `QueueError` messageNotString, messageTooLong, invalidValue and queueNotFound, `TimeoutError`, and `ConnectionLost` when the
        answer was lost, after which the message may be there.
        """
        size = rules.size_of(message)
        later = "" if delay is None else rules.check_seconds("delay", delay)
        # [RSM-012]
        news = f"{self._ns}:rt:{self._name}" if self._realtime else ""
        text = rules.bytes_of(message)
        async with asyncio.timeout(seconds(timeout)):
            # [RSM-010]
            id = await self._call(scripts.SEND, later, rules.random_part(), text, size, news)
        return str(id.decode())

    async def receive(self, timeout: float | None = None, *, vt: int | None = None) -> Message:
        """Return the next message, and hide it for `vt` seconds; it comes again unless it is deleted by then.

        While Redis cannot be reached this tries again. Raises `QueueError` queueNotFound and invalidValue, `TimeoutError` after `timeout`
        seconds, and `ChannelClosed`.
        """
        hidden = "" if vt is None else rules.check_seconds("vt", vt)
        return await self._next(timeout, scripts.RECEIVE, hidden)

    async def pop(self, timeout: float | None = None) -> Message:
        """Return the next message, and delete it: it is lost if this process dies now. Raises the errors of `receive`."""
        return await self._next(timeout, scripts.POP)

    async def delete(self, id: str) -> bool:
        """Delete a message; return whether it was there. Raises `QueueError` invalidFormat."""
        # [RSM-014]
        return bool(await self._steadily(scripts.DELETE, rules.check_id(id)))

    async def change_visibility(self, id: str, vt: int) -> bool:
        """Let a message come again in `vt` seconds from now; return whether it was there. Raises `QueueError`."""
        values = (rules.check_id(id), rules.check_seconds("vt", vt))
        return bool(await self._steadily(scripts.CHANGE_VISIBILITY, *values))

    async def close(self) -> None:
        """Close the connections. Safe to call again."""
        await self._forget_news()
        await self._server.close()

    # Calls of scripts.

    async def _call(self, script: str, *values: Any) -> Any:
        """Run a script once; raises `QueueError`, `ConnectionLost` and `ChannelClosed`."""
        key = f"{self._ns}:{self._name}"
        keys = [key, f"{key}:Q", f"{self._ns}:QUEUES"]
        try:
            # [RSM-013] The text goes along: no script of this queue can be missing.
            return await self._server.once(lambda redis: redis.eval(script, len(keys), *keys, *values), "use")
        except RedisRefused as error:
            for name, text in _TEXTS.items():
                if name in str(error):
                    raise rules.QueueError(name, text) from None
            raise

    async def _steadily(self, script: str, *values: Any, deadline: Deadline = FOREVER) -> Any:
        return await self._server.steadily(lambda _: self._call(script, *values), "use", deadline)

    async def _next(self, timeout: float | None, script: str, *values: Any) -> Message:
        deadline = Deadline(timeout)
        while True:
            found = await self._steadily(script, *values, deadline=deadline)
            if len(found) > 1:
                id, body, rc, fr = found
                name = id.decode()
                return Message(name, body.decode(errors="replace"), int(rc), int(fr), rules.sent_at(name))
            if deadline.passed:
                raise TimeoutError("no message arrived in time")
            # [RSM-011]
            first = int(found[0]) / 1000 if found[0] else POLL
            await self._wait_for_news(deadline.left(max(0.001, min(POLL, first))))

    async def _wait_for_news(self, pause: float) -> None:
        """Wait for a while, or until a message is announced."""
        if not self._realtime:
            await asyncio.sleep(pause)
            return
        try:
            if self._news is None:
                self._news = self._server.redis.pubsub()
                await self._news.subscribe(f"{self._ns}:rt:{self._name}")
            await self._server.once(lambda _: self._news.get_message(timeout=pause), "receive")
        except ConnectionLost:
            await self._forget_news()
            await asyncio.sleep(pause)

    async def _forget_news(self) -> None:
        if self._news is not None:
            news, self._news = self._news, None
            await news.aclose()


async def queue(url: str, name: str, *, ns: str = "rsmq", realtime: bool = False) -> Queue:
    """Open a queue of `rsmq` by its name; it need not be there before it is used.

    Args:
        url: the Redis server, like ``redis://localhost:6379/0``.
        name: the name of the queue.
        ns: what its keys begin with.
        realtime: announce each message that is sent, and listen to the announcements of others.

    Raises `QueueError` invalidFormat.
    """
    return Queue(url, name, ns, realtime)


async def list_queues(url: str, *, ns: str = "rsmq") -> list[str]:
    """Return the names of all queues; raises `ConnectionLost`."""
    server = Server(url)
    try:
        found = await server.once(lambda redis: redis.smembers(f"{ns}:QUEUES"), "list")
    finally:
        await server.close()
    return sorted(name.decode() for name in found)
