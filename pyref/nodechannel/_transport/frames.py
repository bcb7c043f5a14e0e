"""The frames of a channel on Windows, without I/O: a header before each write, and in it whether a socket rides along.

A header is four little-endian integers of 32 bits: the flags, a reserved word, the length of the data, another reserved word. Behind
it come the bytes of the socket if there is one, and the data. Each of them may be cut anywhere, and a frame is no message: lines run
over frames.
"""

from __future__ import annotations

from struct import Struct

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import TypeAlias

    Piece: TypeAlias = tuple[tuple[bytes, ...], bytes]

HEADER = Struct("<IIII")

HAS_DATA, HAS_SOCKET, IS_CONNECTION = 1, 2, 4
_KNOWN = HAS_DATA | HAS_SOCKET | IS_CONNECTION

# The description of a socket (WSAPROTOCOL_INFOW), and the error of a delayed socket, which is always 0.
SOCKET_INFO_SIZE = 628
SOCKET_SIZE = SOCKET_INFO_SIZE + 4

# Bytes of data behind a header, which has 32 bits for their number.
MOST_DATA = 1 << 30


def framed(data: bytes, socket_info: bytes = b"", *, connection: bool = False) -> bytes:
    """Return a write: the header, the description of a socket if there is one, and the data."""
    # [WIN-010, WIN-011, WIN-012, WIN-013]
    if not socket_info:
        return HEADER.pack(HAS_DATA, 0, len(data), 0) + data
    flags = HAS_DATA | HAS_SOCKET | (IS_CONNECTION if connection else 0)
    # [WIN-040]
    return HEADER.pack(flags, 0, len(data), 0) + socket_info.ljust(SOCKET_SIZE, b"\0") + data


def written(data: bytes | memoryview, socket_info: bytes = b"", *, connection: bool = False) -> list[bytes]:
    """Return the frames of data of any length; a socket is in the first of them."""
    frames = [framed(bytes(data[:MOST_DATA]), socket_info, connection=connection)]
    frames += [framed(bytes(data[at : at + MOST_DATA])) for at in range(MOST_DATA, len(data), MOST_DATA)]
    return frames


class FrameReader:
    """Takes the headers away.

    Attributes:
        broken: whether a header was no header; the rest cannot be read.
    """

    __slots__ = ("_buffer", "_left", "_socket_due", "_sockets", "broken")

    def __init__(self) -> None:
        self._buffer = b""
        # Bytes of data that the frame under way still has, and whether its socket is still to come.
        self._left = 0
        self._socket_due = False
        # Sockets whose frame has had no data yet.
        self._sockets: tuple[bytes, ...] = ()
        self.broken = False

    def feed(self, data: bytes) -> list[Piece]:
        """Return the data in the bytes of a read, in pieces that begin with the sockets which came before or with them.

        A header that Node does not accept ends the stream: `broken` is true then, and all before it is returned.
        """
        # [WIN-020]
        buffer = memoryview(self._buffer + data if self._buffer else data)
        pieces: list[tuple[tuple[bytes, ...], list[bytes]]] = []
        at = 0
        while not self.broken:  # [WIN-021]
            # [WIN-045]
            if self._socket_due:
                if len(buffer) - at < SOCKET_SIZE:
                    break
                self._sockets += (bytes(buffer[at : at + SOCKET_INFO_SIZE]),)
                self._socket_due = False
                at += SOCKET_SIZE
            # [WIN-023, WIN-024]
            if self._left:
                part = bytes(buffer[at : at + self._left])
                if not part:
                    break
                at += len(part)
                self._left -= len(part)
                # [WIN-047]
                if self._sockets or not pieces:
                    pieces.append((self._sockets, []))
                    self._sockets = ()
                pieces[-1][1].append(part)  # [WIN-022]
            elif len(buffer) - at >= HEADER.size:
                self._begin(*HEADER.unpack_from(buffer, at))
                at += HEADER.size
            else:
                break
        self._buffer = b"" if self.broken else bytes(buffer[at:])
        # [WIN-028]
        return [(sockets, b"".join(parts)) for sockets, parts in pieces]

    def _begin(self, flags: int, _reserved: int, length: int, reserved: int) -> None:
        """Take in a header; the first reserved word may hold anything, as for Node."""
        nothing_due = length and not flags & HAS_DATA
        # [WIN-025, WIN-026]
        if flags & ~_KNOWN or reserved or flags & _KNOWN & ~HAS_DATA == IS_CONNECTION or nothing_due:
            self.broken = True
            return
        # [WIN-027]
        self._left = length
        self._socket_due = bool(flags & HAS_SOCKET)
