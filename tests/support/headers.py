"""A second transport of a few lines, which shows that the front ends know no socket. Each write has a header of 16 bytes, as on Windows.

The socket keeps the borders of writes (`SOCK_SEQPACKET`), so that a header is never cut. `HeaderPeer` stands for the raw socket of a test:
it adds and removes the headers.
"""

from __future__ import annotations

import select
import socket
import struct
from functools import partial
from typing import TYPE_CHECKING, Any

from nodechannel._transport.unix import UnixTransport

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from nodechannel._transport.owned import OwnedFd
    from nodechannel._transport.seam import Received

# Flags, reserved, length, reserved.
HEADER = struct.Struct("<IIII")
DATA, HANDLE = 1, 2

# Bytes of a write, so that a single read takes the header, too.
PORTION = 60_000


def pair() -> tuple[socket.socket, socket.socket]:
    """Return both ends of a new channel."""
    return socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)


def with_header(data: bytes | memoryview, flags: int = DATA) -> tuple[bytes, bytes]:
    """Return the parts of a write."""
    part = bytes(data[:PORTION])
    return HEADER.pack(flags, 0, len(part), 0), part


def without_header(data: bytes) -> bytes:
    """Return the bytes of a write."""
    if not data:
        return b""
    _, _, size, _ = HEADER.unpack_from(data)
    assert size == len(data) - HEADER.size
    return data[HEADER.size :]


class HeaderTransport(UnixTransport):
    """See `nodechannel._transport.seam.Transport`."""

    def __init__(self, sock: socket.socket) -> None:
        super().__init__(sock)
        self.receive = (partial(self._receive, *self.receive),)
        self.receive_now = (partial(self._receive, *self.receive_now),)
        self._sendmsg: Callable[..., int] = self.send_with
        self.send = self._send
        self.send_with = self._send_with

    def _receive(self, beneath: Callable[[], Received]) -> Received:
        data, *rest = beneath()
        ancillary, flags, address = rest
        return without_header(data), ancillary, flags, address

    def _send(self, data: bytes | memoryview, flags: int) -> int:
        return self._sendmsg(with_header(data), (), flags) - HEADER.size if data else 0

    def packed(self, data: bytes | memoryview, fd: OwnedFd) -> tuple[Any, ...]:
        """Return the arguments of `send_with`."""
        _, rights, flags = super().packed(data, fd)
        return with_header(data, DATA | HANDLE), rights, flags

    def _send_with(self, *packed: Any) -> int:
        return self._sendmsg(*packed) - HEADER.size


class HeaderPeer:
    """The words of a socket, without headers."""

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock
        self._unread = b""

    def __getattr__(self, name: str) -> Any:
        return getattr(self._sock, name)

    def sendall(self, data: bytes) -> None:
        """Write all of it."""
        self.sendmsg([data])

    def sendmsg(self, buffers: Sequence[bytes], ancillary: Sequence[Any] = ()) -> int:
        """Write all of it, and descriptors with the first part."""
        data = b"".join(buffers)
        for start in range(0, len(data), PORTION):
            self._sock.sendmsg(with_header(data[start:]), () if start else ancillary)
        return len(data)

    def recv(self, size: int) -> bytes:
        """Read all waiting bytes: like a stream, over the borders of writes."""
        data = self.recvmsg(size)[0]
        while data and len(data) < size and (self._unread or select.select([self._sock], [], [], 0)[0]):
            more = self.recvmsg(size - len(data))[0]
            if not more:
                break
            data += more
        return data

    def recvmsg(
        self, size: int, ancillary_size: int = 0, flags: int = 0
    ) -> tuple[bytes, list[Any], int, Any]:
        """Read, and take descriptors."""
        ancillary: list[Any] = []
        if not self._unread:
            data, ancillary, _, _ = self._sock.recvmsg(1 << 17, ancillary_size, flags)
            self._unread = without_header(data)
        taken, self._unread = self._unread[:size], self._unread[size:]
        return taken, ancillary, 0, None
