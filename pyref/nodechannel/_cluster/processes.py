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
from nodechannel._cluster.primary import PrimaryProtocol, WorkerLink
from nodechannel._core.options import OpenOptions
from nodechannel._start.spawn import ChannelPair, node_command

if TYPE_CHECKING:
    from collections.abc import Mapping

    from nodechannel._cluster.messages import Query
    from nodechannel._core.connection import Outgoing
    from nodechannel._core.delivery import Delivery
    from nodechannel._start.options import SpawnOptions

Script: TypeAlias = str | os.PathLike[str]
Command: TypeAlias = Script | Sequence[Script]


class WorkerProcess(ChildProcess):
    """A worker, as the primary has it: a child process with a channel.

    Attributes:
        id: its number, never given to another worker.
        listening: where its servers listen.
        retired: whether its end is wished for.
    """

    def __init__(
        self,
        sock: socket.socket,
        process: asyncio.subprocess.Process,
        id: int,
        primary: PrimaryProtocol,
        **options: Unpack[OpenOptions],
    ) -> None:
        super().__init__(sock, process, **options)
        self.id = id
        self.listening: list[Query] = []
        self.retired: bool = False
        self.born: float = self._loop.time()
        self.link: WorkerLink = WorkerLink(id, primary, self._send_internal)
        self._connection.on_internal = self.link.receive

    @property
    def online(self) -> bool:
        """Whether it has said that it is."""
        return self.link.online

    @property
    def exited_after_disconnect(self) -> bool:
        """Whether its end was wished for, by itself or by the primary, in Node's word."""
        return self.link.exited_after_disconnect

    @property
    def age(self) -> float:
        """Seconds since it was started."""
        return self._loop.time() - self.born

    def retire(self) -> None:
        """Ask the worker to close its servers, finish its connections and end."""
        self.retired = True
        self.link.disconnect()

    async def ready(self, servers: int = 1, timeout: float | None = None) -> bool:
        """Wait until so many of its servers listen; return whether they do: the worker may have ended or `timeout` seconds passed."""
        return (
            await self._wait(lambda: len(self.listening) >= servers or not self.connected, timeout)
            and self.connected
        )

    async def end(self, grace: float) -> None:
        """Wait for the process to end; after `grace` seconds end it with SIGTERM, and at last with SIGKILL."""
        await self._end_process(grace)

    def _send_internal(self, message: dict[str, Any], handle: Outgoing | None) -> Delivery:
        delivery = self._connection.send_internal(message, handle)
        self._schedule_flush()
        return delivery


def command_line(
    command: Command, args: Sequence[Script], exec_path: Script | None, exec_argv: Sequence[str]
) -> list[str]:
    """Return what starts a worker: a Python script by this interpreter, any other script by Node, a sequence as it is.

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
        process = await asyncio.create_subprocess_exec(*argv, **options)
    return WorkerProcess(pair.parent, process, id, primary, **channel)
