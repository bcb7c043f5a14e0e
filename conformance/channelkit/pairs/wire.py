"""The runner in the middle of a channel between two processes: it records the bytes of each end and writes them to the far end.

The runner changes no bytes. The bytes of a read leave in a single write. Descriptors leave with the byte that they came with. The
end of a direction ends only that direction. But time passes, and two writes that wait may become a single read, as they may in
the kernel.
"""

import contextlib
import os
import select
import socket
from collections import deque

from channelkit.limits import ROUNDS
from channelkit.wire.rights import FLAGS, ROOM, packed, unpacked
from channelkit.wire.transcript import Transcript

_AT_ONCE = 65536


class Wire:
    """Owns both sockets, ``parent`` towards the parent and ``child`` towards the child, until :meth:`close`."""

    def __init__(self, parent: socket.socket, child: socket.socket, transcript: Transcript) -> None:
        for end in (parent, child):
            end.setblocking(False)
        self._ends = (parent, child)
        self._ways = (_Way(parent, child, "down", transcript), _Way(child, parent, "up", transcript))

    def register(self, poller: select.poll) -> None:
        """Registers the sockets and events to wait for."""
        for end in self._ends:
            mask = sum(way.wants(end) for way in self._ways)
            if mask:
                poller.register(end, mask)

    def carry(self) -> None:
        """Takes on all that can be taken on now."""
        # Each has its turn. Two that write without end would keep the runner here.
        for _ in range(ROUNDS):
            if not sum(way.step() for way in self._ways):
                break
        if all(way.ended for way in self._ways):
            self.close()

    def close(self) -> None:
        """Closes both sockets and the descriptors under way."""
        for way in self._ways:
            way.close()
        for end in self._ends:
            end.close()


class _Way:
    """A direction of the channel. It reads again only when all its bytes are written, so that a slow reader slows the writer."""

    def __init__(
        self, source: socket.socket, target: socket.socket, name: str, transcript: Transcript
    ) -> None:
        self._source = source
        self._target = target
        self._name = name
        self._transcript = transcript
        self._pieces: deque[tuple[memoryview, list[int]]] = deque()
        """The bytes that were read and are not written, and the descriptors that came with the first byte."""
        self.ended = False
        """No further byte comes in this direction."""

    def wants(self, end: socket.socket) -> int:
        """The events of a socket to wait for."""
        if self.ended:
            return 0
        if self._pieces:
            return select.POLLOUT if end is self._target else 0
        return select.POLLIN if end is self._source else 0

    def step(self) -> bool:
        """Writes the bytes that were read, or reads; returns whether bytes moved or the end came."""
        if self.ended:
            return False
        return self._write() if self._pieces else self._read()

    def _read(self) -> bool:
        try:
            seen, rights = self._receive(_AT_ONCE, socket.MSG_PEEK)
            _close(rights)
            if rights:
                self._read_up_to_rights(len(seen))
            elif seen:
                self._add(*self._receive(len(seen)))
            else:
                self._end("end of file")
        except BlockingIOError:
            return False
        except OSError as error:  # ECONNRESET: it closed and left bytes unread
            self._end(error.strerror or "reset")
        return True

    def _read_up_to_rights(self, size: int) -> None:
        """Reads the bytes before a descriptor and the bytes of its own write as two pieces. A read of a single byte finds their border."""
        before = b""
        data, rights = self._receive(1)
        while not rights and len(before) + 1 < size:
            before += data
            data, rights = self._receive(1)
        rest = size - len(before) - 1
        if before:
            self._add(before, [])
        self._add(data + (self._receive(rest)[0] if rest else b""), rights)

    def _add(self, data: bytes, rights: list[int]) -> None:
        self._transcript.data(self._name, data, len(rights))
        self._pieces.append((memoryview(data), rights))

    def _receive(self, size: int, flags: int = 0) -> tuple[bytes, list[int]]:
        data, ancillary, _flags, _address = self._source.recvmsg(size, ROOM, FLAGS | flags)
        return data, unpacked(ancillary)

    def _write(self) -> bool:
        data, rights = self._pieces[0]
        try:
            taken = self._target.sendmsg([data], packed(rights))
        except BlockingIOError:
            return False
        except OSError as error:  # the target is closed: the bytes are lost, as they would be without the kit
            self._transcript.note(f"{self._name}: not delivered ({error.strerror})")
            taken = len(data)
        _close(rights)
        if taken < len(data):
            self._pieces[0] = (data[taken:], [])
        else:
            self._pieces.popleft()
        return True

    def _end(self, why: str) -> None:
        """Passes the end on to the target. A process that closed its end also reads no more, so the target's writes have to fail."""
        poller = select.poll()
        poller.register(self._source, 0)
        gone = bool(poller.poll(0))
        self._transcript.note(f"{self._name}: the writer {'closed' if gone else 'half-closed'} ({why})")
        with contextlib.suppress(OSError):
            self._target.shutdown(socket.SHUT_RDWR if gone else socket.SHUT_WR)
        self.ended = True

    def close(self) -> None:
        """Closes the descriptors that were not written."""
        for _data, rights in self._pieces:
            _close(rights)
        self._pieces.clear()


def _close(descriptors: list[int]) -> None:
    for descriptor in descriptors:
        os.close(descriptor)
