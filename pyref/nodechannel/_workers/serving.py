"""A worker process: its channel, the calls under way, and its end. The messages are the matter of a protocol."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import Callable, Coroutine, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Unpack

from nodechannel import asyncio as aio
from nodechannel._core.options import ChannelOptions
from nodechannel._dialects.calls import call
from nodechannel._dialects.faults import Fault, describe
from nodechannel._dialects.remedy import POOLS, remedy
from nodechannel._workers.choosing import choose
from nodechannel.errors import ChannelClosed, RemoteError

if TYPE_CHECKING:
    from nodechannel._dialects.calls import Emit
    from nodechannel._workers.protocols import Protocol

Functions = Mapping[str, Callable[..., Any]]
Hook = Callable[..., Any] | None


class Worker:
    """A worker process. Protocols call its methods.

    Attributes:
        functions: the functions that the pool may call, by name.
    """

    def __init__(self, functions: Functions, setup: Hook, teardown: Hook, threads: int) -> None:
        self.functions = functions
        self._setup, self._teardown = setup, teardown
        self._threads = Threads(threads, "nodechannel.workers")
        self._tasks: set[asyncio.Task[Any]] = set()
        self._set_up = False
        self._failed: asyncio.Task[None] | None = None
        self._stopping = asyncio.Event()
        self._channel: aio.Channel

    # For protocols.

    async def send(self, message: object) -> None:
        """Send a message; the end of the channel is noticed elsewhere."""
        with suppress(ChannelClosed):
            await self._channel.send(message)

    async def set_up(self, *args: Any) -> None:
        """Call the user's set-up function once."""
        if not self._set_up:
            self._set_up = True
            if self._setup is not None:
                await self.call(self._setup, args, _refuse_events)

    async def call(self, function: Callable[..., Any], args: tuple[Any, ...], emit: Emit) -> Any:
        """Call a function of the user."""
        return await call(function, *args, emit=emit, executor=self._threads)

    async def outcome(
        self, name: str, args: tuple[Any, ...], emit: Emit | None = None
    ) -> tuple[Any, Fault | None]:
        """Call a function by name; return its result and None, or None and its exception."""
        try:
            return await self.call(self.find(name), args, emit or _refuse_events), None
        except Exception as error:
            return None, describe(error)

    def find(self, name: str) -> Callable[..., Any]:
        """Return a function by name; raises `LookupError`."""
        found = self.functions.get(name)
        if found is None:
            raise LookupError(f"no function {name!r}; this worker has {', '.join(self.functions) or 'none'}")
        return found

    async def reply(self, message: object, otherwise: Callable[[Fault], object]) -> None:
        """Send a result. If the serialization cannot carry it, send the message that `otherwise` makes of the error."""
        try:
            await self.send(message)
        except Exception as error:  # of the serialization, or of the user's `default`
            await self.send(otherwise(describe(error)))

    def start(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        """Run a coroutine beside the channel. If it fails the worker ends: the pool would wait for its answer for ever."""
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._finished)
        return task

    def _finished(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and task.exception() is not None:
            self._failed = self._failed or task
            self.stop()

    def stop(self) -> None:
        """End the process in good order."""
        self._stopping.set()

    # The life of the process.

    async def run(self, protocol: Protocol, channel: aio.Channel) -> None:
        """Serve until the pool or a signal ends it."""
        self._channel = channel
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            with suppress(ValueError, RuntimeError):  # not in the main thread
                loop.add_signal_handler(number, self.stop)
        reading = loop.create_task(self._read(protocol))
        stopping = loop.create_task(self._stopping.wait())
        try:
            await asyncio.wait([reading, stopping], return_when=asyncio.FIRST_COMPLETED)
            for task in (reading, self._failed):
                if task is not None and task.done():
                    task.result()
            if channel.connected:
                await protocol.last()
        finally:
            await self._end(reading, stopping)

    async def _read(self, protocol: Protocol) -> None:
        await protocol.begin()
        with suppress(ChannelClosed):
            while True:
                with suppress(RemoteError):
                    message = await self._channel.receive()
                    await protocol.received(message.data)

    async def _end(self, *tasks: asyncio.Task[Any]) -> None:
        for task in (*tasks, *self._tasks):
            task.cancel()
        await asyncio.gather(*tasks, *self._tasks, return_exceptions=True)
        if self._set_up and self._teardown is not None:
            await call(self._teardown, emit=_refuse_events)
        await self._channel.__aexit__(None, None, None)

    @property
    def busy(self) -> bool:
        """Whether a function still runs in a thread, which cannot be ended."""
        return bool(self._threads.running)


class Threads(ThreadPoolExecutor):
    """Threads that know which calls still run, also when its caller was cancelled."""

    def __init__(self, size: int, name: str) -> None:
        super().__init__(size, name)
        self.running: set[Future[Any]] = set()

    def submit(self, fn: Callable[..., Any], /, *args: Any, **options: Any) -> Future[Any]:
        """Run a function in a thread."""
        future = super().submit(fn, *args, **options)
        self.running.add(future)
        future.add_done_callback(self.running.discard)
        return future


def _refuse_events(_item: object) -> None:
    raise TypeError("this pool has no events, so a generator cannot be called; return a value")


def serve(
    functions: Functions | Callable[..., Any],
    *,
    setup: Hook = None,
    teardown: Hook = None,
    protocol: str | None = None,
    threads: int = 1,
    **options: Unpack[ChannelOptions],
) -> None:
    """Be a worker of the pool that started this process; return when the pool ends it.

    The pool is workerpool, jest-worker, tinypool, worker-farm or BullMQ, found by the command line, or named by `protocol`. Coroutine
    functions run in an event loop of this thread; plain functions run in `threads` threads, so that the pool is served meanwhile. The items
    of generators are events for workerpool, custom messages for jest-worker and progress for BullMQ.

    Args:
        functions: the functions that the pool may call, by name; a function alone has the name ``default``.
        setup: called before the first call; jest-worker gives it its `setupArgs`.
        teardown: called at the end.
        protocol: the name of the pool's package.
        threads: how many plain functions may run at the same time.
        options: of the channel; see `ChannelOptions`. With `default`, results may hold values that the serialization does not know.

    Raises `NoChannel`, and `ValueError` for an unknown protocol.
    """
    worker = asyncio.run(_serve(functions, setup, teardown, protocol, threads, options))
    if worker.busy:
        # The interpreter would wait for the thread, and the pool for the process.
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(0)


async def _serve(
    functions: Functions | Callable[..., Any],
    setup: Hook,
    teardown: Hook,
    protocol: str | None,
    threads: int,
    options: ChannelOptions,
) -> Worker:
    found = choose(sys.argv, protocol)
    known = {"default": functions} if callable(functions) else functions
    for name, function in known.items():
        if not callable(function):
            raise TypeError(f"{name!r} is not a function: {function!r}")
    worker = Worker(known, setup, teardown, threads)
    with remedy(POOLS):
        channel = await aio.connect(**options)
    await worker.run(found(worker), channel)
    return worker
