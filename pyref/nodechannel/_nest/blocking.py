"""The blocking front ends of NestJS microservices."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any, TypeVar

from nodechannel._carriers.blocking import Closing
from nodechannel._nest import client as aio_client
from nodechannel._nest import server as aio_server

Function = TypeVar("Function", bound=Callable[..., Any])

_END = object()


class Client(Closing):
    """A client of NestJS microservices. Made by `connect`; as a context manager it closes its connections at the end of the block."""

    def __init__(self, url: str) -> None:
        super().__init__("nodechannel.nest", aio_client.connect(url))

    def request(self, pattern: Any, data: Any, *, timeout: float | None = None) -> Any:
        """Ask for an answer and return it; of a stream of values the last.

        Raises `NestError` for an error answer and when no server listens, `TimeoutError`, `InvalidMessage`, and `ConnectionLost` when the
        answer may be lost.
        """
        return self._wait(self._inner.request(pattern, data, timeout=timeout), "request")

    def stream(self, pattern: Any, data: Any) -> Iterator[Any]:
        """Ask for an answer and yield each of its values; raises the errors of `request`."""
        values = self._inner.stream(pattern, data)
        while (value := self._wait(_next(values), "request")) is not _END:
            yield value

    def emit(self, pattern: Any, data: Any) -> int:
        """Tell an event; return how many servers it reached. Raises `InvalidMessage` and `ConnectionLost`."""
        return int(self._wait(self._inner.emit(pattern, data), "emit"))


async def _next(values: AsyncIterator[Any]) -> Any:
    return await anext(values, _END)


class Server:
    """A microservice; see `nodechannel.nest.asyncio.Server`. `serve` occupies its thread.

    Args:
        url: the Redis server.
    """

    def __init__(self, url: str) -> None:
        self._server = aio_server.Server(url)
        self._loop: asyncio.AbstractEventLoop | None = None

    def pattern(self, pattern: Any) -> Callable[[Function], Function]:
        """Let clients call a function by a pattern, by request or by event; a decorator.

        The function gets the data. Its result is the answer; a generator gives a stream of values. It runs in a thread of its own.
        `NestError` is answered with its `error`, any other exception as an internal error, which the log tells.
        """
        return self._server.pattern(pattern)

    def serve(self, on_ready: Callable[[], object] | None = None) -> None:
        """Serve until `close` in another thread; a server that is away is waited for.

        Args:
            on_ready: called once requests arrive.
        """

        async def main() -> None:
            self._loop = asyncio.get_running_loop()
            await self._server.serve(on_ready)

        asyncio.run(main())

    def close(self) -> None:
        """End `serve`, from any thread."""
        if self._loop is not None and not self._loop.is_closed():
            asyncio.run_coroutine_threadsafe(self._server.close(), self._loop)


def connect(url: str) -> Client:
    """Make a client of the microservices at a Redis server, which need not be there yet."""
    return Client(url)
