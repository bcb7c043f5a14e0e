"""The primary in asyncio: it starts the workers, replaces those that die, and shares ports among them."""

from __future__ import annotations

import asyncio
import inspect
import os
import signal
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, Self, cast

from nodechannel._cluster import processes
from nodechannel._cluster.events import Announcer, Event
from nodechannel._cluster.host import ClusterHost
from nodechannel._cluster.listening import Sockets
from nodechannel._cluster.messages import Policy, Query
from nodechannel._cluster.primary import PrimaryProtocol
from nodechannel._cluster.processes import Command, Script, WorkerProcess
from nodechannel._cluster.restarts import RESTART_DELAY, START_TIMEOUT, Restarts, next_delay
from nodechannel._core.message import Message
from nodechannel._core.options import OpenOptions
from nodechannel._core.serialization import Serialization
from nodechannel._handles.outgoing import Sendable, SocketHandle
from nodechannel._start.serialization import resolve
from nodechannel._transport.system import require_unix
from nodechannel.errors import ChannelClosed, ChannelError, RemoteError, WorkerBehind, WorkersFail

# Seconds that a worker has for its connections when it is to end, before SIGTERM.
STOP_TIMEOUT = 30.0

# Seconds that the channel of a dead worker may stay open. A process that the worker started may hold its end.
CHANNEL_TIMEOUT = 1.0


