"""The blocking front ends: the connections live in an event loop of their own thread."""

from __future__ import annotations

from collections.abc import Coroutine, Iterable
from types import TracebackType
from typing import Any, Generic, Self, TypeVar, Unpack
from weakref import WeakKeyDictionary

from nodechannel._carriers.blocking import Receiver
from nodechannel._carriers.inbox import Inbox
from nodechannel._core.delivery import Delivery
from nodechannel._nodeipc import client as aio_client
from nodechannel._nodeipc import datagrams as aio_datagrams
from nodechannel._nodeipc import server as aio_server
from nodechannel._nodeipc.event import Event
from nodechannel._nodeipc.options import ClientOptions, ServerOptions, UdpOptions
from nodechannel._nodeipc.sender import Sender as AioSender
from nodechannel.errors import ChannelClosed

Result = TypeVar("Result")
Lasting = TypeVar("Lasting", aio_client.Client, aio_server.Server)
End = TypeVar("End", aio_client.Client, aio_server.Server, aio_datagrams.UdpSocket)


class _Sender:
    """The words of sending, over an end that lives in the event loop."""

    @property
    def _sender(self) -> AioSender:
        raise NotImplementedError

    def _carry_out(self, work: Coroutine[Any, Any, Result], doing: str) -> Result:
        """Return the result of work in the thread of the connections; raises `ChannelClosed` once there is none."""
        raise NotImplementedError

    @property
    def connected(self) -> bool:
        """Whether there is a connection now."""
        return self._sender.connected

    def send(self, type: str | bytes, data: Any = None, *, timeout: float | None = None) -> Delivery:
        """Send an event; return when the kernel has it. While a client has no connection this waits for the next.

        Raises `InvalidMessage` without a change, `ChannelClosed`, also when the connection ended in the midst of it, and `SendTimeout`.
        """
        return self._send([self._sender.frame(type, data)], timeout)

    def send_many(self, events: Iterable[tuple[str, Any]], *, timeout: float | None = None) -> Delivery:
        """Send many events at once, each as its type and its data; return when the kernel has all of them.

        Raises the errors of `send`; after `InvalidMessage` no message was sent.
        """
        return self._send([self._sender.frame(type, data) for type, data in events], timeout)

    def _send(self, frames: list[bytes], timeout: float | None) -> Delivery:
        outlet = self._sender.outlet

        async def send() -> Delivery:
            return await outlet.have_written(outlet.queue_many(frames), timeout)

        return self._carry_out(send(), "send")

    def flush(self, timeout: float | None = None) -> None:
        """Wait until all messages are written; raises `ChannelClosed` and `TimeoutError`."""
        self._carry_out(self._sender.flush(timeout), "flush")


class _Front(Receiver[Event], Generic[End]):
    """The words of receiving and ending, over an end that lives in the event loop."""

    def __init__(self, make: Coroutine[Any, Any, End]) -> None:
        super().__init__("nodechannel.nodeipc")
        self._end: End = self._start(make)

    @property
    def _inbox(self) -> Inbox[Any]:
        return self._end.inbox

    def close(self) -> None:
        """End now: queued and unread messages are dropped. Safe to call again."""
        if self._running:
            self._background.call(self._end.close)
            self._background.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


class _Connected(_Front[Lasting]):
    """An end that can wait for its last messages."""

    def disconnect(self, timeout: float | None = None) -> None:
        """Listen no more, and end each connection after all messages are written; raises `TimeoutError`, and is closed then too."""
        if self._running:
            try:
                self._background.wait(self._end.disconnect(timeout))
            finally:
                self._background.close()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is None:
            self.disconnect()
        else:
            self.close()


class Client(_Sender, _Connected[aio_client.Client]):
    """A client of a server of `node-ipc`. Made by `connect`. May be used from several threads.

    A connection that ends is made again. Events that wait leave over the next connection; the delivery of an event that may be lost is
    abandoned. As a context manager it disconnects at the end of the block.
    """

    @property
    def _sender(self) -> AioSender:
        return self._end

    def _carry_out(self, work: Coroutine[Any, Any, Result], doing: str) -> Result:
        return self._wait(work, doing)


class Peer(_Sender):
    """A client of a server, as long as its connection stands. Two of them are equal if their connection is the same."""

    def __init__(self, server: Server, peer: aio_server.Peer) -> None:
        self._server = server
        self._peer = peer

    @property
    def _sender(self) -> AioSender:
        return self._peer

    def _carry_out(self, work: Coroutine[Any, Any, Result], doing: str) -> Result:
        return self._server._wait(work, doing)

    @property
    def id(self) -> Any:
        """The last `id` in the data of its events, or None. It comes without proof."""
        return self._peer.id

    @property
    def address(self) -> Any:
        """The address of the peer, as sockets show it: empty for a Unix socket."""
        return self._peer.address

    def close(self) -> None:
        """End the connection now."""

        async def close() -> None:
            self._peer.close()

        self._carry_out(close(), "close")


