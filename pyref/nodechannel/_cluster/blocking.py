"""The blocking front end of a worker.

The channel moves only while a call waits. So a program that serves its connections in turn lets the next connection wait; threads, or
the asyncio front end, take it at once.
"""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Callable
from contextlib import suppress
from types import TracebackType

from nodechannel._blocking.channel import Channel, deadline_of
from nodechannel._cluster import places
from nodechannel._cluster.identity import adopt_worker
from nodechannel._cluster.messages import BACKLOG
from nodechannel._cluster.state import Leave
from nodechannel._cluster.worker import ServerLink, WorkerProtocol
from nodechannel._lazy import public, typing
from nodechannel._transport.system import require_unix
from nodechannel.errors import ChannelClosed

TYPE_CHECKING = False
if TYPE_CHECKING:
    from nodechannel._cluster.messages import Query

# Windows waits for no socket together with the channel.
_REMEDY = (
    "set the primary's policy to cluster.SCHED_RR, or use nodechannel.cluster.asyncio under SelectorEventLoop"
)


class Worker(Channel):
    """A worker of a cluster: a channel, and servers that share their ports with other workers.

    Made by `connect`. As a context manager it disconnects at the end of the block.

    Attributes:
        id: this worker's number, which the primary gave it.
    """

    def __init__(self, sock: socket.socket, id: int, **options: typing.Unpack[public.OpenOptions]) -> None:
        super().__init__(sock, **options)
        self.id = id
        self._protocol = WorkerProtocol(self._connection.send_internal)
        self._protocol.on_dismissed = self._close_servers
        self._connection.on_internal = self._protocol.receive
        self._act(self._protocol.online)

    @property
    def dismissed(self) -> bool:
        """Whether the primary has asked this worker to end; its servers take no connections any more."""
        return self._protocol.leave is not Leave.STAYING

    def listen(
        self,
        port: int = 0,
        host: str | None = None,
        *,
        path: str | os.PathLike[str] | None = None,
        ipv6_only: bool = False,
        backlog: int = BACKLOG,
        timeout: float | None = None,
    ) -> Server:
        """Listen at a port of a host, or at the path of a Unix socket; return the server when it listens.

        Without a host it listens at all addresses. Workers that ask for the same place share it.
        Raises `ListenFailed`, `socket.gaierror` for an unknown host, `ChannelClosed`, and `TimeoutError` after `timeout` seconds.
        """
        if path is not None:
            query = places.unix_query(path, backlog)
        else:
            address = None if host is None else places.first_address(socket.getaddrinfo(host, port))
            query = places.tcp_query(port, address, ipv6_only=ipv6_only, backlog=backlog)
        link = self._ask(query, timeout)
        sock = self._take_shared(link)
        self._act(lambda: self._protocol.listening(link, places.port_of(link, sock)))
        return Server(self, link, sock)

    def bind(self, port: int = 0, host: str = "0.0.0.0", *, timeout: float | None = None) -> SharedSocket:
        """Bind a UDP socket that all workers which ask for the same place share; raises the errors of `listen`.

        Its description is shared and must stay non-blocking: give the socket a timeout to let its calls wait.
        """
        address = places.first_address(socket.getaddrinfo(host, port, type=socket.SOCK_DGRAM))
        link = self._ask(places.udp_query(port, address), timeout)
        sock = self._take_shared(link)
        assert sock is not None
        self._act(lambda: self._protocol.listening(link, places.port_of(link, sock)))
        return SharedSocket(sock, lambda: self._close(link))

    def disconnect(self, timeout: float | None = None) -> None:
        """Close the servers, tell the primary, and end the channel after every sent message is delivered.

        Connections that wait for `Server.accept` are dropped; to serve them, call `Server.close` and `Server.accept` first.
        Raises `TimeoutError` after `timeout` seconds; then the channel is closed all the same.
        """
        deadline = deadline_of(timeout)
        if self._connection.connected:
            with suppress(ChannelClosed):
                self._act(self._say_goodbye)
            self._pump.wait(
                lambda: self._protocol.leave is Leave.RELEASED or not self._connection.connected, deadline
            )
        super().disconnect(None if deadline is None else max(0.0, deadline - time.monotonic()))

    def _end_loop(self) -> bool:
        ended = super()._end_loop()
        self._act(self._resign)
        return ended

    def _resign(self) -> None:
        self._protocol.resign()
        self._close_servers()

    def _say_goodbye(self) -> None:
        self._resign()
        self._protocol.servers_closed()

    def _close_servers(self) -> None:
        for link in self._protocol.servers:
            self._protocol.close(link)

    # For `Server`.

    def _close(self, link: ServerLink) -> None:
        self._act(lambda: self._protocol.close(link))

    def _ask(self, query: Query, timeout: float | None) -> ServerLink:
        links: list[ServerLink] = []
        self._act(lambda: links.append(self._protocol.ask(query)))
        (link,) = links
        try:
            answered = self._pump.wait(
                lambda: link.answered or not self._connection.connected, deadline_of(timeout)
            )
        except BaseException:
            self._close(link)
            raise
        if not answered:
            self._close(link)
            raise TimeoutError("the primary did not answer in time")
        return places.granted(link)

    def _take_shared(self, link: ServerLink) -> socket.socket | None:
        try:
            return places.take_shared(link)
        except BaseException:
            self._close(link)
            raise

    def _act(self, action: Callable[[], None]) -> None:
        """Change the protocol's state, and write the messages that follow."""
        self._pump.act(action)


