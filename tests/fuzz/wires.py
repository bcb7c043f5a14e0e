"""Two ends of a channel under the control of the machine: how much is written, how much is read, and which bytes get lost."""

from __future__ import annotations

import array
import os
import socket
from collections import deque
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

Ancillary = list[tuple[int, int, bytes]]
UNLIMITED = 1 << 30


class Wire:
    """An end, with the two calls that the reference makes. It writes at most ``room`` and reads at most ``portion`` bytes."""

    def __init__(self) -> None:
        self.room = 0
        self.portion = UNLIMITED
        self.loses = False
        """Descriptors that arrive are dropped, as by a kernel whose table of them is full."""
        self.log = bytearray()
        """All written bytes."""
        self.closed = False

    def sendmsg(self, buffers: Sequence[Any], ancillary: Iterable[Any] = (), flags: int = 0) -> int:
        """Write as `socket.socket.sendmsg` does."""
        data = b"".join(bytes(buffer) for buffer in buffers)[: self.room]
        if not data:
            raise BlockingIOError
        taken = self._put(data, list(ancillary), flags)
        self.room -= taken
        self.log += data[:taken]
        return taken

    def send(self, data: bytes, flags: int = 0) -> int:
        """Write as `socket.socket.send` does."""
        return self.sendmsg([data], (), flags)

    def recvmsg(self, size: int, space: int, flags: int = 0) -> tuple[bytes, Ancillary, int, Any]:
        """Read as `socket.socket.recvmsg` does."""
        data, ancillary, found, address = self._get(min(size, self.portion), space, flags)
        if ancillary and self.loses:
            for _level, _kind, numbers in ancillary:
                for number in array.array("i", numbers):
                    os.close(number)
            return data, [], found | socket.MSG_CTRUNC, address
        return data, ancillary, found, address

    def fileno(self) -> int:
        """Return no descriptor: nothing waits for this end."""
        return -1

    def inject(self, data: bytes) -> None:
        """Write bytes that the library at this end never would."""
        self._put(data, [], socket.MSG_DONTWAIT)

    def _put(self, data: bytes, ancillary: list[Any], flags: int) -> int:
        raise NotImplementedError

    def _get(self, size: int, space: int, flags: int) -> tuple[bytes, Ancillary, int, Any]:
        raise NotImplementedError

    def close(self) -> None:
        """Close this end."""
        self.closed = True


class Memory(Wire):
    """An end in memory."""

    def __init__(self) -> None:
        super().__init__()
        self.incoming: deque[tuple[bytes, list[int]]] = deque()
        self.peer = self

    def _put(self, data: bytes, ancillary: list[Any], flags: int) -> int:
        if self.peer.closed:
            raise BrokenPipeError
        numbers = [
            os.dup(number)
            for _level, _kind, rights in ancillary
            for number in array.array("i", bytes(rights))
        ]
        self.peer.incoming.append((data, numbers))
        return len(data)

    def _get(self, size: int, space: int, flags: int) -> tuple[bytes, Ancillary, int, Any]:
        if not self.incoming:
            if self.peer.closed:
                return b"", [], 0, None
            raise BlockingIOError
        data, numbers = self.incoming.popleft()
        if len(data) > size:
            self.incoming.appendleft((data[size:], []))
        rights = (
            [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", numbers).tobytes())] if numbers else []
        )
        return data[:size], rights, 0, None

    def close(self) -> None:
        """Close this end and the descriptors that it has not read."""
        super().close()
        for _data, numbers in self.incoming:
            for number in numbers:
                os.close(number)
        self.incoming.clear()


class Tapped(Wire):
    """An end of a socket pair."""

    def __init__(self, end: socket.socket) -> None:
        super().__init__()
        self._end = end

    def _put(self, data: bytes, ancillary: list[Any], flags: int) -> int:
        return self._end.sendmsg([data], ancillary, flags)

    def _get(self, size: int, space: int, flags: int) -> tuple[bytes, Ancillary, int, Any]:
        return self._end.recvmsg(size, space, flags)

    def close(self) -> None:
        """Close this end."""
        super().close()
        self._end.close()


def in_memory() -> tuple[Wire, Wire]:
    """Return two ends in memory, without a kernel."""
    left, right = Memory(), Memory()
    left.peer, right.peer = right, left
    return left, right


def over_sockets() -> tuple[Wire, Wire]:
    """Return the two ends of a socket pair with the smallest buffers there are."""
    left, right = socket.socketpair()
    for end in (left, right):
        end.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1)
    return Tapped(left), Tapped(right)