class Server(_Connected[aio_server.Server]):
    """A server for clients of `node-ipc`. Made by `serve`. May be used from several threads.

    It receives the events of all its peers, each with its `peer`. As a context manager it disconnects at the end of the block.
    """

    def __init__(self, make: Coroutine[Any, Any, aio_server.Server]) -> None:
        super().__init__(make)
        self._peers: WeakKeyDictionary[aio_server.Peer, Peer] = WeakKeyDictionary()

    def _item(self, found: Event) -> Event:
        if isinstance(found.peer, aio_server.Peer):
            found.peer = self._front(found.peer)
        return found

    def _front(self, peer: aio_server.Peer) -> Peer:
        return self._peers.setdefault(peer, Peer(self, peer))

    @property
    def peers(self) -> list[Peer]:
        """The clients that are connected."""
        return [self._front(peer) for peer in list(self._end.peers)]

    @property
    def address(self) -> Any:
        """Where the server listens: a path, or a host and a port; None once it is closed."""
        return self._end.address

    def broadcast(self, type: str | bytes, data: Any = None) -> int:
        """Queue an event for each peer; return their number.

        A peer that does not read is given up when `max_pending` bytes wait for it. Raises `InvalidMessage` and `ChannelClosed`.
        """
        if not self._running:
            raise ChannelClosed("broadcast")
        return self._background.call(self._end.broadcast, type, data)

    def flush(self, timeout: float | None = None) -> None:
        """Wait until all messages to all peers are written; raises `TimeoutError`."""
        self._wait(self._end.flush(timeout), "flush")


class UdpPeer:
    """Another end over UDP, by its address."""

    def __init__(self, socket: UdpSocket, address: Any, id: Any = None) -> None:
        self._socket = socket
        self.address = address
        self.id = id

    def send(self, type: str | bytes, data: Any = None) -> None:
        """Send an event, which may get lost; raises `InvalidMessage`, also for an event that no datagram holds, and `ChannelClosed`."""
        self._socket.send_to(self.address, type, data)


class UdpSocket(_Front[aio_datagrams.UdpSocket]):
    """An end of a conversation over UDP. Made by `serve_udp`.

    Events may get lost, come twice, and overtake each other.
    """

    def _item(self, found: Event) -> Event:
        if isinstance(found.peer, aio_datagrams.UdpPeer):
            found.peer = UdpPeer(self, found.peer.address, found.peer.id)
        return found

    @property
    def peers(self) -> list[UdpPeer]:
        """The senders seen so far, the oldest first."""
        return [UdpPeer(self, peer.address, peer.id) for peer in self._end.peers]

    @property
    def address(self) -> Any:
        """The socket's own host and port; None once it is closed."""
        return self._end.address

    def peer(self, host: str, port: int) -> UdpPeer:
        """Return another end by its address, which is an IP address and no name."""
        self._call(self._end.peer, host, port)
        return UdpPeer(self, (host, port))

    def send_to(self, address: Any, type: str | bytes, data: Any = None) -> None:
        """Send an event to an address; raises the errors of `UdpPeer.send`."""
        self._call(self._end.send_to, address, type, data)

    def broadcast(self, type: str | bytes, data: Any = None) -> int:
        """Send an event to each sender seen so far; return their number."""
        return int(self._call(self._end.broadcast, type, data))

    def _call(self, function: Any, *args: Any) -> Any:
        if not self._running:
            raise ChannelClosed("send")
        return self._background.call(function, *args)

    def close(self) -> None:
        """Close the socket; received messages can still be taken. Safe to call again."""
        super().close()


def connect(id: str | None = None, **options: Unpack[ClientOptions]) -> Client:
    """Connect to a server of `node-ipc` by its id, its path, or its host and port; for the options see `ClientOptions`.

    Raises `InvalidAddress`, `NotOnThisSystem` for an id or a path on Windows, `TimeoutError` when no server answers in time, and
    `OSError` when `max_retries` ran out.
    """
    return Client(aio_client.connect(id, **options))


def serve(id: str | None = None, **options: Unpack[ServerOptions]) -> Server:
    """Listen for clients of `node-ipc` at the place of an id, a path, or a host and port; for the options see `ServerOptions`.

    Raises `InvalidAddress`, `NotOnThisSystem` for an id or a path on Windows, and `OSError` when the system refuses the place.
    """
    return Server(aio_server.serve(id, **options))


def serve_udp(**options: Unpack[UdpOptions]) -> UdpSocket:
    """Open a socket for events over UDP; for the options see `UdpOptions`. Raises `OSError` when the system refuses the address."""
    return UdpSocket(aio_datagrams.serve_udp(**options))