class SharedSocket(socket.socket):
    """A datagram socket that the workers share; the primary learns when it is closed."""

    def __init__(self, sock: socket.socket, on_close: Callable[[], None]) -> None:
        super().__init__(fileno=sock.detach())
        self.settimeout(0.0)
        self._on_close = on_close

    def close(self) -> None:
        """Close the socket and give the place back. Safe to call again."""
        super().close()
        self._on_close()


class Server:
    """A server of a worker; `accept` gives its connections, and so does iterating over it.

    Iteration ends when the server is closed, when the primary asks the worker to end, and with the channel. Connections that were accepted
    before are still returned.
    """

    def __init__(self, worker: Worker, link: ServerLink, sock: socket.socket | None) -> None:
        self._worker = worker
        self._link = link
        self._sock = sock
        self._address = places.address_of(link, sock)

    @property
    def is_serving(self) -> bool:
        """Whether new connections may come."""
        return self._link.open and self._worker.connected

    def getsockname(self) -> typing.Any:
        """Return the address that clients connect to, like `socket.getsockname`; for a Unix socket its path."""
        return self._address

    def accept(self, timeout: float | None = None) -> tuple[socket.socket, typing.Any]:
        """Return the next connection, which blocks, and the address of its client.

        Raises `ChannelClosed` when none comes any more, `TimeoutError` after `timeout` seconds, `HandleMismatch` when the primary sent
        something else, and `OSError` when there is no descriptor left.
        """
        found: list[socket.socket] = []
        pump = self._worker._pump
        if not pump.wait(
            lambda: self._poll(found) or not self.is_serving, deadline_of(timeout), self._shared()
        ):
            raise TimeoutError("no connection arrived in time")
        if not found:
            self.close()
            raise ChannelClosed("accept")
        (connection,) = found
        connection.settimeout(None)
        try:
            return connection, connection.getpeername()
        except OSError:  # the client is gone; the first read will tell
            return connection, None

    def __iter__(self) -> typing.Self:
        return self

    def __next__(self) -> socket.socket:
        try:
            return self.accept()[0]
        except ChannelClosed:
            raise StopIteration from None

    def close(self) -> None:
        """Take no new connections; those that were accepted before can still be taken. Safe to call again."""
        self._worker._close(self._link)
        if self._sock is not None:
            self._sock.close()

    def __enter__(self) -> typing.Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
        while self._link.connections:
            self._link.connections.popleft().close()

    def _poll(self, found: list[socket.socket]) -> bool:
        """Take a connection if there is one; called with the worker's lock held."""
        if self._sock is not None:
            with suppress(BlockingIOError):
                if self._link.open:
                    found.append(self._sock.accept()[0])
        elif self._link.connections:
            found.append(self._link.connections.popleft().socket())
        return bool(found)

    def _shared(self) -> tuple[int, ...]:
        """Return the descriptor of the shared socket, if there is one."""
        if self._sock is not None:
            require_unix("to wait for a shared server with calls that block", _REMEDY)
        return () if self._sock is None or self._sock.fileno() < 0 else (self._sock.fileno(),)


def connect(
    *, lifeline: bool = False, end_on_signal: bool = False, **options: typing.Unpack[public.ChannelOptions]
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
