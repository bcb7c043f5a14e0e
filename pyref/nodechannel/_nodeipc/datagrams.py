"""Events over UDP: both ends are servers, and each datagram holds whole frames."""

from __future__ import annotations

import asyncio
import ipaddress
import logging
from types import TracebackType
from typing import Any, NoReturn, Self, Unpack, cast

from nodechannel._carriers.inbox import Inbox, Receiver
from nodechannel._carriers.options import check_counts
from nodechannel._nodeipc.addresses import HOST, PORT, check_port
from nodechannel._nodeipc.event import Event, note_id
from nodechannel._nodeipc.frames import frames_of
from nodechannel._nodeipc.options import UdpOptions
from nodechannel.errors import ChannelClosed, InvalidAddress, InvalidMessage, RemoteError

MAX_PEERS = 100

# Bytes that a datagram of IPv4 holds.
_LARGEST = 65507

_log = logging.getLogger("nodechannel.nodeipc")


class UdpPeer:
    """Another end, by its address.

    Attributes:
        address: its host and port.
        id: the last `id` in the data of its events, or None. It comes without proof.
    """

    def __init__(self, socket: UdpSocket, address: Any) -> None:
        self._socket = socket
        self.address = address
        self.id: Any = None

    def send(self, type: str | bytes, data: Any = None) -> None:
        """Send an event, which may get lost; raises `InvalidMessage`, also for an event that no datagram holds, and `ChannelClosed`."""
        self._socket.send_to(self.address, type, data)


class UdpSocket(Receiver[Event], asyncio.DatagramProtocol):
    """An end of a conversation over UDP. Made by `serve_udp`, inside a running event loop.

    Events may get lost, come twice, and overtake each other.
    """

    def __init__(self, options: UdpOptions) -> None:
        check_counts(options, "max_peers")
        check_port(options.get("port", PORT))
        self.inbox: Inbox[Event] = Inbox()
        self._options = options
        self._frames = frames_of(options)
        self._peers: dict[Any, UdpPeer] = {}
        self._transport: asyncio.DatagramTransport | None = None

    def __reduce__(self) -> NoReturn:
        raise TypeError("a UdpSocket cannot be copied or pickled: it belongs to one process")

    @property
    def peers(self) -> list[UdpPeer]:
        """The senders seen so far, the oldest first."""
        return list(self._peers.values())

    @property
    def address(self) -> Any:
        """The socket's own host and port; None once it is closed."""
        return self._transport.get_extra_info("sockname") if self._transport is not None else None

    def peer(self, host: str, port: int) -> UdpPeer:
        """Return another end by its address, which is an IP address and no name; raises `InvalidAddress`."""
        return self._peer((_ip_address(host), check_port(port)))

    def send_to(self, address: Any, type: str | bytes, data: Any = None) -> None:
        """Send an event to an address; raises the errors of `UdpPeer.send`."""
        # [NIP-060]
        frame = self._frames.frame(type, data)
        if len(frame) > _LARGEST:
            raise InvalidMessage(f"a datagram holds {_LARGEST} bytes and no more; use TCP")
        if self._transport is None:
            raise ChannelClosed("send")
        self._transport.sendto(frame, (_ip_address(address[0]), check_port(address[1])))

    def broadcast(self, type: str | bytes, data: Any = None) -> int:
        """Send an event to each sender seen so far; return their number."""
        for peer in self.peers:
            peer.send(type, data)
        return len(self._peers)

    def close(self) -> None:
        """Close the socket; received messages can still be taken. Safe to call again."""
        if self._transport is not None:
            self._transport.close()
            self._transport = None
            self.inbox.end()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _peer(self, address: Any) -> UdpPeer:
        peer = self._peers.get(address)
        if peer is None:
            if len(self._peers) >= self._options.get("max_peers", MAX_PEERS):
                del self._peers[next(iter(self._peers))]
            peer = self._peers[address] = UdpPeer(self, address)
        return peer

    # The calls of the event loop.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin."""
        self._transport = cast("asyncio.DatagramTransport", transport)

    def connection_lost(self, _error: Exception | None) -> None:
        """End, so that no reader waits for a socket that the event loop gave up."""
        self.close()

    def datagram_received(self, data: bytes, address: Any) -> None:
        """Take the events of a datagram; those beyond the limit are lost, as datagrams are."""
        peer = self._peer(address[:2])
        if self.inbox.full:
            return
        # [NIP-061]
        frames = frames_of(self._options)
        self.inbox.put(self._told(peer, [*frames.feed(data), *frames.end()]))

    def _told(self, peer: UdpPeer, found: list[Event | RemoteError]) -> list[Event]:
        taken: list[Event] = []
        for event in found:
            if isinstance(event, Event):
                event.peer = peer
                note_id(peer, event.data)
                taken.append(event)
            elif self._options.get("lifecycle"):
                taken.append(Event("error", event, peer))
            else:
                _log.warning("%s", event)
        return taken


def _ip_address(host: str) -> str:
    """Return an IP address; raises `InvalidAddress` for any other text."""
    try:
        return str(ipaddress.ip_address(host))
    except ValueError:
        raise InvalidAddress(f"{host!r} is no IP address; look the name up before") from None


async def serve_udp(**options: Unpack[UdpOptions]) -> UdpSocket:
    """Open a socket for events over UDP; for the options see `UdpOptions`. Raises `OSError` when the system refuses the address."""
    socket = UdpSocket(options)
    place = (options.get("host", HOST), options.get("port", PORT))
    await socket.inbox.loop.create_datagram_endpoint(lambda: socket, place)
    return socket
