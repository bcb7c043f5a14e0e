"""A server: the events of all its peers in one stream."""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any, NoReturn, Self, Unpack

from nodechannel._aio.wakeup import Waiters
from nodechannel._carriers.inbox import Inbox, Receiver
from nodechannel._io.limits import seconds
from nodechannel._nodeipc.addresses import Address, address_of, listening_socket, same_file
from nodechannel._nodeipc.event import Event, note_id
from nodechannel._nodeipc.frames import Frames, RawFrames, frames_of
from nodechannel._nodeipc.link import Link
from nodechannel._nodeipc.options import ServerOptions
from nodechannel._nodeipc.outlet import Outlet
from nodechannel._nodeipc.sender import Sender
from nodechannel.errors import ChannelClosed, RemoteError

MAX_CONNECTIONS, MAX_PENDING, MODE = 100, 8 << 20, 0o600

_log = logging.getLogger("nodechannel.nodeipc")


class Peer(Sender):
    """A client of a server, as long as its connection stands.

    Attributes:
        id: the last `id` in the data of its events, or None. It comes without proof.
    """

    def __init__(self, server: Server, frames: Frames | RawFrames) -> None:
        super().__init__(frames, Outlet(server.loop, server.waiters))
        self.id: Any = None
        self._server = server
        self.link: Link = Link(self, frames)

    @property
    def address(self) -> Any:
        """The address of the peer, as sockets show it: empty for a Unix socket."""
        transport = self.link.transport
        return transport.get_extra_info("peername") if transport is not None else None

    def close(self) -> None:
        """End the connection now."""
        self.outlet.end()
        self.link.abort()
        self._server.left(self)

    # The news of the connection.

    def made(self) -> None:
        """Note that the connection stands."""
        self._server.joined(self)

    def received(self, events: Iterable[Event | RemoteError]) -> None:
        """Take events, and the id that they name."""
        self._server.received(self, events)

    def lost(self) -> None:
        """Note that the connection has ended."""
        self.outlet.end()
        self._server.left(self)

    def crowded(self) -> bool:
        """Tell whether the connection should read no more for now."""
        return self._server.crowded


