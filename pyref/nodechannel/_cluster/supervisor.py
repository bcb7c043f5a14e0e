"""The primary in asyncio: it starts workers, keeps their number up, and shares ports among them."""

from __future__ import annotations

import asyncio
import errno
import inspect
import os
import signal
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from typing import Any, NamedTuple, Self

from nodechannel._cluster import processes
from nodechannel._cluster.listening import Sockets
from nodechannel._cluster.messages import UNIX, Policy, Query
from nodechannel._cluster.primary import Place, PrimaryProtocol, WorkerLink
from nodechannel._cluster.processes import Command, Script, WorkerProcess
from nodechannel._core.message import Message
from nodechannel._core.options import OpenOptions
from nodechannel._core.serialization import Serialization
from nodechannel._start.serialization import resolve
from nodechannel.errors import ChannelClosed, ChannelError, HandleAbandoned, WorkersFail

# Seconds until a worker that died young is replaced: the first time, and at most. They double with each death.
FIRST_DELAY = 0.1
LONGEST_DELAY = 10.0

# A worker that listens and lives so many seconds was no mistake in its script; for one that does not listen `READY` counts, since a
# loaded machine can take long until a script fails.
YOUTH = 10.0

# Seconds that workers have for their connections when they are to end, and between SIGTERM and SIGKILL.
GRACE = 30.0

# Seconds that a new worker may take until it listens, while its predecessor goes on.
READY = 60.0

# So many workers may die young in a row before any has listened; then their script is at fault.
HOPELESS = 5


class Event(NamedTuple):
    """Something that happened in a cluster.

    Attributes:
        kind: ``fork``, ``online``, ``listening``, ``exit``, ``restart`` or ``error``.
        worker: the number of the worker.
        detail: its process id, its address, how it ended, the delay in seconds until it is replaced, what went wrong.
    """

    kind: str
    worker: int
    detail: int | float | str | Exception | None


