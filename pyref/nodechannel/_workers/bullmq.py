"""BullMQ's sandboxed processors: one job at a time, with requests about the job back to the queue."""

from __future__ import annotations

import asyncio
import itertools
import json
import threading
from collections.abc import Coroutine
from typing import TYPE_CHECKING, Any, ClassVar

from nodechannel._dialects.calls import is_coroutine
from nodechannel._dialects.faults import describe
from nodechannel._workers.protocols import Protocol

if TYPE_CHECKING:
    from nodechannel._dialects.faults import Fault
    from nodechannel._workers.serving import Worker

# Commands of the queue, and its answers to requests.
INIT, START, STOP, CANCEL = 0, 1, 2, 7
ANSWERS = (3, 4, 5, 6, 8)
# Messages of a worker.
COMPLETED, FAILED, INIT_FAILED, INIT_COMPLETED, LOG = 0, 2, 3, 4, 5
MOVE_TO_DELAYED, MOVE_TO_WAIT, PROGRESS, UPDATE = 6, 7, 8, 9
CHILDREN_VALUES, IGNORED_FAILURES, DEPENDENCIES_COUNT, MOVE_TO_WAITING_CHILDREN, DEPENDENCIES = range(10, 15)

# Seconds for an answer of the queue, as in BullMQ.
PATIENCE = 5.0


class UnrecoverableError(Exception):
    """Raised by a processor: the job failed and is not tried again."""


class DelayedError(Exception):
    """Raised by a processor after `move_to_delayed`."""


class WaitingError(Exception):
    """Raised by a processor after `move_to_wait`."""


class WaitingChildrenError(Exception):
    """Raised by a processor after `move_to_waiting_children` returned true."""


class AsyncJob:
    """A job, for a processor that is a coroutine function.

    Attributes:
        id: the job's id.
        name: its name.
        data: its data.
        opts: its options, with BullMQ's names.
        token: the token of the lock that the queue's worker holds.
        raw: the job as BullMQ sent it.
    """

    def __init__(self, protocol: BullMQ, raw: dict[str, Any], token: Any) -> None:
        self._protocol = protocol
        self.raw = raw
        self.id: Any = raw.get("id")
        self.name: str = raw.get("name", "")
        self.data: Any = json.loads(raw.get("data") or "{}")
        self.opts: Any = raw.get("opts")
        self.token = token

    async def update_progress(self, progress: Any) -> None:
        """Say how far the job is: a number or an object."""
        await self._protocol.tell(PROGRESS, progress)

    async def log(self, row: str) -> None:
        """Add a line to the job's log."""
        await self._protocol.tell(LOG, row)

    async def update_data(self, data: Any) -> None:
        """Replace the job's data."""
        await self._protocol.tell(UPDATE, data)
        self.data = data

    async def move_to_delayed(self, timestamp: float, token: Any = None) -> None:
        """Try the job again at a time, in milliseconds since 1970; raise `DelayedError` afterwards."""
        await self._protocol.tell(MOVE_TO_DELAYED, {"timestamp": timestamp, "token": token or self.token})

    async def move_to_wait(self, token: Any = None) -> None:
        """Put the job back into the queue; raise `WaitingError` afterwards."""
        await self._protocol.tell(MOVE_TO_WAIT, {"token": token or self.token})

    async def move_to_waiting_children(self, token: Any = None, **opts: Any) -> bool:
        """Wait for the job's children; raise `WaitingChildrenError` afterwards if this returns true."""
        value = {"token": token or self.token, "opts": opts}
        return bool(await self._protocol.ask(MOVE_TO_WAITING_CHILDREN, value))

    async def get_children_values(self) -> dict[str, Any]:
        """Return the results of the job's children."""
        return dict(await self._protocol.ask(CHILDREN_VALUES))

    async def get_ignored_children_failures(self) -> dict[str, Any]:
        """Return the failures of children that are ignored."""
        return dict(await self._protocol.ask(IGNORED_FAILURES))

    async def get_dependencies_count(self, **opts: Any) -> dict[str, Any]:
        """Return how many children are in which state."""
        return dict(await self._protocol.ask(DEPENDENCIES_COUNT, opts or None))

    async def get_dependencies(self, **opts: Any) -> dict[str, Any]:
        """Return the children by state."""
        return dict(await self._protocol.ask(DEPENDENCIES, opts or None))


