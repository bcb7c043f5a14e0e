"""Pools over Node's workers: one call at a time in each worker, dead workers are replaced."""

from __future__ import annotations

import asyncio
import itertools
import os
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from contextlib import suppress
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from nodechannel import asyncio as aio
from nodechannel._dialects.background import Background
from nodechannel._io.limits import seconds
from nodechannel._workers.hosts import HOSTS, Said
from nodechannel.errors import ChannelClosed, ChannelError, LocalError, RemoteError

if TYPE_CHECKING:
    from nodechannel._workers.hosts import Host

# Seconds for a worker to give up a call, and to end when it was asked to.
CLEAN_UP = 1.0
END = 5.0


class WorkerDied(ChannelError):
    """The worker ended before it answered; the next call gets a new worker.

    Attributes:
        status: its exit status, or the name of the signal that ended it.

    Cause:
        The worker crashed, was killed, or called `process.exit` during the call.

    Remedy:
        Look at `status` and at the worker's standard error; call again if the call may run twice.
    """

    code = "NC_WORKER_DIED"

    def __init__(self, method: str, status: int | str | None) -> None:
        super().__init__(f"the worker ended with {status} during {method!r}")
        self.status = status


class PoolClosed(ChannelError):
    """The pool was closed.

    Cause:
        `close` was called, or the `with` block has ended.

    Remedy:
        Call before the end of the block, or open a new pool.
    """

    code = "NC_POOL_CLOSED"

    def __init__(self) -> None:
        super().__init__("the pool is closed")


class _Worker:
    """A worker process and the call that it works on."""

    def __init__(self, host: Host, child: aio.ChildProcess) -> None:
        self.host = host
        self.child = child
        self.usable = True

    async def next(self, id: int | None) -> Said:
        """Return the next message of the worker about a call; raises `ChannelClosed`."""
        while True:
            with suppress(RemoteError):
                said = self.host.understand((await self.child.receive()).data)
                if said is not None and said.id in (id, None):
                    return said

    async def call(self, id: int, method: str, args: Sequence[Any], on_event: Callable[[Any], object]) -> Any:
        """Call a function; a cancelled call is given up in the worker too."""
        try:
            await self.child.send(self.host.call(id, method, args))
            said = await self._answer(id, on_event)
        except LocalError:  # arguments that were refused before anything was sent
            raise
        except ChannelClosed:
            self.usable = False
            await self._wait()
            raise WorkerDied(method, self._status()) from None
        except BaseException:
            await asyncio.shield(self._give_up(id))
            raise
        if said.kind == "unheard":
            await asyncio.shield(self._give_up(id))
        if said.kind != "result":
            raise said.value
        return said.value

    async def _answer(self, id: int, on_event: Callable[[Any], object]) -> Said:
        """Return the end of a call; `unheard` with the exception of `on_event` if the call still runs."""
        while True:
            said = await self.next(id)
            if said.kind in ("result", "error"):
                return said
            if said.kind == "event":
                try:
                    on_event(said.value)
                except Exception as error:
                    return Said("unheard", id, error)

    async def _give_up(self, id: int) -> None:
        """Ask the worker to stop the call, and end it if it does not: its answer must not meet the next call."""
        self.usable = False
        message = self.host.cancel(id)
        if message is not None:
            with suppress(ChannelClosed, TimeoutError):
                async with asyncio.timeout(CLEAN_UP):
                    await self.child.send(message)
                    while (said := await self.next(id)).kind != "cleaned":
                        pass
                self.usable = bool(said.value)
        if not self.usable:
            await self.end(0)

    async def end(self, patience: float = END) -> None:
        """End the process, in good order if there is time."""
        self.usable = False
        if patience:
            with suppress(ChannelClosed, TimeoutError):  # a worker that does not read takes no message
                await self.child.send(self.host.end(), timeout=patience)
            with suppress(TimeoutError):
                await self.child.wait(patience)
        if self.child.process.returncode is None:
            self.child.kill(9)
        await self._wait()
        self.child.close()

    async def _wait(self) -> None:
        with suppress(TimeoutError):
            await self.child.wait(END)

    def _status(self) -> int | str | None:
        return self.child.signal_code or self.child.exit_code


