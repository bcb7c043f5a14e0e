"""A worker's server in asyncio: connections come from the primary, or from a socket that the workers share."""

from __future__ import annotations

import asyncio
import errno
import socket
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import Any, Self

from nodechannel._cluster import places
from nodechannel._cluster.worker import ServerLink
from nodechannel._handles.received import CountedSocket
from nodechannel._lazy import ssl

# Connections that are taken from a shared socket in a turn of the event loop, so that other workers get connections too.
ACCEPTS_A_TURN = 8

# Seconds until accepting is tried again after the descriptor table was full.
RETRY = 0.1

_NO_ROOM = {errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM}


class Server(asyncio.AbstractServer):
    """A server of a worker, with the methods of `asyncio.Server`.

    As an asynchronous context manager it is closed at the end of the block, and its connections are waited for.
    """

    def __init__(
        self,
        link: ServerLink,
        sock: socket.socket | None,
        factory: Callable[[], asyncio.BaseProtocol],
        close: Callable[[ServerLink], None],
        tls: ssl.SSLContext | None,
    ) -> None:
        self._loop = asyncio.get_running_loop()
        self._link = link
        self._sock = sock
        self._address = places.address_of(link, sock)
        self._factory = factory
        self._tell_closed = close
        self._tls = tls
        # Open connections by number; their transports once there are any.
        self._connections: dict[int, asyncio.BaseTransport | None] = {}
        self._count = 0
        # The numbers of connections that have ended, and whether the loop is about to forget them.
        self._gone: deque[int] = deque()
        self._forgetting = False
        self._tasks: set[asyncio.Task[None]] = set()
        self._waiters: list[asyncio.Future[None]] = []
        self._open = True
        if sock is None:
            link.on_connection = self._take_offered
            self._loop.call_soon(self._take_offered)
        else:
            # The system is asked once: the connections of a socket are of its own kind.
            self._accepted = partial(CountedSocket, sock.family, sock.type, sock.proto)
            self._loop.add_reader(sock, self._accept)

    @property
    def sockets(self) -> tuple[socket.socket, ...]:
        """The listening socket under the shared policy; none when the primary listens."""
        return () if self._sock is None or not self._open else (self._sock,)

    def getsockname(self) -> Any:
        """Return the address that clients connect to, like `socket.getsockname`; for a Unix socket its path."""
        return self._address

    @property
    def connections(self) -> int:
        """Connections that are open."""
        return len(self._connections)

    def get_loop(self) -> asyncio.AbstractEventLoop:
        """Return the event loop that the server belongs to."""
        return self._loop

    def is_serving(self) -> bool:
        """Tell whether new connections may come."""
        return self._open

    async def start_serving(self) -> None:
        """Return at once: a server serves from the start."""

    async def serve_forever(self) -> None:
        """Wait until the server is closed and its connections have ended; cancelled, close it first."""
        try:
            await self.wait_closed()
        finally:
            self.close()

    def close(self) -> None:
        """Take no new connections; those that are open go on. Safe to call again."""
        if not self._open:
            return
        self._open = False
        if self._sock is not None:
            self._loop.remove_reader(self._sock)
            self._sock.close()
        self._tell_closed(self._link)
        self._wake()

    def close_clients(self) -> None:
        """Close every connection after its queued data is written."""
        for transport in list(self._connections.values()):
            if transport is not None:
                transport.close()

    def abort_clients(self) -> None:
        """Close every connection at once."""
        for transport in list(self._connections.values()):
            if isinstance(transport, asyncio.WriteTransport):
                transport.abort()

    async def wait_closed(self) -> None:
        """Wait until the server is closed and its last connection has ended."""
        while self._open or self._connections or self._link.connections:
            waiter = self._loop.create_future()
            self._waiters.append(waiter)
            try:
                await waiter
            finally:
                self._waiters.remove(waiter)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *error: object) -> None:
        self.close()
        await self.wait_closed()

    # Connections.

    def _take_offered(self) -> None:
        """Serve the connections that the primary handed out."""
        while self._link.connections:
            handle = self._link.connections.popleft()
            try:
                sock = handle.socket()
            except Exception as error:
                self._report("the primary sent a handle that is not a connection", error)
            else:
                assert isinstance(sock, CountedSocket)
                self._serve(sock)

    def _accept(self) -> None:
        """Serve the connections that wait at the shared socket."""
        assert self._sock is not None
        for _ in range(ACCEPTS_A_TURN):
            try:
                sock = self._sock.accept()[0]
            except (BlockingIOError, ConnectionAbortedError):
                return
            except OSError as error:
                self._report("a connection cannot be accepted", error)
                if error.errno in _NO_ROOM:
                    self._loop.remove_reader(self._sock)
                    self._loop.call_later(RETRY, self._go_on)
                return
            counted = self._accepted(sock.detach())
            counted.setblocking(False)
            self._serve(counted)

    def _go_on(self) -> None:
        if self._open and self._sock is not None:
            self._loop.add_reader(self._sock, self._accept)

    def _serve(self, sock: CountedSocket) -> None:
        self._count += 1
        self._connections[self._count] = None
        sock.tell(partial(self._ended, self._count))
        task = self._loop.create_task(self._connect(self._count, sock))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _connect(self, number: int, sock: CountedSocket) -> None:
        try:
            transport, _ = await self._loop.connect_accepted_socket(self._factory, sock, ssl=self._tls)
        except Exception as error:
            sock.close()
            if not isinstance(error, OSError):
                self._report("a connection cannot be served", error)
            return
        if number in self._connections:
            self._connections[number] = transport

    def _ended(self, number: int) -> None:
        """A connection is gone; called from wherever its socket was closed or forgotten.

        The loop is woken once for all that end in a turn of it: each waking is a write and a read of the system.
        """
        self._gone.append(number)
        if not self._forgetting:
            self._forgetting = True
            with suppress(RuntimeError):  # the loop is closed
                self._loop.call_soon_threadsafe(self._forget)

    def _forget(self) -> None:
        self._forgetting = False  # first: a number of another thread may follow the last that is taken here
        while self._gone:
            del self._connections[self._gone.popleft()]
        self._wake()

    def _wake(self) -> None:
        for waiter in self._waiters:
            if not waiter.done():
                waiter.set_result(None)

    def _report(self, message: str, error: Exception) -> None:
        self._loop.call_exception_handler({"message": message, "exception": error, "server": self})
