"""A NestJS microservice over Redis."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from types import TracebackType
from typing import Any, NoReturn, Self, TypeVar

from nodechannel._dialects.calls import call, is_generator
from nodechannel._nest import wire
from nodechannel._nest.wire import NestError
from nodechannel._redis.channels import Channels
from nodechannel.errors import ChannelError, ConnectionLost, MalformedMessage

Function = TypeVar("Function", bound=Callable[..., Any])

# Calls that run at the same time; more wait, and Redis holds their messages.
MAX_RUNNING = 256

_log = logging.getLogger("nodechannel.nest")


class Server:
    """A microservice. Register functions with `pattern`, then `serve`.

    Every server that listens to a pattern gets each request: two instances give two answers, and the client takes the first.

    Args:
        url: the Redis server.
    """

    def __init__(self, url: str) -> None:
        self._url = url
        self._functions: dict[str, Callable[..., Any]] = {}
        self._channels: Channels | None = None
        self._running: set[asyncio.Task[None]] = set()
        self._room = asyncio.Semaphore(MAX_RUNNING)

    def __reduce__(self) -> NoReturn:
        raise TypeError("a Server cannot be copied or pickled: it belongs to one process")

    def pattern(self, pattern: Any) -> Callable[[Function], Function]:
        """Let clients call a function by a pattern, by request or by event; a decorator.

        The function gets the data. Its result is the answer; a generator gives a stream of values. A plain function runs in a thread.
        `NestError` is answered with its `error`, any other exception as an internal error, which the log tells.
        """

        def register(function: Function) -> Function:
            self._functions[wire.route(pattern)] = function
            return function

        return register

    async def serve(self, on_ready: Callable[[], object] | None = None) -> None:
        """Serve until `close`; a server that is away is waited for.

        Args:
            on_ready: called once requests arrive.
        """
        self._channels = Channels(self._url, list(self._functions), [], 0.05)
        try:
            await self._channels.subscribe()
            if on_ready is not None:
                on_ready()
            while True:
                try:
                    message = await self._channels.receive()
                except (ConnectionLost, MalformedMessage) as error:
                    _log.warning("%s", error)
                    continue
                except ChannelError:  # closed
                    return
                await self._room.acquire()
                task = asyncio.get_running_loop().create_task(self._handle(*message))
                self._running.add(task)
                task.add_done_callback(self._running.discard)
        finally:
            for task in self._running:
                task.cancel()
            await self._channels.close()

    async def close(self) -> None:
        """End `serve`; calls under way are cancelled. Safe to call again."""
        if self._channels is not None:
            await self._channels.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def _handle(self, channel: str, packet: Any) -> None:
        try:
            await self._answer(channel, packet)
        except ConnectionLost as error:
            _log.warning("an answer was lost: %s", error)
        finally:
            self._room.release()

    async def _answer(self, channel: str, packet: Any) -> None:
        id = packet.get("id") if isinstance(packet, dict) else None
        data = packet.get("data") if isinstance(packet, dict) else packet
        function = self._functions[channel]

        async def reply(answer: dict[str, Any]) -> None:
            if id is not None:
                assert self._channels is not None
                await self._channels.send(f"{channel}.reply", answer)

        async def emit(value: Any) -> None:
            await reply(wire.answer(id, value))

        try:
            result = await call(function, data, emit=emit)
            await reply(wire.end(id) if is_generator(function) else wire.last_answer(id, result))
        except NestError as error:
            await reply(wire.failure(id, error.error))
        except ConnectionLost:
            raise
        except Exception:
            _log.exception("the function of %s failed", channel)
            # [RDS-045]
            await reply(wire.failure(id, {"status": "error", "message": "Internal server error"}))
