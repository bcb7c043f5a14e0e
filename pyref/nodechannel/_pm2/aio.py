"""The asyncio front end: the words of the blocking one, as coroutines."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Coroutine
from contextlib import suppress
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self, Unpack

from nodechannel import asyncio as aio
from nodechannel import cluster
from nodechannel._core.message import Message
from nodechannel._core.options import ChannelOptions
from nodechannel._dialects.calls import call, drop
from nodechannel._dialects.remedy import PM2, remedy
from nodechannel._pm2 import messages
from nodechannel._pm2.blocking import INTERVAL, SIGNALS
from nodechannel._pm2.guard import guard
from nodechannel._pm2.registry import Registry
from nodechannel._pm2.run import answer
from nodechannel._start.signals import add_handlers
from nodechannel.cluster import asyncio as aio_cluster
from nodechannel.errors import ChannelClosed, RemoteError

if TYPE_CHECKING:
    from nodechannel._pm2.registry import Called


class App(Registry):
    """A program that PM2 manages; see the blocking `App`. Made by `connect`.

    Actions and topics that are coroutine functions run in the event loop, all others in threads.

    Attributes:
        channel: the channel to PM2; in cluster mode a `nodechannel.cluster.asyncio.Worker`.
    """

    def __init__(self, channel: aio.Channel) -> None:
        super().__init__()
        self.channel = channel
        guard(channel)
        self._inbox: asyncio.Queue[Message | None] = asyncio.Queue()
        self._stopping = asyncio.Event()
        self._loop = asyncio.get_running_loop()
        self._signals: list[int] = []
        self._tasks: set[asyncio.Task[None]] = set()
        for work in (self._send(messages.version()), self._serve(), self._report()):
            self._start(work)

    async def ready(self) -> None:
        """Say that the program can take work, for `wait_ready`; raises `ChannelClosed`."""
        await self.channel.send(messages.READY)

    async def configure(self, **options: Any) -> None:
        """Describe this program to PM2's interfaces."""
        await self.channel.send(messages.configuration(options))

    async def event(self, name: str, **data: Any) -> None:
        """Send an event of the program's own, which PM2's interfaces list by its name."""
        await self.channel.send(messages.human_event(name, data))

    async def exception(self, error: BaseException, **context: Any) -> None:
        """Report an exception with its traceback."""
        await self.channel.send(messages.exception(error, context))

    async def publish(self, type: str, data: object) -> None:
        """Send an event to those that listen on PM2's bus; raises `UnsafeForPM2`."""
        await self.channel.send(messages.event(type, data))

    async def send(self, message: object) -> None:
        """Send a message, which PM2's bus shows as `process:msg`; raises `UnsafeForPM2`."""
        await self.channel.send(messages.plain(message))

    @property
    def stopping(self) -> bool:
        """Whether PM2 wants this program to end, or PM2 is gone."""
        return self._stopping.is_set()

    def stop(self) -> None:
        """End as if PM2 had asked for it."""
        if not self._stopping.is_set():
            self._stopping.set()
            self._inbox.put_nowait(None)

    async def wait(self) -> None:
        """Wait until PM2 wants this program to end."""
        await self._stopping.wait()

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Message:
        message = await self._inbox.get()
        if message is None:
            self._inbox.put_nowait(None)
            raise StopAsyncIteration
        return message

    async def __aenter__(self) -> Self:
        if threading.current_thread() is threading.main_thread():
            self._signals += add_handlers(self._loop, SIGNALS, self.stop)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if error is not None and isinstance(error, Exception):
                with suppress(ChannelClosed):
                    await self.exception(error)
            await self.close()
        finally:
            for number in self._signals:
                self._loop.remove_signal_handler(number)

    async def close(self) -> None:
        """Disconnect from PM2; sent messages arrive, and actions that still run are cancelled."""
        self.stop()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self.channel.__aexit__(None, None, None)

    def _start(self, work: Coroutine[Any, Any, None]) -> None:
        task = self._loop.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _announce(self, message: dict[str, Any]) -> None:
        self._start(self._send(message))

    async def _send(self, message: dict[str, Any]) -> None:
        with suppress(ChannelClosed):
            await self.channel.send(message)

    async def _serve(self) -> None:
        with suppress(ChannelClosed):
            while True:
                with suppress(RemoteError):
                    self._take(await self.channel.receive())
        self.stop()

    def _take(self, message: Message) -> None:
        if message.data == messages.SHUTDOWN:
            self.stop()
        elif called := self._called(message.data):
            self._start(self._answer(called))
        elif subscriber := self._subscriber(message.data):
            self._start(call(subscriber, message.data["data"], emit=drop))
        else:
            self._inbox.put_nowait(message)

    async def _answer(self, called: Called) -> None:
        with suppress(ChannelClosed):
            await answer(called, self.channel.send)

    async def _report(self) -> None:
        while True:
            await asyncio.sleep(INTERVAL)
            if values := self._metrics.read(self._metric_failed):
                await self._send(messages.monitor(values))

    def _metric_failed(self, name: str, error: Exception) -> None:
        self._start(self._send(messages.exception(error, {"metric": name})))


async def connect(**options: Unpack[ChannelOptions]) -> App:
    """Adopt the channel of PM2; in cluster mode as a worker of its cluster.

    Raises `NoChannel`, `BadChannelFd` or `UnsupportedSerialization`.
    """
    if cluster.is_worker():
        return App(await aio_cluster.connect(**options))
    with remedy(PM2):
        return App(await aio.connect(**options))
