"""The asyncio front end of a worker: the methods of the blocking front end, as coroutines."""

from __future__ import annotations

import asyncio
import math
import os
import socket
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import TYPE_CHECKING, TypeAlias, TypeVar, Unpack

from nodechannel._aio.channel import Channel
from nodechannel._cluster import places
from nodechannel._cluster.aioserver import Server
from nodechannel._cluster.identity import adopt_worker
from nodechannel._cluster.messages import BACKLOG
from nodechannel._cluster.state import Leave
from nodechannel._cluster.worker import WorkerProtocol
from nodechannel._core.options import ChannelOptions, OpenOptions
from nodechannel._lazy import ssl
from nodechannel._transport.system import require_own
from nodechannel.errors import ChannelClosed

if TYPE_CHECKING:
    from nodechannel._cluster.messages import Query
    from nodechannel._cluster.worker import ServerLink

Connected: TypeAlias = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None] | None]

_Protocol = TypeVar("_Protocol", bound=asyncio.DatagramProtocol)

__all__ = ["Server", "Worker", "connect"]

# Bytes that a stream reader buffers; asyncio's own number.
STREAM_LIMIT = 65536


class Worker(Channel):
    """A worker of a cluster: a channel, and servers that share their ports with other workers.

    Made by `connect`. When the primary asks it to end, it closes its servers, lets their connections finish, and closes the channel;
    `wait_closed` waits for that. As an asynchronous context manager it disconnects at the end of the block.

    Attributes:
        id: this worker's number, which the primary gave it.
    """

    def __init__(self, sock: socket.socket, id: int, **options: Unpack[OpenOptions]) -> None:
        super().__init__(sock, **options)
        self.id = id
        self._servers: dict[ServerLink, Server] = {}
        self._datagrams: dict[ServerLink, asyncio.DatagramTransport] = {}
        self._leaving: asyncio.Task[None] | None = None
        # Connections and messages share the channel, so reading goes on however many messages wait for `receive`.
        self._read_ahead = math.inf
        self._protocol = WorkerProtocol(self._connection.send_internal)
        self._protocol.on_dismissed = self._start_leaving
        self._connection.on_internal = self._protocol.receive
        self._protocol.online()
        self._schedule_flush()

    @property
    def dismissed(self) -> bool:
        """Whether this worker is about to end, as the primary asked it to."""
        return self._protocol.leave is not Leave.STAYING

    # A worker listens at a port; its messages are received, not listened to.
    async def listen(  # type: ignore[override]
        self,
        port: int = 0,
        client_connected_cb: Connected | None = None,
        host: str | None = None,
        *,
        path: str | os.PathLike[str] | None = None,
        protocol_factory: Callable[[], asyncio.BaseProtocol] | None = None,
        limit: int = STREAM_LIMIT,
        ssl: ssl.SSLContext | None = None,
        ipv6_only: bool = False,
        backlog: int = BACKLOG,
        timeout: float | None = None,
    ) -> Server:
        """Listen at a port of a host, or at the path of a Unix socket; return the server when it listens.

        Either `client_connected_cb` gets a reader and a writer for each connection, as in `asyncio.start_server`, or `protocol_factory`
        makes a protocol, as in the event loop's `create_server`. Without a host it listens at all addresses.
        Raises `ListenFailed`, `socket.gaierror` for an unknown host, `ChannelClosed`, and `TimeoutError` after `timeout` seconds.
        """
        require_own(asyncio.get_running_loop(), "to serve the primary's connections under ProactorEventLoop")
        factory = _factory(client_connected_cb, protocol_factory, limit)
        if path is not None:
            query = places.unix_query(path, backlog)
        else:
            address = None if host is None else await self._resolve(host, port, socket.SOCK_STREAM)
            query = places.tcp_query(port, address, ipv6_only=ipv6_only, backlog=backlog)
        link = await self._ask(query, timeout)
        sock = self._take_shared(link)
        self._protocol.listening(link, places.port_of(link, sock))
        self._schedule_flush()
        server = self._servers[link] = Server(link, sock, factory, self._close_link, ssl)
        if self._protocol.leave is not Leave.STAYING:
            server.close()
        return server

    async def bind(
        self,
        protocol_factory: Callable[[], _Protocol],
        port: int = 0,
        host: str = "0.0.0.0",
        *,
        timeout: float | None = None,
    ) -> tuple[asyncio.DatagramTransport, _Protocol]:
        """Bind a UDP socket that all workers which ask for the same place share; raises the errors of `listen`.

        Closing the worker closes the transport; close the transport earlier with `unbind`, so that the primary learns of it.
        """
        address = await self._resolve(host, port, socket.SOCK_DGRAM)
        link = await self._ask(places.udp_query(port, address), timeout)
        sock = self._take_shared(link)
        assert sock is not None
        port_found = places.port_of(link, sock)
        transport, protocol = await self._loop.create_datagram_endpoint(protocol_factory, sock=sock)
        self._datagrams[link] = transport
        self._protocol.listening(link, port_found)
        self._schedule_flush()
        return transport, protocol

    def unbind(self, transport: asyncio.DatagramTransport) -> None:
        """Close a transport that `bind` made."""
        for link, known in list(self._datagrams.items()):
            if known is transport:
                self._close_link(link)

    async def disconnect(self, timeout: float | None = None) -> None:
        """Close the servers, wait for their connections to end, tell the primary, and end the channel.

        Has no effect when the channel has ended. Cancelled, it goes on in the background. Raises `TimeoutError` after `timeout`
        seconds; then the channel is closed all the same, and its connections are aborted.
        """
        if self._connection.connected:
            self._protocol.resign()
            self._start_leaving()
        if self._leaving is not None:
            done, _ = await asyncio.wait([self._leaving], timeout=timeout)
            if not done:
                self.close()
                raise TimeoutError("not every connection ended in time; the channel was closed")
        await super().disconnect(timeout)

    async def wait_dismissed(self) -> None:
        """Wait until this worker is to end, or its channel has."""
        await self._wait(lambda: self.dismissed or self._connection.closed, None)

    async def wait_closed(self) -> None:
        """Wait until the channel has ended: because this worker or its primary wished it, or because the primary is gone."""
        await self._wait(lambda: self._connection.closed, None)
        if self._leaving is not None:
            await asyncio.wait([self._leaving])

    def close(self) -> None:
        """End the channel now, and all connections with it. Safe to call again."""
        for server in list(self._servers.values()):
            server.close()
            server.abort_clients()
        self._close_datagrams()
        super().close()

    def _shut(self) -> None:
        super()._shut()
        for server in list(self._servers.values()):  # [CLU-031]
            server.close()
        self._close_datagrams()

    # Leaving.

    def _end_loop(self) -> None:
        super()._end_loop()
        self._protocol.resign()
        self._start_leaving()

    def _start_leaving(self) -> None:
        if self._leaving is None:
            self._leaving = self._loop.create_task(self._leave())

    async def _leave(self) -> None:
        """Close the servers, wait for their connections, and close the channel last."""
        servers = list(self._servers.values())
        for server in servers:
            server.close()
        self._close_datagrams()
        for link in self._protocol.servers:  # those that are just being made
            self._protocol.close(link)
        for server in servers:  # [CLU-028]
            await server.wait_closed()
        with suppress(ChannelClosed):
            self._protocol.servers_closed()
        self._schedule_flush()
        await self._wait(
            lambda: self._protocol.leave is Leave.RELEASED or not self._connection.connected, None
        )
        await super().disconnect()

    def _close_link(self, link: ServerLink) -> None:
        self._servers.pop(link, None)
        transport = self._datagrams.pop(link, None)
        if transport is not None:
            transport.close()
        self._protocol.close(link)
        self._schedule_flush()

    def _close_datagrams(self) -> None:
        for link in list(self._datagrams):
            self._close_link(link)

    # Listening.

    async def _resolve(self, host: str, port: int, kind: socket.SocketKind) -> str:
        return places.first_address(await self._loop.getaddrinfo(host, port, type=kind))

    async def _ask(self, query: Query, timeout: float | None) -> ServerLink:
        link = self._protocol.ask(query)
        self._schedule_flush()
        try:
            answered = await self._wait(lambda: link.answered or not self._connection.connected, timeout)
        except BaseException:
            self._close_link(link)
            raise
        if not answered:
            self._close_link(link)
            raise TimeoutError("the primary did not answer in time")
        return places.granted(link)

    def _take_shared(self, link: ServerLink) -> socket.socket | None:
        try:
            return places.take_shared(link)
        except BaseException:
            self._close_link(link)
            raise


def _factory(
    connected: Connected | None, factory: Callable[[], asyncio.BaseProtocol] | None, limit: int
) -> Callable[[], asyncio.BaseProtocol]:
    """Return the protocol factory of a server."""
    if (connected is None) == (factory is None):
        raise ValueError("give either client_connected_cb or protocol_factory")
    if factory is not None:
        return factory

    def make() -> asyncio.BaseProtocol:
        reader = asyncio.StreamReader(limit=limit)
        return asyncio.StreamReaderProtocol(reader, connected)

    return make


async def connect(
    *, lifeline: bool = False, end_on_signal: bool = False, **options: Unpack[ChannelOptions]
) -> Worker:
    """Become the worker that the primary started this process as, and say that it is online.

    With `end_on_signal`, the first SIGTERM or SIGINT lets the worker leave as after `disconnect`; see also `nodechannel.connect`.
    Raises `NotAWorker` and the errors of `nodechannel.connect`.
    """
    sock, serialization, id = adopt_worker(lifeline=lifeline, end_on_signal=end_on_signal)
    worker = Worker(sock, id, serialization=serialization, **options)
    if end_on_signal:
        worker._end_on_signal()
    return worker