class Cluster:
    """Workers that share their ports, and their primary.

    As an asynchronous context manager it starts the workers, and stops them gracefully at the end of the block; `run` does the same
    for a program that does nothing else.

    Args:
        script: what the workers run: a Python script by this interpreter, any other by Node, a sequence of strings inside the list below
            as a command line. With a list of them, the workers run one after the other of it in turn.
        args: arguments of the script.
        workers: how many; one for each processor if not given.
        policy: ``round-robin`` or ``shared``.
        exec_path, exec_argv: the Node executable and its own options, as for `fork`.
        cwd, env: as for `spawn`.
        serialization, default: as for `spawn`: how messages become bytes, and what becomes of values that have none.
        relay: pass each message of a worker to all others.
        on_message: called with a worker and its message, function or coroutine function.
        on_event: called with each `Event`.
    """

    def __init__(
        self,
        script: Command | list[Command],
        *args: Script,
        workers: int | None = None,
        policy: Policy | str = Policy.ROUND_ROBIN,
        exec_path: Script | None = None,
        exec_argv: Sequence[str] = (),
        cwd: Script | None = None,
        env: Mapping[str, str] | None = None,
        serialization: str | Serialization = "json",
        default: Callable[[Any], Any] | None = None,
        relay: bool = False,
        on_message: Callable[[WorkerProcess, Message], Awaitable[None] | None] | None = None,
        on_event: Callable[[Event], None] | None = None,
    ) -> None:
        scripts = script if isinstance(script, list) else [script]
        self._commands = [processes.command_line(one, args, exec_path, exec_argv) for one in scripts]
        self._size = len(os.sched_getaffinity(0)) if workers is None else workers
        if self._size < 1 or not self._commands:
            raise ValueError("a cluster has at least one worker and one script")
        self._policy = Policy(policy)
        channel: OpenOptions = {"serialization": serialization, "default": default}
        resolve(channel)
        self._options = {"cwd": cwd, "env": env, "channel": channel}
        self._relay = relay
        self._on_message = on_message
        self._on_event = on_event
        self._last_id = 0
        self.workers: dict[int, WorkerProcess] = {}
        # Who does the work of each place in the list of scripts, and how often its like died young.
        self._slots: dict[int, WorkerProcess] = {}
        self._deaths: dict[int, int] = {}
        self._hopeful = False
        self._stopping = False
        self._tasks: set[asyncio.Task[Any]] = set()

    # Starting.

    async def start(self) -> None:
        """Start the workers and return when each of them listens, or has been online for a minute.

        Raises `OSError` when one cannot be started, and `WorkersFail` when they die; then none is left.
        """
        self._loop = asyncio.get_running_loop()
        self._sockets = Sockets()
        self._primary = PrimaryProtocol(self._policy, self)
        self._end: asyncio.Future[None] = self._loop.create_future()
        try:
            for slot in range(self._size):
                if not self._stopping:
                    self._slots[slot] = await self._fork(slot)
            await self._all_ready()
        except BaseException:
            await self.stop(0.0)
            raise

    async def _all_ready(self) -> None:
        """Wait until each place has a worker that listens."""
        deadline = self._loop.time() + READY
        while self._loop.time() < deadline and not self._stopping:
            waiting = [worker for worker in self._slots.values() if not worker.listening]
            if not waiting and len(self._slots) == self._size:
                return
            if not waiting:  # one has died and is not replaced yet
                waits = [self._spawn(asyncio.sleep(FIRST_DELAY))]
            else:
                waits = [self._spawn(worker.ready(timeout=FIRST_DELAY)) for worker in waiting]
            await asyncio.wait([self._end, *waits], return_when=asyncio.FIRST_COMPLETED)
            for task in waits:
                task.cancel()
            if self._end.done():
                self._end.result()

    async def _fork(self, slot: int) -> WorkerProcess:
        self._last_id += 1
        argv = self._commands[slot % len(self._commands)]
        worker = await processes.start(argv, self._last_id, self._primary, **self._options)  # type: ignore[arg-type]
        self.workers[worker.id] = worker
        self._tell("fork", worker.id, worker.pid)
        self._spawn(self._attend(slot, worker))
        return worker

    # One worker from its start to its end.

    async def _attend(self, slot: int, worker: WorkerProcess) -> None:
        reading = self._spawn(self._read(worker))
        await worker.process.wait()
        # What it wrote is still in the channel; its end may be kept open by a process that the worker has started.
        _, late = await asyncio.wait([reading], timeout=1.0)
        if late:
            worker.close()
            reading.cancel()
            self._primary.gone(worker.link)
        worker.close()
        del self.workers[worker.id]
        self._tell("exit", worker.id, worker.signal_code or worker.exit_code)
        if self._slots.get(slot) is worker:
            del self._slots[slot]
            if not self._stopping and not worker.retired:
                self._spawn(self._replace(slot, worker))

    async def _read(self, worker: WorkerProcess) -> None:
        while True:
            try:
                message = await worker.receive()
                await self._receive(worker, message)
            except ChannelClosed:
                break
            except HandleAbandoned as error:
                worker.link.abandoned(error.delivery)
            except Exception as error:
                self._tell("error", worker.id, error)
        self._primary.gone(worker.link)
        self._spawn(worker.end(GRACE))

    async def _receive(self, worker: WorkerProcess, message: Message) -> None:
        try:
            if self._relay:
                await self.broadcast(message.data, message.handle, exclude=worker)
            if self._on_message is not None:
                result = self._on_message(worker, message)
                if inspect.isawaitable(result):
                    await result
        finally:
            if message.handle is not None:
                message.handle.close()

    async def broadcast(
        self, message: object, handle: Any = None, *, exclude: WorkerProcess | None = None
    ) -> None:
        """Send a message to every worker, and a copy of a handle with it; whoever is ending is left out."""
        for worker in list(self.workers.values()):
            if worker is not exclude and worker.connected:
                with suppress(ChannelClosed):
                    await worker.send(message, handle, keep_open=handle is not None)

    async def _replace(self, slot: int, worker: WorkerProcess) -> None:
        """Start a worker in the place of one that died, the later the more of them died young."""
        young = worker.age <= (YOUTH if worker.listening else READY)
        deaths = self._deaths[slot] = self._deaths.get(slot, 0) + 1 if young else 0
        if not self._hopeful and sum(self._deaths.values()) >= HOPELESS:
            self._fail(WorkersFail(worker.signal_code or worker.exit_code))
            return
        delay = min(FIRST_DELAY * 2 ** max(0, deaths - 1), LONGEST_DELAY) if deaths else 0.0
        self._tell("restart", worker.id, delay)
        await asyncio.sleep(delay)
        while not self._stopping and slot not in self._slots:
            try:
                self._slots[slot] = await self._fork(slot)
            except (OSError, ChannelError) as error:
                self._tell("error", worker.id, error)
                delay = min(max(2 * delay, FIRST_DELAY), LONGEST_DELAY)
                await asyncio.sleep(delay)

    # What the protocol asks for.

    def later(self, delay: float, function: Callable[[], None]) -> object:
        """Call a function after so many seconds."""
        return self._sockets.later(delay, function)

    def open(self, place: Place) -> None:
        """Make the socket of a place."""
        if self._stopping:
            self._primary.failed(place, -errno.ECANCELED)
        else:
            self._sockets.open(place, self._primary)

    def close(self, place: Place) -> None:
        """Close the socket of a place."""
        self._sockets.close(place)

    def online(self, link: WorkerLink) -> None:
        """A worker has started."""
        self._tell("online", link.id, None)

    def listening(self, link: WorkerLink, query: Query) -> None:
        """A worker listens."""
        worker = self.workers.get(link.id)
        if worker is not None:
            self._hopeful = True
            worker.listening.append(query)
            place = query.address if query.address_type == UNIX else f"{query.address or '*'}:{query.port}"
            self._tell("listening", link.id, place)

    # Ending.

    async def roll(self) -> None:
        """Replace every worker by a new one, one after the other, each only when its successor listens.

        Raises `WorkersFail` when a successor dies before that; then the predecessor goes on.
        """
        for slot, old in list(self._slots.items()):
            if self._slots.get(slot) is not old or self._stopping:
                continue
            new = await self._fork(slot)
            if not await new.ready(len(old.listening), READY):
                await new.end(0.0)
                raise WorkersFail(new.signal_code or new.exit_code)
            # The old one may have died meanwhile, and have been replaced.
            replaced, self._slots[slot] = self._slots.get(slot, old), new
            for worker in {old, replaced}:
                worker.retire()
                await worker.end(GRACE)

    async def stop(self, grace: float = GRACE) -> None:
        """Take no new connections, let the workers finish theirs for at most `grace` seconds, and end them. Safe to call again."""
        if not self._stopping:
            self._stopping = True
            self._sockets.drain()
            await self._hand_out_rest(min(grace, 1.0))
            for worker in self.workers.values():
                worker.retire()
        await asyncio.gather(*(worker.end(grace) for worker in list(self.workers.values())))
        self._primary.close()
        while pending := self._tasks - {asyncio.current_task()}:
            await asyncio.wait(pending, timeout=1.0)
            for task in pending:
                task.cancel()
        if not self._end.done():
            self._end.set_result(None)

    async def _hand_out_rest(self, patience: float) -> None:
        """Wait until the connections that were accepted have found their workers."""
        deadline = self._loop.time() + patience
        places = list(self._primary.places.values())
        while any(place.scheduler.waiting or place.scheduler.unanswered for place in places):
            if self._loop.time() > deadline:
                return
            await asyncio.sleep(0.005)

    def kill(self) -> None:
        """End every worker at once, by SIGKILL; for a `stop` that takes too long."""
        for worker in self.workers.values():
            worker.kill(signal.SIGKILL)

    async def wait(self) -> None:
        """Wait until the cluster has stopped; raises `WorkersFail` when its workers die one after the other."""
        await asyncio.wait([self._end])
        self._end.result()

    def _fail(self, error: WorkersFail) -> None:
        if not self._end.done():
            self._end.set_exception(error)

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *error: object) -> None:
        await self.stop(GRACE if error[0] is None else 0.0)

    def run(self) -> None:
        """Start the workers and wait until a signal ends the cluster: SIGINT and SIGTERM stop it gracefully, the second one at once.

        SIGHUP replaces every worker. Raises what `start` and `wait` raise.
        """
        asyncio.run(self._run())

    async def _run(self) -> None:
        loop = asyncio.get_running_loop()
        stopping: list[asyncio.Task[None]] = []

        def stop() -> None:
            if stopping:
                self.kill()
            else:
                stopping.append(loop.create_task(self.stop()))

        starting = loop.create_task(self.start())
        await asyncio.sleep(0)
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, stop)
        loop.add_signal_handler(signal.SIGHUP, lambda: self._spawn(self._roll_and_tell()))
        try:
            await starting
            await self.wait()
        finally:
            await self.stop()

    async def _roll_and_tell(self) -> None:
        try:
            await self.roll()
        except (OSError, ChannelError) as error:
            self._tell("error", self._last_id, error)

    # Small things.

    def _spawn(self, coroutine: Any) -> asyncio.Task[Any]:
        task = self._loop.create_task(coroutine)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    def _tell(self, kind: str, worker: int, detail: Any) -> None:
        if self._on_event is not None:
            self._on_event(Event(kind, worker, detail))
