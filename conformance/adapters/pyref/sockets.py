"""The sockets that the adapter was told to make or that it received, by name."""

from __future__ import annotations

import itertools
import socket
import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import nodechannel

# How long, in seconds, a `prove` waits for the connection or the room that it needs.
POKE_LIMIT = 10.0


class Handles:
    """The sockets of the adapter, by name."""

    def __init__(self) -> None:
        self._sockets: dict[str, socket.socket] = {}
        self._keys: dict[str, str] = {}
        self._numbers = itertools.count(1)

    def received(self, handle: nodechannel.ReceivedHandle) -> dict[str, str]:
        """Claim a received handle; return its description for the event."""
        name = f"h{next(self._numbers)}"
        self._sockets[name] = sock = handle.socket(timeout=POKE_LIMIT)
        if handle.type == "net.BoundSocket":
            sock.listen()
        return {"name": name, "type": handle.type}

    def make(self, kind: str, name: str, to: str = "") -> str:
        """Make a socket to be sent; return its address. Raises `NotImplementedError` for a kind that it does not know."""
        if kind == "tcp-server":
            sock = socket.create_server(("127.0.0.1", 0))
        elif kind == "tcp-client":
            sock = socket.create_connection(parse_address(to))
        elif kind == "udp4":
            sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            sock.bind(("127.0.0.1", 0))
        elif kind == "unix-server":
            sock = socket.socket(socket.AF_UNIX)
            sock.bind(to)
            sock.listen()
        elif kind == "unix-client":
            sock = socket.socket(socket.AF_UNIX)
            sock.connect(to)
        elif kind == "unix-datagram":
            sock = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        else:
            raise NotImplementedError(kind)
        sock.settimeout(POKE_LIMIT)
        self._sockets[name] = sock
        self._keys.pop(name, None)
        return to if sock.family == socket.AF_UNIX else "{}:{}".format(*sock.getsockname())

    def accept(self, server: str, name: str) -> None:
        """Take the next connection of a server; it counts under the server's key."""
        self._sockets[name] = connection = self._sockets[server].accept()[0]
        connection.settimeout(POKE_LIMIT)
        self._keys[name] = self.key_of(server)

    def key_of(self, server: str) -> str:
        """Return the key of a server."""
        return "4:{}:{}".format(*self._sockets[server].getsockname())

    def key(self, name: str | None) -> str | None:
        """Return the key under which a connection is counted, None for a handle that is not counted."""
        return self._keys.get(name or "")

    def find(self, name: str | None) -> socket.socket | None:
        """Return the socket of that name, None for no name."""
        return None if name is None else self._sockets[name]

    def prove(self, name: str, text: str, to: str = "") -> None:
        """Push `text` through a socket; on a server, through the next connection to it."""
        sock = self._sockets[name]
        if sock.type == socket.SOCK_DGRAM:
            sock.sendto(text.encode(), parse_address(to))
        elif sock.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN):
            threading.Thread(target=serve_one, args=(sock, text), daemon=True).start()
        else:
            sock.sendall(text.encode())

    def close(self, name: str) -> None:
        """Close the socket of that name."""
        self._sockets.pop(name).close()


def serve_one(server: socket.socket, text: str) -> None:
    """Accept a connection and write `text` to it."""
    connection, _ = server.accept()
    with connection:
        connection.sendall(text.encode())


def parse_address(text: str) -> tuple[str, int]:
    """Return the host and port of ``host:port``; the host of IPv6 is in brackets."""
    host, _, port = text.rpartition(":")
    return host.strip("[]"), int(port)