class Job:
    """A job, for a processor that is a plain function: the methods and attributes of `AsyncJob`, blocking.

    Attributes:
        cancelled: set when the queue cancels the job; a plain function has to look at it.
    """

    def __init__(self, job: AsyncJob, loop: asyncio.AbstractEventLoop) -> None:
        self._job = job
        self._loop = loop
        self._thread = threading.get_ident()
        self.cancelled: threading.Event = threading.Event()

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._job, name)
        if not asyncio.iscoroutinefunction(found):
            return found

        def call(*args: Any, **options: Any) -> Any:
            if threading.get_ident() == self._thread:
                raise RuntimeError(
                    f"job.{name}() waits, and here it would wait for itself; make the processor `async def`, which gets an AsyncJob"
                )
            work: Coroutine[Any, Any, Any] = found(*args, **options)
            return asyncio.run_coroutine_threadsafe(work, self._loop).result()

        return call


class BullMQ(Protocol):
    """BullMQ calls the function with the job's name, else the function ``default``, with the job."""

    package = "bullmq"
    marks: ClassVar[tuple[str, ...]] = ("bullmq", "main")

    def __init__(self, worker: Worker) -> None:
        super().__init__(worker)
        self._requests: dict[str, asyncio.Future[Any]] = {}
        self._numbers = itertools.count()
        self._task: asyncio.Task[None] | None = None
        self._job: Job | None = None

    async def tell(self, cmd: int, value: Any) -> None:
        """Send a message about the job."""
        await self.worker.send({"cmd": cmd, "value": value})

    async def ask(self, cmd: int, value: Any = None) -> Any:
        """Send a request about the job; return the answer. Raises `TimeoutError`."""
        id = str(next(self._numbers))
        self._requests[id] = asyncio.get_running_loop().create_future()
        try:
            # Left out and not null: BullMQ takes defaults for undefined members only.
            given = {} if value is None else {"value": value}
            await self.worker.send({"cmd": cmd, "requestId": id, **given})
            async with asyncio.timeout(PATIENCE):
                return await self._requests[id]
        finally:
            del self._requests[id]

    async def received(self, data: Any) -> None:
        cmd = data.get("cmd") if isinstance(data, dict) else None
        if cmd == INIT:
            self.worker.start(self._initialize())
        elif cmd == START:
            self._task = self.worker.start(self._process(data["job"], data.get("token")))
        elif cmd == STOP:
            self.worker.stop()
        elif cmd == CANCEL:
            self._cancel()
        elif cmd in ANSWERS:
            waiting = self._requests.get(data.get("requestId"))
            if waiting is not None and not waiting.done():
                waiting.set_result(data.get("value"))

    async def last(self) -> None:
        """Finish the job, as BullMQ's own workers do on SIGTERM."""
        if self._task is not None:
            await asyncio.wait([self._task])

    async def _initialize(self) -> None:
        try:
            await self.worker.set_up()
        except Exception as error:
            await self.worker.send({"cmd": INIT_FAILED, "err": describe(error)._asdict()})
            self.worker.stop()
        else:
            await self.worker.send({"cmd": INIT_COMPLETED})

    async def _process(self, raw: dict[str, Any], token: Any) -> None:
        job = AsyncJob(self, raw, token)
        name = job.name if job.name in self.worker.functions else "default"
        function = self.worker.functions.get(name)
        if function is not None and not is_coroutine(function):
            self._job = Job(job, asyncio.get_running_loop())
        given = self._job or job
        try:
            result, fault = await self.worker.outcome(name, (given,), lambda item: self.tell(PROGRESS, item))
        except asyncio.CancelledError:
            await self.worker.send(self._failure(describe(RuntimeError("the job was cancelled"))))
            return
        finally:
            self._job = None
        if fault is not None:
            await self.worker.send(self._failure(fault))
        else:
            await self.worker.reply({"cmd": COMPLETED, "value": result}, self._failure)

    def _failure(self, fault: Fault) -> dict[str, Any]:
        return {"cmd": FAILED, "value": fault._asdict()}

    def _cancel(self) -> None:
        if self._job is not None:
            self._job.cancelled.set()
        elif self._task is not None:
            self._task.cancel()
