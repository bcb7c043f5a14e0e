"""The form of the channel on Windows: a header before the data of each write, and a block before the data for a socket. Without I/O.

Chapter 65 of the spec. A system other than Windows has no sockets in that form. There a stand-in of the same size has their place: it
names the process that it is made for, and the descriptor itself comes with the header.
"""

import socket
import struct
from dataclasses import dataclass

WIRES = ("posix", "windows")
"""The forms that the kit speaks: the first is the default."""

HEADER = struct.Struct("<4I")
DATA, SOCKET, CONNECTION = 1, 2, 4
"""The flags: data follow; a socket comes before them; that socket is a connection."""
BLOCK = 632
"""Bytes of a socket: 628 as the system makes them for a process, and an error that was delayed."""
_STAND_IN = struct.Struct("<8sI")
_MARK = b"stand-in"


@dataclass(frozen=True, slots=True)
class Block:
    """A socket that came, and whether its header calls it a connection."""

    connection: bool


def header(flags: int, length: int, first: int = 0, second: int = 0) -> bytes:
    """A header, also a wrong one."""
    return HEADER.pack(flags, first, length, second)


def framed(data: bytes, block: bytes = b"", *, connection: bool = False) -> bytes:
    """The bytes of a write: header, block if a socket comes with it, data."""
    flags = (DATA if data else 0) | (SOCKET if block else 0) | (CONNECTION if block and connection else 0)
    return header(flags, len(data)) + block + data


def stand_in(pid: int) -> bytes:
    """The block of a socket for the process ``pid``, on a system that has none."""
    return _STAND_IN.pack(_MARK, pid).ljust(BLOCK, b"\0")


def listens(descriptor: int) -> bool:
    """Whether a descriptor is a listening socket."""
    try:
        end = socket.socket(fileno=descriptor)
    except OSError:
        return False
    try:
        return bool(end.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN))
    finally:
        end.detach()


class Headers:
    """Takes the bytes of a sender that must keep every rule. ``pid`` is the process that its sockets must be made for."""

    def __init__(self, pid: int) -> None:
        self._pid = pid
        self._head = bytearray()
        self._block: bytearray | None = None
        self._left = 0
        self._connection = False
        self.fault = ""
        """The first header or block that breaks a rule, in words; nothing after it is read."""

    def read(self, data: bytes) -> list[bytes | Block]:
        """The data and the sockets in these bytes, in order."""
        found: list[bytes | Block] = []
        view = memoryview(data)
        while view and not self.fault:
            view = self._step(view, found)
        return found

    def end(self) -> None:
        """The pipe ended: a header or its data may not be cut short."""
        if not self.fault and (self._head or self._block is not None or self._left):
            self.fault = "the pipe ended within a header, a block or announced data"

    def _step(self, view: memoryview, found: list[bytes | Block]) -> memoryview:
        """Takes the part that is due; returns the rest."""
        if self._block is not None:
            taken = BLOCK - len(self._block)
            self._block += view[:taken]
            if len(self._block) == BLOCK:
                found.append(self._socket(bytes(self._block)))
                self._block = None
        elif self._left:
            taken = self._left
            found.append(bytes(view[:taken]))
            self._left -= len(found[-1])  # type: ignore[arg-type]  # appended as bytes
        else:
            taken = HEADER.size - len(self._head)
            self._head += view[:taken]
            if len(self._head) == HEADER.size:
                self._begin(*HEADER.unpack(self._head))
                self._head.clear()
        return view[taken:]

    def _begin(self, flags: int, first: int, length: int, second: int) -> None:
        """Holds a header to the rules and notes the bytes that it announces."""
        if flags & ~(DATA | SOCKET | CONNECTION):
            self.fault = f"flags {flags:#x} have an unknown bit"
        elif flags & CONNECTION and not flags & SOCKET:
            self.fault = f"flags {flags:#x} name a connection and no socket"
        elif bool(flags & DATA) != bool(length):
            self.fault = f"flags {flags:#x} stand before {length} bytes of data"
        elif not flags:
            self.fault = "a header announces nothing"
        elif first or second:
            self.fault = f"the reserved words are {first} and {second}"
        else:
            self._left = length
            self._connection = bool(flags & CONNECTION)
            self._block = bytearray() if flags & SOCKET else None

    def _socket(self, block: bytes) -> Block:
        mark, pid = _STAND_IN.unpack_from(block)
        if mark != _MARK or any(block[_STAND_IN.size :]):
            self.fault = "a block is no socket"
        elif pid != self._pid:
            self.fault = f"a socket is made for the process {pid}, and {self._pid} reads it"
        return Block(self._connection)
