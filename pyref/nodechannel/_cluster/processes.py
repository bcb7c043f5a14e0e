"""The processes of a cluster's workers."""

from __future__ import annotations

import asyncio
import os
import socket
import subprocess
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, TypeAlias, Unpack

from nodechannel._aio.channel import ChildProcess
from nodechannel._cluster.identity import UNIQUE_ID
from nodechannel._cluster.messages import Query
from nodechannel._cluster.primary import PrimaryProtocol, WorkerLink
from nodechannel._core.connection import HIGH_WATER, MOST_HANDLES
from nodechannel._core.options import OpenOptions
from nodechannel._core.outgoing import Outgoing
from nodechannel._start.spawn import ChannelPair, node_command

if TYPE_CHECKING:
    from collections.abc import Mapping

    from nodechannel._core.delivery import Delivery
    from nodechannel._start.options import SpawnOptions

Script: TypeAlias = str | os.PathLike[str]
Command: TypeAlias = Script | Sequence[Script]

# Messages of a worker that may wait for `on_message`. Reading goes on until then, since the worker's answers to offers come
# through the same channel.
MAX_UNHANDLED = 65536

# Bytes that may wait for a worker which does not read. Beyond that, messages to all workers skip it, and its channel is not read.
MAX_QUEUED = 64 * 1024 * 1024

# Seconds that a message to all workers waits for a worker that does not read.
PATIENCE = 0.25

# Places that are kept for `WorkerProcess.listening`.
MAX_LISTENING = 1024


class WorkerProcess(ChildProcess):
    """A worker, as the primary has it: a child process with a channel.

    Attributes:
        id: its number, never given to another worker.
        listening: the places where its servers listen.
        retired: whether its end was asked for.
        skipped: messages to all workers that it did not get, because too much was queued for it.
    """

    def __init__(
        self,
        sock: socket.socket,
        process: asyncio.subprocess.Process,
        id: int,
        primary: PrimaryProtocol,
        **options: Unpack[OpenOptions],
    ) -> None:
        self._link: WorkerLink = WorkerLink(id, primary, self._send_internal)
        self._primary = primary
        self.process = process
        super().__init__(sock, process, **options)
        self.id = id
        self.listening: list[Query] = []
        self.retired: bool = False
        self.skipped: int = 0
        self._born: float = self._loop.time()
        self._slow = False
        self._connection.on_internal = self._link.receive

    @property
    def online(self) -> bool:
        """Whether it has sent `online`."""
        return self._link.online

    @property
    def exited_after_disconnect(self) -> bool:
        """Whether the worker or the primary asked for the worker's end; Node's name."""
        return self._link.exited_after_disconnect

    # What the cluster does with it.

    @property
    def _age(self) -> float:
        """Seconds since it was started."""
        return self._loop.time() - self._born

    def _listens(self, query: Query) -> bool:
        """Note a place where it listens; return False for a known place, and when there are too many."""
        query = query._replace(data=None)  # `data` may be large, and too deep to compare
        if query in self.listening or len(self.listening) >= MAX_LISTENING:
            return False
        self.listening.append(query)
        return True

    def retire(self) -> None:
        """Ask the worker to close its servers, finish its connections and end."""
        self.retired = True
        self._link.disconnect()

    async def _ready(self, servers: int = 1, timeout: float | None = None) -> bool:
        """Wait until `servers` of its servers listen; return False when the worker ended or `timeout` seconds passed before."""
        return (
            await self._wait(lambda: len(self.listening) >= servers or not self.connected, timeout)
            and self.connected
        )

    async def _channel_ended(self, timeout: float | None = None) -> bool:
        """Wait until the channel has ended; return False when `timeout` seconds passed before."""
        self._resume_reading()
        return await self._wait(lambda: self._connection.closed, timeout)

    def _hang_up(self) -> None:
        """End the channel as if the worker had closed it: received messages stay readable."""
        self._connection.receive_eof()
        self._after_io()
        self._waiters.wake_all_soon()

    # Messages to all workers.

    async def _give(self, frame: bytes, handle: Outgoing | None = None) -> bool:
        """Queue a frame; wait at most `PATIENCE` seconds for room. Return False when the worker was skipped.

        After a wait in vain, the next calls do not wait, until the worker has read almost all of its queue.
        Raises `ChannelClosed`, or `OSError` when no descriptor is left for a copy of the handle.
        """
        connection = self._connection
        limit = HIGH_WATER if self.skipped else MAX_QUEUED
        if connection.queued_bytes > limit or (handle and connection.queued_handles > MOST_HANDLES):
            self.skipped += 1
            return False
        connection.queue(frame, handle)
        self._schedule_flush()
        if connection.queued_bytes <= HIGH_WATER:
            self._slow = False
        elif not self._slow:
            self._slow = not await self._wait(
                lambda: connection.queued_bytes <= HIGH_WATER or not connection.connected, PATIENCE
            )
        return True

    # Hooks of the channel.

    def _send_internal(self, message: dict[str, Any], handle: Outgoing | None) -> Delivery:
        delivery = self._connection.send_internal(message, handle)
        self._schedule_flush()
        return delivery

    def _read(self) -> None:
        super()._read()
        # A connection that this worker refused for good goes to another worker at once, however long the user's code waits.
        for delivery in self._link.take_abandoned():
            self._connection.withdraw(delivery)

    def _sated(self) -> bool:
        # A dead worker writes no more; its last messages and the end of the channel are read at once.
        return self.process.returncode is None and (
            len(self._events) > MAX_UNHANDLED or self._connection.queued_bytes > MAX_QUEUED
        )

    def _shut(self) -> None:
        super()._shut()
        self._primary.gone(self._link)


def command_line(
    command: Command, args: Sequence[Script], exec_path: Script | None, exec_argv: Sequence[str]
) -> list[str]:
    """Return the command line of a worker: Python scripts run by this interpreter, other scripts by Node, a sequence as it is.

    Raises `NodeNotFound`.
    """
    if not isinstance(command, str | os.PathLike):
        return [os.fspath(word) for word in (*command, *args)]
    if os.fspath(command).endswith(".py"):
        return [os.fspath(word) for word in (sys.executable, command, *args)]
    return node_command(command, args, exec_path, exec_argv)


async def start(
    argv: Sequence[str],
    id: int,
    primary: PrimaryProtocol,
    *,
    cwd: Script | None = None,
    env: Mapping[str, str] | None = None,
    channel: OpenOptions,
) -> WorkerProcess:
    """Start a worker, in a process group of its own so that a terminal's signals reach only the primary; raises `OSError`."""
    environment = {**(os.environ if env is None else env), UNIQUE_ID: str(id)}  # [CLU-001]
    spawned: SpawnOptions = {
        "cwd": cwd,
        "env": environment,
        "stdin": subprocess.DEVNULL,
        "process_group": 0,
    }
    spawned.update(channel)  # type: ignore[typeddict-item]
    with ChannelPair() as pair:
        options = pair.popen_options(spawned)
        process = await asyncio.create_subprocess_exec(*pair.command(argv, spawned), **options)
    return WorkerProcess(pair.parent, process, id, primary, **channel)
