"""The worker of conformance/README.md: `nodechannel.cluster.asyncio`."""

from __future__ import annotations

import asyncio
from typing import Any

from nodechannel.cluster import asyncio as cluster
from nodechannel.errors import ChannelClosed, ListenFailed


async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Echo the bytes of a connection."""
    while data := await reader.read(65536):
        writer.write(data)
        await writer.drain()
    writer.close()


class Program:
    """The worker and its servers."""

    def __init__(self, worker: cluster.Worker) -> None:
        self.worker = worker
        self.servers: list[cluster.Server] = []
        self.tasks: list[asyncio.Task[None]] = []

    async def listen(self, port: int) -> None:
        """Listen, or report the error."""
        try:
            self.servers.append(await self.worker.listen(port, echo, "127.0.0.1"))
        except ListenFailed as error:
            await self.worker.send({"failed": error.name})
        except ChannelClosed:
            return

    async def obey(self, message: Any) -> None:
        """Act on a message."""
        if message == "leave":
            self.tasks.append(asyncio.create_task(self.worker.disconnect()))
        elif message == "close":
            self.servers.pop().close()
        elif isinstance(message, dict) and "close" in message:
            self.servers.pop(message["close"]).close()
        elif isinstance(message, dict) and "listen" in message:
            self.tasks.append(asyncio.create_task(self.listen(message["listen"])))
        else:
            await self.worker.send({"echo": message})


async def main() -> None:
    """Serve until the channel ends."""
    program = Program(await cluster.connect(unsafe_integers=True))
    program.tasks.append(asyncio.create_task(program.listen(0)))
    async for message in program.worker:
        await program.obey(message.data)
    await program.worker.wait_closed()


asyncio.run(main())