class Server(Receiver[Event]):
    """A server for clients of `node-ipc`. Made by `serve`, inside a running event loop.

    It receives the events of all its peers, each with its `peer`. As an asynchronous context manager it disconnects at the end of the
    block.

    Attributes:
        peers: the clients that are connected.
    """

    def __init__(self, options: ServerOptions) -> None:
        self.inbox: Inbox[Event] = Inbox()
        self.loop: asyncio.AbstractEventLoop = self.inbox.loop
        self.waiters: Waiters = self.inbox.waiters
        self.peers: list[Peer] = []
        self._options = options
        self._lifecycle = options.get("lifecycle", False)
        self._most = options.get("max_connections", MAX_CONNECTIONS)
        self._max_pending = options.get("max_pending", MAX_PENDING)
        self._frames = frames_of(options)
        self._listener: asyncio.Server | None = None
        self._path: str | None = None
        self._file: os.stat_result | None = None
        self.inbox.on_room = self._read_on

    def __reduce__(self) -> NoReturn:
        raise TypeError("a Server cannot be copied or pickled: it belongs to one process")

    @property
    def address(self) -> Any:
        """Where the server listens: a path, or a host and a port; None once it is closed."""
        sockets = self._listener.sockets if self._listener is not None else ()
        return sockets[0].getsockname() if sockets else None

    def broadcast(self, type: str | bytes, data: Any = None) -> int:
        """Queue an event for each peer; return their number.

        A peer that does not read is given up when `max_pending` bytes wait for it. Raises `InvalidMessage`.
        """
        frame = self._frames.frame(type, data)
        for peer in list(self.peers):
            # [NIP-023]
            if peer.outlet.size + len(frame) > self._max_pending:
                _log.warning("a peer does not read; its connection was closed")
                peer.close()
            else:
                peer.outlet.queue(frame)
        return len(self.peers)

    async def flush(self, timeout: float | None = None) -> None:
        """Wait until all messages to all peers are written; raises `TimeoutError`."""
        async with asyncio.timeout(seconds(timeout)):
            for peer in list(self.peers):
                with suppress(ChannelClosed):  # the peer has gone
                    await peer.outlet.flush(None)

    async def disconnect(self, timeout: float | None = None) -> None:
        """Listen no more, and end each connection after all messages are written; raises `TimeoutError`."""
        self._stop_listening()
        await asyncio.sleep(0)
        try:
            await self.flush(timeout)
            await asyncio.gather(*(peer.link.finish() for peer in self.peers))
        finally:
            self._end()

    def close(self) -> None:
        """End now: queued and unread messages are dropped. Safe to call again."""
        self._end()
        self.inbox.events.waiting.clear()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is None:
            await self.disconnect()
        else:
            self.close()

    async def listen(self, address: Address) -> None:
        """Begin to listen; raises `InvalidAddress` and `OSError`."""
        await asyncio.sleep(0)  # a server that was closed in this turn still has the place
        if address.path is None:
            self._listener = await self.loop.create_server(
                self._make_link, address.host, address.port, ssl=address.ssl
            )
            return
        options = self._options
        sock = listening_socket(address.path, options.get("mode", MODE), options.get("replace", False))
        self._path, self._file = address.path, os.lstat(address.path)
        self._listener = await self.loop.create_unix_server(self._make_link, sock=sock)

    def _make_link(self) -> Link:
        return Peer(self, frames_of(self._options)).link

    def _stop_listening(self) -> None:
        if self._listener is None:
            return
        # A connection that was accepted in this turn becomes a link in the next one. Without its listener asyncio would neither make
        # the link nor close the connection (before Python 3.12), and its client would wait for ever.
        with suppress(NotImplementedError):  # the event loop of Windows, which accepts in another way
            for sock in self._listener.sockets:
                self.loop.remove_reader(sock.fileno())
        self.loop.call_soon(self._listener.close)
        self._listener = None
        if self._path is not None and self._file is not None and same_file(self._path, self._file):
            Path(self._path).unlink(missing_ok=True)

    def _end(self) -> None:
        self._stop_listening()
        for peer in list(self.peers):
            peer.close()
        if not self.inbox.ended:
            self.inbox.end()

    def _read_on(self) -> None:
        for peer in list(self.peers):
            peer.link.read_on()

    # The news of peers.

    @property
    def crowded(self) -> bool:
        """Whether no peer should read more for now."""
        return self.inbox.full

    def joined(self, peer: Peer) -> None:
        """Take a peer, or close its connection when there are too many."""
        # [NIP-024]
        if len(self.peers) >= self._most or self.inbox.ended:
            peer.link.abort()
            return
        self.peers.append(peer)
        self._tell("connect", peer)

    def left(self, peer: Peer) -> None:
        """Forget a peer."""
        if peer in self.peers:
            self.peers.remove(peer)
            self._tell("socket.disconnected", peer)

    def received(self, peer: Peer, events: Iterable[Event | RemoteError]) -> None:
        """Take the events of a peer; its faults are told, and do not end the stream of all others."""
        taken: list[Event] = []
        for event in events:
            if isinstance(event, Event):
                event.peer = peer
                note_id(peer, event.data)
                taken.append(event)
            # [NIP-011]
            elif self._lifecycle:
                taken.append(Event("error", event, peer))
            else:
                _log.warning("%s", event)
        self.inbox.put(taken)

    def _tell(self, type: str, peer: Peer) -> None:
        if self._lifecycle and not self.inbox.ended:
            self.inbox.put([Event(type, None, peer)])


async def serve(id: str | None = None, **options: Unpack[ServerOptions]) -> Server:
    """Listen for clients of `node-ipc` at the place of an id, a path, or a host and port; for the options see `ServerOptions`.

    Raises `InvalidAddress`, `NotOnThisSystem` for an id or a path on Windows, and `OSError` when the system refuses the place.
    """
    address = address_of(id, options)
    server = Server(options)
    await server.listen(address)
    return server
