"""The link of a threaded transport over a pair of Unix sockets, and the raw far end that adds and removes headers.

Sockets travel by a table of this process instead of descriptions of Windows: both ends are here.
"""

from __future__ import annotations

import contextlib
import os
import socket
from typing import Any

from nodechannel._transport.frames import SOCKET_INFO_SIZE, FrameReader, framed


class SocketLink:
    """See `nodechannel._transport.threaded.Link`."""

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock
        self.fileno = sock.fileno
        self.peer = 0

    def read(self) -> bytes:
        """Wait for bytes."""
        try:
            return self._sock.recv(65536)
        except OSError:
            return b""

    def write(self, data: bytes) -> None:
        """Write all of it."""
        self._sock.sendall(data)

    def end(self) -> None:
        """End both calls."""
        with contextlib.suppress(OSError):
            self._sock.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        """Close the socket."""
        self._sock.close()

    def meet(self, pid: int) -> None:
        """Note the process at the other end."""
        self.peer = pid

    def share(self, fd: int) -> tuple[bytes, bool]:
        """Describe a socket."""
        with socket.socket(fileno=os.dup(fd)) as probe:
            return described(fd), not probe.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN)

    def open_shared(self, description: bytes) -> int:
        """Return a copy of the descriptor."""
        return os.dup(int(description))


def described(fd: int) -> bytes:
    """Return the description of a descriptor of this process."""
    return str(fd).encode().ljust(SOCKET_INFO_SIZE)


class FramePeer:
    """The words of a raw socket, without headers."""

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock
        self._reader = FrameReader()
        self._unread = b""
        self.descriptions: list[bytes] = []

    def __getattr__(self, name: str) -> Any:
        return getattr(self._sock, name)

    def sendall(self, data: bytes) -> None:
        """Write bytes as one frame."""
        self._sock.sendall(framed(data))

    def send_with(self, data: bytes, sock: socket.socket) -> None:
        """Write bytes as one frame that has a socket."""
        connection = not sock.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN)
        self._sock.sendall(framed(data, described(sock.fileno()), connection=connection))

    def recv(self, size: int) -> bytes:
        """Read bytes of data; none at the end."""
        while not self._unread:
            data = self._sock.recv(65536)
            if not data:
                return b""
            for descriptions, piece in self._reader.feed(data):
                self.descriptions += descriptions
                self._unread += piece
        taken, self._unread = self._unread[:size], self._unread[size:]
        return taken
