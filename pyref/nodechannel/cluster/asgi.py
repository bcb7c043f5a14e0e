"""An ASGI application in a worker: uvicorn's server, with connections from the cluster."""

from __future__ import annotations

import asyncio
import functools
from typing import TYPE_CHECKING, Any

import uvicorn

from nodechannel.cluster import asyncio as cluster

if TYPE_CHECKING:
    import socket
    from collections.abc import Mapping

# uvicorn's own exit status when an application does not start.
STARTUP_FAILED = 3


class WorkerServer(uvicorn.Server):
    """uvicorn's server, which listens by asking the primary.

    Args:
        config: of uvicorn; its host, port and uds are not looked at.
        worker: this process.
        place: where to listen, as arguments of `Worker.listen`.
    """

    def __init__(self, config: uvicorn.Config, worker: cluster.Worker, place: Mapping[str, Any]) -> None:
        super().__init__(config)
        self._worker = worker
        self._place = place

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:  # noqa: ARG002 (uvicorn's signature)
        """Start the application, then listen."""
        await self.lifespan.startup()
        if self.lifespan.should_exit:
            self.should_exit = True
            return
        protocol: Any = self.config.http_protocol_class
        factory = functools.partial(
            protocol,
            config=self.config,
            server_state=self.server_state,
            app_state=self.lifespan.state,
        )
        server = await self._worker.listen(
            protocol_factory=factory, backlog=self.config.backlog, **self._place
        )
        self.servers = [server]  # type: ignore[list-item]
        self.started = True


async def serve(config: uvicorn.Config, **place: Any) -> int:
    """Serve an application until the primary or a signal ends this worker; return the exit status.

    Raises what `cluster.asyncio.connect` and `Worker.listen` raise.
    """
    async with await cluster.connect() as worker:
        server = WorkerServer(config, worker, place)
        ended = asyncio.create_task(_end_with(worker, server))
        try:
            await server.serve()
        finally:
            ended.cancel()
    return 0 if server.started else STARTUP_FAILED


async def _end_with(worker: cluster.Worker, server: uvicorn.Server) -> None:
    """Drain the server when the primary asks this worker to end, or is gone; what is sent meanwhile is of no interest."""
    await worker.wait_dismissed()
    server.should_exit = True
