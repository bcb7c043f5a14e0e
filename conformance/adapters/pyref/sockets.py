"""The sockets that the adapter was told to make or that it received, by name."""

from __future__ import annotations

import itertools
import socket
import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import nodechannel

# How long, in seconds, a poke waits for the connection or the room that it needs.
POKE_LIMIT = 10.0


class Handles:
    """The sockets of the adapter, by name."""

    def __init__(self) -> None:
        self._sockets: dict[str, socket.socket] = {}
        self._numbers = itertools.count(1)

    def received(self, handle: nodechannel.ReceivedHandle) -> dict[str, str]:
        """Claim a received handle; return its description for the event."""
        name = f"h{next(self._numbers)}"
        self._sockets[name] = handle.socket(timeout=POKE_LIMIT)
        return {"name": name, "type": handle.type}

    def make(self, kind: str, name: str, to: str = "") -> str:
        """Make a socket to be sent; return its address."""
        if kind == "tcp-server":
            sock = socket.create_server(("127.0.0.1", 0))
        elif kind == "tcp-client":
            sock = socket.create_connection(parse_address(to))
        elif kind == "udp4":
            sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            sock.bind(("127.0.0.1", 0))
        else:
            raise ValueError(f"cannot make {kind!r}")
        sock.settimeout(POKE_LIMIT)
        self._sockets[name] = sock
        host, port = sock.getsockname()
        return f"{host}:{port}"

    def find(self, name: str | None) -> socket.socket | None:
        """Return the socket of that name, None for no name."""
        return None if name is None else self._sockets[name]

    def poke(self, name: str, text: str, to: str = "") -> None:
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
    """Accept one connection and write `text` to it."""
    connection, _ = server.accept()
    with connection:
        connection.sendall(text.encode())


def parse_address(text: str) -> tuple[str, int]:
    """Return the host and port of ``host:port``."""
    host, _, port = text.rpartition(":")
    return host, int(port)
