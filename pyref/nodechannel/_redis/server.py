"""The connection to a Redis server: calls that are made once, and calls that are made until they succeed.

redis-py tries a call again by itself when its answer is lost. A message would then be there twice, so each call here says its kind.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import DataError, ReadOnlyError, RedisError
from redis.exceptions import TimeoutError as RedisTimeoutError

from nodechannel._carriers.backoff import pauses
from nodechannel._io.limits import seconds
from nodechannel._redis.clients import open_client
from nodechannel.errors import ChannelClosed, ConnectionLost, InvalidMessage, RemoteError

Result = TypeVar("Result")

# Seconds that a server has to answer. A call that waits in the server waits for less.
ANSWER_TIME = 5.0
LONGEST_WAIT = 2.0

# A server that restarts or fails over: a replica that was the primary refuses to write.
_LOST = (RedisConnectionError, RedisTimeoutError, ReadOnlyError, OSError)


class RedisRefused(RemoteError):
    """Redis did not carry out a call; it had no effect. Its text tells the reason, like a full memory.

    Cause:
        The server has no memory left, is read-only, wants a password, or has a key of another type.

    Remedy:
        Read the text of the server, and change its configuration or the key.
    """

    code = "NC_REDIS_REFUSED"

    def __init__(self, reason: str) -> None:
        super().__init__(f"Redis refused the call: {reason}")


class Deadline:
    """The end of a limit of time.

    Args:
        timeout: seconds from now, None for no limit.
    """

    def __init__(self, timeout: float | None) -> None:
        limit = seconds(timeout)
        self._end = None if limit is None else time.monotonic() + limit

    @property
    def passed(self) -> bool:
        """Whether no time is left."""
        return self._end is not None and time.monotonic() >= self._end

    def left(self, most: float = LONGEST_WAIT) -> float:
        """Return the seconds until the end, `most` at most and never less than 0."""
        return most if self._end is None else max(0.0, min(most, self._end - time.monotonic()))


FOREVER = Deadline(None)
"""No limit of time."""


class Server:
    """A Redis server, by its URL.

    Args:
        url: like ``redis://localhost:6379/0``, ``rediss://`` for TLS, ``unix://`` with a path, or
            ``redis+sentinel://HOST:PORT,HOST:PORT/NAME`` for the primary of that name, which Sentinel replaces when it is away.
        retry: seconds before the first try to connect again; each further pause is twice as long, up to five seconds.
    """

    def __init__(self, url: str, retry: float = 0.05) -> None:
        self._clients = open_client(url, ANSWER_TIME)
        self.redis: Any = self._clients[0]
        self._retry = retry
        self.closed: bool = False

    async def once(self, call: Callable[[Any], Awaitable[Result]], doing: str) -> Result:
        """Make a call; raises `ConnectionLost` when it may have taken effect, `InvalidMessage`, `RedisRefused` and `ChannelClosed`."""
        if self.closed:
            raise ChannelClosed(doing)
        try:
            return await call(self.redis)
        except _LOST as error:
            raise ConnectionLost(f"Redis could not be asked: {error}") from error
        except DataError as error:  # a key or an id of the caller that is none
            raise InvalidMessage(str(error)) from error
        except RedisError as error:
            raise RedisRefused(str(error)) from error

    async def steadily(
        self, call: Callable[[Any], Awaitable[Result]], doing: str, deadline: Deadline = FOREVER
    ) -> Result:
        """Make a call until it succeeds; it may take effect more than once. A call under way is never cut off: Redis has five seconds.

        Raises `TimeoutError` behind the deadline, `RedisRefused` and `ChannelClosed`.
        """
        tries = pauses(self._retry, ANSWER_TIME, None)
        while True:
            try:
                return await self.once(call, doing)
            except ConnectionLost as error:
                if deadline.passed:
                    raise TimeoutError(f"Redis was not reached in time: {error}") from error
                await asyncio.sleep(deadline.left(next(tries)))

    async def close(self) -> None:
        """Close all connections. Safe to call again."""
        self.closed = True
        for client in self._clients:
            await client.aclose()


async def kept(pipeline: Any, replicas: int) -> list[Any]:
    """Return the answers of a pipeline once so many replicas have its effect; raises redis-py's `ConnectionError` if they are fewer."""
    # [RDS-003]
    if not replicas:
        return list(await pipeline.execute())
    pipeline.execute_command("WAIT", replicas, milliseconds(LONGEST_WAIT))
    answers: list[Any]
    *answers, reached = await pipeline.execute()
    if reached < replicas:
        raise RedisConnectionError(f"{reached} of {replicas} replicas have the message")
    return answers


def milliseconds(wait: float) -> int:
    """Return a wait for Redis, for which zero means without end."""
    return max(1, int(wait * 1000))
