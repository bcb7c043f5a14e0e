"""An ASGI application in a worker: uvicorn's server, with connections from the cluster."""

from __future__ import annotations

import asyncio
import functools
from typing import TYPE_CHECKING, Any

import uvicorn

from nodechannel._cluster import aioworker as cluster

if TYPE_CHECKING:
    import socket
    from collections.abc import Mapping

# Seconds that a new connection has for its first request when the worker is to end.
FIRST_REQUEST = 2.0

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
        self._server = server
        self.servers = [server]  # type: ignore[list-item]
        self.started = True

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Take no new connections, wait for the first request of those that have none yet, and end as uvicorn does.

        uvicorn closes idle connections. A connection that was accepted a moment ago looks idle although its request is on its way.
        """
        self._server.close()
        deadline = asyncio.get_running_loop().time() + FIRST_REQUEST
        while self._unheard():  # uvicorn reports no beginning of a request
            if asyncio.get_running_loop().time() > deadline:
                break
            await asyncio.sleep(0.01)
        await super().shutdown(sockets)

    def _unheard(self) -> bool:
        """Tell whether there is a connection on which no request has begun."""
        known = self.server_state.connections
        begun = sum(getattr(connection, "cycle", None) is not None for connection in known)
        return begun < self._server.connections and not self.force_exit


async def serve(config: uvicorn.Config, **place: Any) -> int:
    """Serve an application until the primary or a signal ends this worker; return the exit status.

    Raises the errors of `cluster.asyncio.connect` and `Worker.listen`.
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
    """Drain the server when the primary asks this worker to end, or is gone. Messages that arrive meanwhile are not read."""
    await worker.wait_dismissed()
    server.should_exit = True
