"""The primary of conformance/README.md: `nodechannel.cluster.Cluster`, called as ``primary.py POLICY COMMAND…``."""

from __future__ import annotations

import asyncio
import sys
from typing import TYPE_CHECKING

from mode import MODE

from nodechannel.cluster import Cluster

if TYPE_CHECKING:
    from nodechannel._cluster.processes import Command, WorkerProcess
    from nodechannel._core.message import Message


async def obey(worker: WorkerProcess, message: Message) -> None:
    """Act on a message of the worker."""
    if message.data == "disconnect":
        worker.retire()
    else:
        await worker.send({"echo": message.data})


async def main() -> None:
    """Run a worker to its end."""
    ended = asyncio.Event()
    commands: list[Command] = [sys.argv[2:]]
    cluster = Cluster(
        commands,
        workers=1,
        policy=sys.argv[1],
        serialization=MODE,
        on_message=obey,
        on_event=lambda event: ended.set() if event.kind == "exit" else None,
    )
    starting = asyncio.create_task(cluster.start())
    await ended.wait()
    await cluster.stop(0.0)
    await starting


asyncio.run(main())