class Cluster:
    """Workers that share their ports, and their primary.

    As an asynchronous context manager it starts the workers, and stops them gracefully at the end of the block; `run` does the same
    as a complete program.

    An exception of a callback is reported and does not end the cluster: that of `on_message` becomes an ``error`` event, that of
    `on_event` goes to the event loop's exception handler, and so do ``error`` events without an `on_event`.

    Args:
        script: the program of the workers: a Python script runs by this interpreter, any other by Node; a sequence of strings inside the
            list below is a command line. A list of scripts is assigned to the workers in turn.
        args: arguments of the script.
        workers: how many; one for each processor if not given.
        policy: ``round-robin`` or ``shared``.
        exec_path, exec_argv: the Node executable and its own options, as for `fork`.
        cwd, env: as for `spawn`.
        serialization, default: as for `spawn`: how messages become bytes, and the replacement of values that have no form there.
        relay: pass each message of a worker to the other workers, as it came.
        on_message: called with a worker and its message, function or coroutine function; the next message of this worker waits for it.
        on_event: called with each `Event`.

    Raises `NotOnThisSystem` on Windows.
    """

    def __init__(
        self,
        script: Command | Sequence[Command],
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
        require_unix(
            "a primary in Python",
            "let a Node primary fork the workers; they call nodechannel.cluster.connect()",
        )
        scripts = cast("list[Command]", script if isinstance(script, list) else [script])
        self._commands = [processes.command_line(one, args, exec_path, exec_argv) for one in scripts]
        self._size = len(os.sched_getaffinity(0)) if workers is None else workers
        if self._size < 1 or not self._commands:
            raise ValueError("a cluster has at least one worker and one script")
        self._policy = Policy(policy)
        channel: OpenOptions = {"serialization": serialization, "default": default}
        # The serializations of broadcast messages, and of relayed messages: a number that a worker sent is never refused.
        self._serialization = resolve(channel)
        self._as_it_came = resolve({"serialization": serialization, "unsafe_integers": True})
        self._options = {"cwd": cwd, "env": env, "channel": channel}
        self._relay = relay
        self._on_message = on_message
        self._announcer = Announcer(on_event)
        self._tell = self._announcer.tell
        self._last_id = 0
        self.workers: dict[int, WorkerProcess] = {}
        # The current worker of each slot. A slot is a number below the size of the cluster; it decides the script.
        self._slots: dict[int, WorkerProcess] = {}
        self._restarts = Restarts()
        self._stopping = False
        self._tasks: set[asyncio.Task[Any]] = set()
        # The tasks among them that call `on_message`.
        self._handling: set[asyncio.Task[Any]] = set()

    # Starting.

    async def start(self) -> None:
        """Start the workers and return when each of them listens, or has been online for a minute.

        Raises `OSError` when a worker cannot be started, and `WorkersFail` when the workers die; then none is left.
        """
        self._loop = asyncio.get_running_loop()
        self._sockets = Sockets()
        self._host = ClusterHost(self._sockets, self._announcer, self._note_listening)
        self._primary = self._host.primary = PrimaryProtocol(self._policy, self._host)
        self._end: asyncio.Future[None] = self._loop.create_future()
        try:
            for slot in range(self._size):
                if not self._stopping:
                    self._slots[slot] = await self._fork(slot)
            await self._all_ready()
        except BaseException:
            await self.stop(0.0)
            raise
        self._announcer.flush()

    async def _all_ready(self) -> None:
        """Wait until each slot has a worker that listens."""
        deadline = self._loop.time() + START_TIMEOUT
        while self._loop.time() < deadline and not self._stopping:
            waiting = [worker for worker in self._slots.values() if not worker.listening]
            if not waiting and len(self._slots) == self._size:
                return
            if not waiting:  # a worker has died and is not replaced yet
                waits = [self._spawn(asyncio.sleep(RESTART_DELAY))]
            else:
                waits = [self._spawn(worker._ready(timeout=RESTART_DELAY)) for worker in waiting]
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
        handling = self._spawn(self._handle_messages(worker))
        self._handling.add(handling)
        handling.add_done_callback(self._handling.discard)
        self._spawn(self._end_after_channel(worker))
        self._spawn(self._attend(slot, worker))
        return worker

    # A worker from its start to its end.

    async def _attend(self, slot: int, worker: WorkerProcess) -> None:
        await worker.process.wait()
        # The last messages of the worker may still be in the channel.
        if not await worker._channel_ended(CHANNEL_TIMEOUT):
            worker._hang_up()
        del self.workers[worker.id]
        self._tell("exit", worker.id, worker.signal_code or worker.exit_code)
        if self._slots.get(slot) is worker:
            del self._slots[slot]
            if not self._stopping and not worker.retired:
                self._spawn(self._replace(slot, worker))

    async def _end_after_channel(self, worker: WorkerProcess) -> None:
        await worker._channel_ended()
        await worker._end_process(STOP_TIMEOUT)

    async def _handle_messages(self, worker: WorkerProcess) -> None:
        """Pass the messages of a worker to the other workers and to the user, in order."""
        while True:
            try:
                message = await worker.receive()
            except ChannelClosed:
                return
            except RemoteError as error:
                self._tell("error", worker.id, error)
            else:
                await self._handle(worker, message)

    async def _handle(self, worker: WorkerProcess, message: Message) -> None:
        try:
            if self._relay:
                await self._send_to_all(self._as_it_came, message.data, message.handle, worker)
            if self._on_message is not None:
                result = self._on_message(worker, message)
                if inspect.isawaitable(result):
                    await result
        except asyncio.CancelledError as error:
            if self._stopping:
                raise
            # `on_message` awaited a task that was cancelled; this task goes on.
            self._tell("error", worker.id, error)
        except Exception as error:
            self._tell("error", worker.id, error)
        finally:
            if message.handle is not None:
                message.handle.close()

    async def broadcast(
        self, message: object, handle: Sendable | None = None, *, exclude: WorkerProcess | None = None
    ) -> None:
        """Send a message, and a copy of a handle with it, to every worker that is not about to end.

        Waits only for workers that read. A worker that does not read gets no further message once 64 MiB are queued for it; an ``error``
        event with `WorkerBehind` says so. Raises `InvalidMessage` or `InvalidHandle`.
        """
        await self._send_to_all(self._serialization, message, handle, exclude)

    async def _send_to_all(
        self,
        serialization: Serialization,
        message: object,
        handle: Sendable | None,
        exclude: WorkerProcess | None,
    ) -> None:
        frame = _frame(serialization, message, handle)
        for worker in list(self.workers.values()):
            if worker is exclude or not worker.connected:
                continue
            skipped = worker.skipped
            try:
                given = await worker._give(frame, None if handle is None else SocketHandle(handle, True))
            except ChannelClosed:
                continue
            except OSError as error:  # no descriptor is left for the copy
                self._tell("error", worker.id, error)
                continue
            if given and skipped:
                worker.skipped = 0
            if (
                skipped > 0
            ) == given:  # the first message that skipped the worker, or the first that it gets again
                self._tell("error", worker.id, WorkerBehind(max(skipped, worker.skipped)))

    async def _replace(self, slot: int, worker: WorkerProcess) -> None:
        """Start the successor of a worker that died."""
        delay = self._restarts.died(slot, worker._age, listened=bool(worker.listening))
        if self._restarts.hopeless:
            self._fail(WorkersFail(worker.signal_code or worker.exit_code))
            return
        self._tell("restart", worker.id, delay)
        await asyncio.sleep(delay)
        while not self._stopping and slot not in self._slots:
            try:
                self._slots[slot] = await self._fork(slot)
            except Exception as error:  # no descriptor is left, or the executable was removed
                self._tell("error", worker.id, error)
                delay = next_delay(delay)
                await asyncio.sleep(delay)

    def _note_listening(self, id: int, query: Query) -> bool:
        """Note that a worker listens; return whether that is news."""
        worker = self.workers.get(id)
        if worker is None or not worker._listens(query):
            return False
        self._restarts.ever_listened = True
        return True

    # Ending.

    async def roll(self) -> None:
        """Replace the workers in turn, each only when its successor listens.

        Raises `WorkersFail` when a successor dies before that; then the predecessor goes on.
        """
        for slot, old in list(self._slots.items()):
            if self._slots.get(slot) is not old or self._stopping:
                continue
            new = await self._fork(slot)
            if not await new._ready(len(old.listening), START_TIMEOUT):
                await new._end_process(0.0)
                raise WorkersFail(new.signal_code or new.exit_code)
            # `old` may have died meanwhile, and have a successor of its own.
            replaced, self._slots[slot] = self._slots.get(slot, old), new
            for worker in {old, replaced}:
                worker.retire()
                await worker._end_process(STOP_TIMEOUT)

    async def stop(self, grace: float = STOP_TIMEOUT) -> None:
        """Stop accepting, give the workers `grace` seconds to finish their connections, and end them. Safe to call again.

        `on_message` has the same time for the messages that were received before.
        """
        if not self._stopping:
            self._stopping = self._host.stopping = True
            self._sockets.drain()
            await self._hand_out_rest(min(grace, 1.0))
            for worker in self.workers.values():
                worker.retire()
        await asyncio.gather(*(worker._end_process(grace) for worker in list(self.workers.values())))
        self._primary.close()
        if handling := self._handling - {asyncio.current_task()}:
            await asyncio.wait(handling, timeout=grace)
        while pending := self._tasks - {asyncio.current_task()}:
            await asyncio.wait(pending, timeout=1.0)
            for task in pending:
                task.cancel()
        self._announcer.flush()
        if not self._end.done():
            self._end.set_result(None)

    async def _hand_out_rest(self, patience: float) -> None:
        """Wait until the accepted connections have found their workers, for `patience` seconds at most."""
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
        """Wait until the cluster has stopped; raises `WorkersFail` when its workers die before they listen."""
        await asyncio.wait([self._end])
        self._end.result()

    def _fail(self, error: WorkersFail) -> None:
        if not self._end.done():
            self._end.set_exception(error)

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *error: object) -> None:
        await self.stop(STOP_TIMEOUT if error[0] is None else 0.0)

    def run(self) -> None:
        """Start the workers and wait until a signal ends the cluster: SIGINT and SIGTERM stop it gracefully, the second one at once.

        SIGHUP replaces every worker. Raises the errors of `start` and `wait`.
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

    def _spawn(self, coroutine: Any) -> asyncio.Task[Any]:
        task = self._loop.create_task(coroutine)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task


def _frame(serialization: Serialization, message: object, handle: Sendable | None) -> bytes:
    """Return the bytes of a message to all workers."""
    if handle is None:
        return serialization.frame(message)
    described = SocketHandle(handle, True)
    return serialization.envelope(
        message, described.type, described.key, described.dgram_type, internal=False
    )
