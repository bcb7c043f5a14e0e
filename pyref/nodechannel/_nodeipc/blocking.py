"""The blocking front ends: the connections live in an event loop of their own thread."""

from __future__ import annotations

from collections.abc import Coroutine, Iterable
from types import TracebackType
from typing import Any, Self, TypeVar, Unpack
from weakref import WeakKeyDictionary

from nodechannel._carriers.blocking import Receiver
from nodechannel._carriers.inbox import Inbox
from nodechannel._core.delivery import Delivery
from nodechannel._nodeipc import client as aio_client
from nodechannel._nodeipc import datagrams as aio_datagrams
from nodechannel._nodeipc import server as aio_server
from nodechannel._nodeipc.event import Event
from nodechannel._nodeipc.options import ClientOptions, ServerOptions, UdpOptions
from nodechannel._nodeipc.outlet import Outlet
from nodechannel.errors import ChannelClosed

Result = TypeVar("Result")


async def _sent(outlet: Outlet, frames: list[bytes], timeout: float | None) -> Delivery:
    return await outlet.have_written(outlet.queue_many(frames), timeout)


class Client(Receiver[Event]):
    """A client of a server of `node-ipc`. Made by `connect`. May be used from several threads.

    A connection that ends is made again. Events that wait leave over the next connection; the delivery of an event that may be lost is
    abandoned. As a context manager it disconnects at the end of the block.
    """

    def __init__(self, make: Coroutine[Any, Any, aio_client.Client]) -> None:
        super().__init__("nodechannel.nodeipc")
        self._client = self._start(make)

    @property
    def _inbox(self) -> Inbox[Any]:
        return self._client.inbox

    @property
    def connected(self) -> bool:
        """Whether there is a connection now."""
        return self._client.connected

    def send(self, type: str | bytes, data: Any = None, *, timeout: float | None = None) -> Delivery:
        """Send an event; return when the kernel has it. While there is no connection this waits for the next.

        Raises `InvalidMessage` without a change, `ChannelClosed`, also when the connection ended in the midst of it, and `SendTimeout`.
        """
        frame = self._client.frame(type, data)
        return self._wait(_sent(self._client.outlet, [frame], timeout), "send")

    def send_many(self, events: Iterable[tuple[str, Any]], *, timeout: float | None = None) -> Delivery:
        """Send many events at once, each as its type and its data; return when the kernel has all of them.

        Raises the errors of `send`; after `InvalidMessage` no message was sent.
        """
        frames = [self._client.frame(type, data) for type, data in events]
        return self._wait(_sent(self._client.outlet, frames, timeout), "send")

    def flush(self, timeout: float | None = None) -> None:
        """Wait until all messages are written; raises `ChannelClosed` and `TimeoutError`."""
        self._wait(self._client.flush(timeout), "flush")

    def disconnect(self, timeout: float | None = None) -> None:
        """End the connection after all messages are written; raises `TimeoutError`, and then the client is closed too."""
        if self._running:
            try:
                self._background.wait(self._client.disconnect(timeout))
            finally:
                self._background.close()

    def close(self) -> None:
        """End now: queued and unread messages are dropped. Safe to call again."""
        if self._running:
            self._background.call(self._client.close)
            self._background.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is None:
            self.disconnect()
        else:
            self.close()


class Peer:
    """A client of a server, as long as its connection stands. Two of them are equal if their connection is the same."""

    def __init__(self, server: Server, peer: aio_server.Peer) -> None:
        self._server = server
        self._peer = peer

    @property
    def id(self) -> Any:
        """The last `id` in the data of its events, or None. It comes without proof."""
        return self._peer.id

    @property
    def connected(self) -> bool:
        """Whether the connection stands."""
        return self._peer.connected

    @property
    def address(self) -> Any:
        """The address of the peer, as sockets show it: empty for a Unix socket."""
        return self._peer.address

    def send(self, type: str | bytes, data: Any = None, *, timeout: float | None = None) -> Delivery:
        """Send an event; return when the kernel has it. Raises the errors of `Client.send`."""
        frame = self._peer.frame(type, data)
        return self._server.wait(_sent(self._peer.outlet, [frame], timeout), "send")

    def send_many(self, events: Iterable[tuple[str, Any]], *, timeout: float | None = None) -> Delivery:
        """Send many events at once, each as its type and its data; return when the kernel has all of them.

        Raises the errors of `send`; after `InvalidMessage` no message was sent.
        """
        frames = [self._peer.frame(type, data) for type, data in events]
        return self._server.wait(_sent(self._peer.outlet, frames, timeout), "send")

    def flush(self, timeout: float | None = None) -> None:
        """Wait until all messages are written; raises `ChannelClosed` and `TimeoutError`."""
        self._server.wait(self._peer.flush(timeout), "flush")

    def close(self) -> None:
        """End the connection now."""

        async def carry_out() -> None:
            self._peer.close()

        self._server.wait(carry_out(), "close")