class AsyncPool:
    """A pool of Node workers, with coroutines.

    Args:
        script: a script for workerpool, or a module with functions for jest-worker.
        kind: ``workerpool`` or ``jest-worker``.
        workers: how many processes at most; one for each processor if not given. They start when they are needed.
        setup_args: for jest-worker, the arguments of its module's `setup`.
        options: as for `nodechannel.fork`.
    """

    def __init__(
        self,
        script: str | os.PathLike[str],
        *,
        kind: str = "workerpool",
        workers: int | None = None,
        setup_args: Sequence[Any] = (),
        **options: Any,
    ) -> None:
        if kind not in HOSTS:
            raise ValueError(f"kind={kind!r} is none of {', '.join(HOSTS)}")
        self._host = HOSTS[kind](os.fspath(script), setup_args)
        self._options = options
        self._room = asyncio.Semaphore(workers or os.cpu_count() or 1)
        self._idle: list[_Worker] = []
        self._all: set[_Worker] = set()
        self._ids = itertools.count(1)
        self._closed = False

    async def call(
        self,
        method: str,
        *args: Any,
        timeout: float | None = None,
        on_event: Callable[[Any], object] | None = None,
    ) -> Any:
        """Call a function in a worker and return its result.

        The events of the function go to `on_event`. A call that is cancelled or takes more than `timeout` seconds is given up: workerpool's
        abort listeners run, and a worker that has none is replaced.

        Raises `RemoteException` for an exception of the function, `WorkerDied`, `PoolClosed`, `TimeoutError`, and `InvalidMessage` for
        arguments that JSON cannot carry.
        """
        async with asyncio.timeout(seconds(timeout)):
            async with self._room:
                worker = await self._take()
                try:
                    return await worker.call(next(self._ids), method, args, on_event or _drop)
                finally:
                    self._give_back(worker)

    async def methods(self) -> list[str]:
        """Return the names of the functions; for workerpool only."""
        return list(await self.call("methods"))

    @property
    def size(self) -> int:
        """How many workers there are now."""
        return len(self._all)

    async def _take(self) -> _Worker:
        if self._closed:
            raise PoolClosed
        while self._idle:
            worker = self._idle.pop()
            if worker.child.connected and worker.child.process.returncode is None:
                return worker
            self._all.discard(worker)
            await asyncio.shield(worker.end(0))
        return await self._start()

    async def _start(self) -> _Worker:
        child = await aio.fork(self._host.program(), **self._options)
        worker = _Worker(self._host, child)
        self._all.add(worker)
        try:
            if self._closed:  # meanwhile
                raise PoolClosed
            for message in self._host.greeting():
                await child.send(message)
            if self._host.greets:
                while (await worker.next(None)).kind != "ready":
                    pass
        except BaseException as error:
            self._all.discard(worker)
            await asyncio.shield(worker.end(0))
            if isinstance(error, ChannelClosed):
                raise WorkerDied("its start", worker._status()) from None
            raise
        return worker

    def _give_back(self, worker: _Worker) -> None:
        if worker.usable and not self._closed:
            self._idle.append(worker)
        else:
            self._all.discard(worker)
            worker.child.close()

    async def close(self) -> None:
        """End all workers; calls that are under way fail with `WorkerDied`."""
        self._closed = True
        await asyncio.gather(*(worker.end() for worker in self._all))
        self._all.clear()
        self._idle.clear()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()


class Pool:
    """A pool of Node workers, blocking; see `AsyncPool` for the arguments. May be used from several threads."""

    def __init__(self, script: str | os.PathLike[str], **options: Any) -> None:
        self._background = Background("nodechannel.workers pool")
        try:
            self._pool = self._background.call(lambda: AsyncPool(script, **options))
        except BaseException:
            self._background.close()
            raise

    def call(
        self,
        method: str,
        *args: Any,
        timeout: float | None = None,
        on_event: Callable[[Any], object] | None = None,
    ) -> Any:
        """Call a function in a worker and return its result; raises the errors of `AsyncPool.call`."""
        self._require_open()
        return self._background.wait(self._pool.call(method, *args, timeout=timeout, on_event=on_event))

    def submit(
        self,
        method: str,
        *args: Any,
        timeout: float | None = None,
        on_event: Callable[[Any], object] | None = None,
    ) -> Future[Any]:
        """Start a call; return its future. Cancelling the future gives the call up."""
        self._require_open()
        return self._background.start(self._pool.call(method, *args, timeout=timeout, on_event=on_event))

    def methods(self) -> list[str]:
        """Return the names of the functions; for workerpool only."""
        self._require_open()
        return self._background.wait(self._pool.methods())

    @property
    def size(self) -> int:
        """How many workers there are now."""
        return self._pool.size

    def _require_open(self) -> None:
        if self._background.loop.is_closed():
            raise PoolClosed

    def close(self) -> None:
        """End all workers."""
        self._background.close(self._pool.close())

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _drop(_item: object) -> None:
    """Drop an event; the caller asked for none."""
