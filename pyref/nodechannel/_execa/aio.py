"""The asyncio front end of execa's IPC methods."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from types import TracebackType
from typing import Any, Self

from nodechannel import asyncio as aio
from nodechannel._dialects.remedy import EXECA, remedy
from nodechannel._execa.exchange import Exchange
from nodechannel._io.limits import seconds
from nodechannel.errors import ChannelClosed, RemoteError


class Ipc:
    """execa's IPC methods, as a subprocess of execa or as the parent of a program that uses them.

    Messages are taken from the channel once a method is called for the first time, so a strict message that arrives before waits.

    Args:
        channel: the channel, which belongs to this object from now on.
    """

    def __init__(self, channel: aio.Channel) -> None:
        self.channel = channel
        self._exchange = Exchange()
        self._listening: set[asyncio.Queue[Any]] = set()
        self._changed = asyncio.Condition()
        self._reading: asyncio.Task[None] | None = None
        self._replying = asyncio.Lock()
        self._ended = False

    async def send_message(self, message: Any, *, strict: bool = False, timeout: float | None = None) -> None:
        """Send a message; a strict one is acknowledged by a listener of the remote side.

        Raises `NotListening` when there is none, `Deadlock` when both sides send strict messages and neither listens, `ChannelClosed`,
        `InvalidMessage` and `TimeoutError`.
        """
        if not strict:
            await self.channel.send(message, timeout=timeout)
            return
        self._start()
        envelope, sent = self._exchange.wrap(message)
        try:
            async with asyncio.timeout(seconds(timeout)):
                await self.channel.send(envelope)
                await self._settle()
                async with self._changed:
                    await self._changed.wait_for(lambda: sent.done)
        finally:
            self._exchange.forget(sent)
            await asyncio.shield(self._settle())
        if sent.error is not None:
            raise sent.error

    async def get_one_message(
        self,
        filter: Callable[[Any], bool] | None = None,  # noqa: A002 (execa's word)
        *,
        timeout: float | None = None,
    ) -> Any:
        """Return the next message that `filter` accepts; raises `ChannelClosed` and `TimeoutError`."""
        async with asyncio.timeout(seconds(timeout)):
            async with self._listen() as queue:
                while True:
                    message = await self._next(queue)
                    if filter is None or filter(message):
                        return message

    async def get_each_message(self) -> AsyncGenerator[Any, None]:
        """Yield all messages until the channel ends. Several loops at a time get each message each.

        Leaving the loop does not disconnect: `close` does.
        """
        async with self._listen() as queue:
            with suppress(ChannelClosed):
                while True:
                    yield await self._next(queue)

    @asynccontextmanager
    async def graceful_cancel(self) -> AsyncIterator[None]:
        """Cancel the block when the parent aborts execa's `cancelSignal`, or is gone; the block raises `Cancelled`.

        execa needs `gracefulCancel: true` for it.
        """
        self._start()
        task = asyncio.current_task()
        assert task is not None

        async def watch() -> None:
            async with self._changed:
                await self._changed.wait_for(lambda: self._exchange.cancelled is not None)
            task.cancel()

        watching = asyncio.get_running_loop().create_task(watch())
        try:
            yield
        except asyncio.CancelledError:
            if self._exchange.cancelled is not None and task.uncancel() == 0:
                raise self._exchange.cancelled from None
            raise
        finally:
            watching.cancel()

    async def wait_cancelled(self) -> BaseException:
        """Wait until the parent cancels this program; return `Cancelled`."""
        self._start()
        async with self._changed:
            await self._changed.wait_for(lambda: self._exchange.cancelled is not None)
        assert self._exchange.cancelled is not None
        return self._exchange.cancelled

    async def close(self) -> None:
        """Disconnect after all that was sent is written."""
        await self.channel.__aexit__(None, None, None)
        if self._reading is not None:
            await asyncio.wait([self._reading])

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    # Inside.

    def _start(self) -> None:
        if self._reading is None:
            self._reading = asyncio.get_running_loop().create_task(self._read())

    async def _read(self) -> None:
        with suppress(ChannelClosed):
            while True:
                with suppress(RemoteError):
                    self._exchange.receive((await self.channel.receive()).data)
                    await self._settle()
        self._ended = True
        self._exchange.end()
        for queue in self._listening:
            queue.put_nowait(_END)
        await self._settle()

    async def _settle(self) -> None:
        """Deliver messages and write replies, in order."""
        while self._exchange.delivered:
            message = self._exchange.delivered.popleft()
            for queue in self._listening:
                queue.put_nowait(message)
        async with self._replying:
            with suppress(ChannelClosed):
                while self._exchange.replies:
                    await self.channel.send(self._exchange.replies.popleft())
        async with self._changed:
            self._changed.notify_all()

    @asynccontextmanager
    async def _listen(self) -> AsyncIterator[asyncio.Queue[Any]]:
        queue: asyncio.Queue[Any] = asyncio.Queue()
        self._listening.add(queue)
        self._exchange.listeners += 1
        self._exchange.settle()
        self._start()
        try:
            await self._settle()
            if self._ended:
                queue.put_nowait(_END)
            yield queue
        finally:
            self._listening.discard(queue)
            self._exchange.listeners -= 1
            if not self._listening:
                rest = [queue.get_nowait() for _ in range(queue.qsize())]
                self._exchange.keep([message for message in rest if message is not _END])

    async def _next(self, queue: asyncio.Queue[Any]) -> Any:
        message = await queue.get()
        if message is _END:
            raise ChannelClosed("receive")
        return message


_END = object()


async def connect(**options: Any) -> Ipc:
    """Adopt the channel of execa, or of any parent; raises `NoChannel`, `BadChannelFd` or `UnsupportedSerialization`."""
    with remedy(EXECA):
        return Ipc(await aio.connect(**options))


async def fork(script: str | os.PathLike[str], *args: str | os.PathLike[str], **options: Any) -> Ipc:
    """Start a Node script that uses execa's IPC methods; see `nodechannel.fork` for the options."""
    return Ipc(await aio.fork(script, *args, **options))


async def spawn(argv: Sequence[str | os.PathLike[str]], **options: Any) -> Ipc:
    """Start a command; see `nodechannel.spawn` for the options."""
    return Ipc(await aio.spawn(argv, **options))