class Server(Receiver[Event]):
    """A server for clients of `node-ipc`. Made by `serve`. May be used from several threads.

    It receives the events of all its peers, each with its `peer`. As a context manager it disconnects at the end of the block.
    """

    def __init__(self, make: Coroutine[Any, Any, aio_server.Server]) -> None:
        super().__init__("nodechannel.nodeipc")
        self._peers: WeakKeyDictionary[aio_server.Peer, Peer] = WeakKeyDictionary()
        self._server = self._start(make)

    @property
    def _inbox(self) -> Inbox[Any]:
        return self._server.inbox

    def _item(self, found: Event) -> Event:
        if isinstance(found.peer, aio_server.Peer):
            found.peer = self._front(found.peer)
        return found

    def _front(self, peer: aio_server.Peer) -> Peer:
        return self._peers.setdefault(peer, Peer(self, peer))

    def wait(self, work: Coroutine[Any, Any, Result], doing: str) -> Result:
        """Carry out the work of a peer in the thread of the connections; raises `ChannelClosed` once there is none."""
        return self._wait(work, doing)

    @property
    def peers(self) -> list[Peer]:
        """The clients that are connected."""
        return [self._front(peer) for peer in list(self._server.peers)]

    @property
    def address(self) -> Any:
        """Where the server listens: a path, or a host and a port; None once it is closed."""
        return self._server.address

    def broadcast(self, type: str | bytes, data: Any = None) -> int:
        """Queue an event for each peer; return their number.

        A peer that does not read is given up when `max_pending` bytes wait for it. Raises `InvalidMessage` and `ChannelClosed`.
        """
        if not self._running:
            raise ChannelClosed("broadcast")
        return self._background.call(self._server.broadcast, type, data)

    def flush(self, timeout: float | None = None) -> None:
        """Wait until all messages to all peers are written; raises `TimeoutError`."""
        self._wait(self._server.flush(timeout), "flush")

    def disconnect(self, timeout: float | None = None) -> None:
        """Listen no more, and end each connection after all messages are written; raises `TimeoutError`."""
        if self._running:
            try:
                self._background.wait(self._server.disconnect(timeout))
            finally:
                self._background.close()

    def close(self) -> None:
        """End now: queued and unread messages are dropped. Safe to call again."""
        if self._running:
            self._background.call(self._server.close)
            self._background.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is None:
            self.disconnect()
        else:
            self.close()


class UdpPeer:
    """Another end over UDP, by its address."""

    def __init__(self, socket: UdpSocket, address: Any, id: Any = None) -> None:
        self._socket = socket
        self.address = address
        self.id = id

    def send(self, type: str | bytes, data: Any = None) -> None:
        """Send an event, which may get lost; raises `InvalidMessage`, also for an event that no datagram holds, and `ChannelClosed`."""
        self._socket.send_to(self.address, type, data)


class UdpSocket(Receiver[Event]):
    """An end of a conversation over UDP. Made by `serve_udp`.

    Events may get lost, come twice, and overtake each other.
    """

    def __init__(self, make: Coroutine[Any, Any, aio_datagrams.UdpSocket]) -> None:
        super().__init__("nodechannel.nodeipc")
        self._socket = self._start(make)

    @property
    def _inbox(self) -> Inbox[Any]:
        return self._socket.inbox

    def _item(self, found: Event) -> Event:
        if isinstance(found.peer, aio_datagrams.UdpPeer):
            found.peer = UdpPeer(self, found.peer.address, found.peer.id)
        return found

    @property
    def peers(self) -> list[UdpPeer]:
        """The senders seen so far, the oldest first."""
        return [UdpPeer(self, peer.address, peer.id) for peer in self._socket.peers]

    @property
    def address(self) -> Any:
        """The socket's own host and port; None once it is closed."""
        return self._socket.address

    def peer(self, host: str, port: int) -> UdpPeer:
        """Return another end by its address, which is an IP address and no name."""
        self._call(self._socket.peer, host, port)
        return UdpPeer(self, (host, port))

    def send_to(self, address: Any, type: str | bytes, data: Any = None) -> None:
        """Send an event to an address; raises the errors of `UdpPeer.send`."""
        self._call(self._socket.send_to, address, type, data)

    def broadcast(self, type: str | bytes, data: Any = None) -> int:
        """Send an event to each sender seen so far; return their number."""
        return int(self._call(self._socket.broadcast, type, data))

    def _call(self, function: Any, *args: Any) -> Any:
        if not self._running:
            raise ChannelClosed("send")
        return self._background.call(function, *args)

    def close(self) -> None:
        """Close the socket; received messages can still be taken. Safe to call again."""
        if self._running:
            self._background.call(self._socket.close)
            self._background.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def connect(id: str | None = None, **options: Unpack[ClientOptions]) -> Client:
    """Connect to a server of `node-ipc` by its id, its path, or its host and port; for the options see `ClientOptions`.

    Raises `InvalidAddress`, `TimeoutError` when no server answers in time, and `OSError` when `max_retries` ran out.
    """
    return Client(aio_client.connect(id, **options))


def serve(id: str | None = None, **options: Unpack[ServerOptions]) -> Server:
    """Listen for clients of `node-ipc` at the place of an id, a path, or a host and port; for the options see `ServerOptions`.

    Raises `InvalidAddress`, and `OSError` when the system refuses the place.
    """
    return Server(aio_server.serve(id, **options))


def serve_udp(**options: Unpack[UdpOptions]) -> UdpSocket:
    """Open a socket for events over UDP; for the options see `UdpOptions`. Raises `OSError` when the system refuses the address."""
    return UdpSocket(aio_datagrams.serve_udp(**options))
