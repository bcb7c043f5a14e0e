"""The kit's end of the channel: raw bytes out, frames and descriptors in, never blocking."""

import contextlib
import fcntl
import os
import select
import socket
import struct
import termios
from collections import deque
from collections.abc import Sequence
from dataclasses import replace

from channelkit.limits import AT_ONCE, MOST_DESCRIPTORS
from channelkit.wire.headers import Block, Headers, framed, listens, stand_in
from channelkit.wire.rights import FLAGS, ROOM, packed, unpacked
from channelkit.wire.serialization import Frame, Serialization
from channelkit.wire.transcript import Transcript

_MOST_FRAMED = 1 << 18
"""Data behind one header. A longer write takes several, so that its progress is seen."""


class RawChannel:
    """Owns an end of a stream socket pair and the descriptors that arrive on it, until :meth:`close`.

    ``peer`` is the process at the other end when the channel has the form of Windows; None when it has that of POSIX.
    """

    def __init__(
        self,
        end: socket.socket,
        transcript: Transcript,
        serialization: Serialization,
        peer: int | None = None,
    ) -> None:
        end.setblocking(False)
        self._peer = peer
        self._headers = None if peer is None else Headers(os.getpid())
        self._pending: tuple[bytes, Sequence[int], int] | None = None
        """A write of which the kernel took a part: its rest, the descriptors that come with it, and the bytes that it stands for."""
        self._serialization = serialization
        self._usual_buffer: int | None = None
        self._socket = end
        self._transcript = transcript
        self._buffer = bytearray()
        self._scanned = 0
        self._owned: set[int] = set()
        self._rights: list[int] = []
        self.descriptors: deque[int] = deque()
        """Received descriptors that no step has taken, oldest first."""
        self.strays = 0
        """Received descriptors that were closed because no step wanted them, or because too many came."""
        self.too_many_descriptors = False
        """More descriptors came than the kit keeps; the rest was closed at once."""
        self.eof = False
        """The subject ended its side."""
        self.broken = False
        """A write failed because no process reads the other end any more."""
        self.taken = 0
        """Bytes that have arrived."""
        self.heard = False
        """At least a byte has arrived."""
        self.portion: int | None = None
        """Bytes that :meth:`read` takes at once; None for all that wait, 0 for none."""

    @property
    def closed(self) -> bool:
        """The kit closed its end."""
        return self._socket.fileno() == -1

    @property
    def reads(self) -> bool:
        """Whether :meth:`read` would take bytes that wait."""
        return not (self.eof or self.closed or self.portion == 0)

    @property
    def tail(self) -> bytes:
        """Bytes of the unfinished frame."""
        return bytes(self._buffer)

    def fileno(self) -> int:
        """The descriptor, for poll."""
        return self._socket.fileno()

    def limit_buffer(self, size: int) -> None:
        """Lets the kernel keep no more than about ``size`` bytes that the subject has not read."""
        if self._usual_buffer is None:
            # The kernel reports twice the size that was set.
            self._usual_buffer = self._socket.getsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF) // 2
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, size)
        self._transcript.note(f"the kit's send buffer holds {size} bytes")

    def as_usual(self) -> None:
        """Undoes :meth:`limit_buffer` and :attr:`portion`."""
        self.portion = None
        if self._usual_buffer is not None:
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, self._usual_buffer)
            self._usual_buffer = None

    @property
    def fault(self) -> str:
        """The header of the subject that breaks a rule of the form of Windows, in words; empty when there is none."""
        return "" if self._headers is None else self._headers.fault

    def write(self, data: memoryview, descriptors: Sequence[int] = (), *, raw: bool = False) -> int:
        """Writes once and returns how many bytes the kernel took, 0 when it has no room.

        In the form of Windows a header comes first, unless the bytes are ``raw``; the same bytes are written again until they are taken.
        When the other end is gone, :attr:`broken` is set and the bytes count as taken.
        """
        if self._peer is None or raw:
            return self._write_once(data, descriptors)
        if self._pending is None:
            self._pending = self._framed(bytes(data[:_MOST_FRAMED]), descriptors)
        rest, riding, stands_for = self._pending
        taken = self._write_once(memoryview(rest), riding)
        done = taken == len(rest)
        self._pending = None if done else (rest[taken:], () if taken else riding, stands_for)
        return stands_for if done else 0

    def _framed(self, data: bytes, descriptors: Sequence[int]) -> tuple[bytes, Sequence[int], int]:
        """A header for the data, and one before it for each descriptor but the last."""
        *before, last = [(stand_in(self._peer or 0), not listens(one)) for one in descriptors] or [
            (b"", False)
        ]
        headers = b"".join(framed(b"", block, connection=connection) for block, connection in before)
        return headers + framed(data, last[0], connection=last[1]), descriptors, len(data)

    def _write_once(self, data: memoryview, descriptors: Sequence[int]) -> int:
        try:
            taken = self._socket.sendmsg([data], packed(descriptors))
        except BlockingIOError:
            return 0
        except OSError as error:
            if not self.broken:
                self._transcript.note(f"write failed: {error.strerror}")
            self.broken = True
            return len(data)
        self._transcript.data("write", bytes(data[:taken]), len(descriptors))
        return taken

    def unread(self) -> int:
        """More than 0 while the subject has not read all written bytes; 0 on a system that cannot tell."""
        try:
            return int(struct.unpack("i", fcntl.ioctl(self._socket, termios.TIOCOUTQ, b"\0\0\0\0"))[0])
        except OSError:
            return 0

    def read(self) -> list[Frame]:
        """Reads the bytes that wait, or a :attr:`portion` of them, and returns the frames that became complete.

        A call takes about :data:`~channelkit.limits.AT_ONCE` bytes at most.
        """
        frames: list[Frame] = []
        until = self.taken + AT_ONCE
        while self.reads and self.taken < until and self._read_once():
            frames.extend(self._split())
            if self.portion is not None:
                break
        return frames

    def _read_once(self) -> bool:
        try:
            data, ancillary, _flags, _address = self._socket.recvmsg(self.portion or 65536, ROOM, FLAGS)
        except BlockingIOError:
            return False
        except OSError as error:  # ECONNRESET: the subject closed and left bytes of ours unread
            self._transcript.note(f"the subject's side ended: {error.strerror}")
            self.eof = True
            return False
        received = self._keep(ancillary)
        if not data:
            self._transcript.note("the subject's side ended (end of file)")
            self.eof = True
            if self._headers is not None:
                self._headers.end()
            return False
        self.heard = True
        self.taken += len(data)
        self._transcript.data("read", data, received)
        if self._headers is None:
            self._rights += [len(self._buffer)] * received
            self._buffer += data
        else:
            self._unframe(self._headers, data)
        return True

    def _unframe(self, headers: Headers, data: bytes) -> None:
        """Keeps the data, and the place in them of each socket."""
        for part in headers.read(data):
            if isinstance(part, bytes):
                self._buffer += part
            else:
                self._rights.append(len(self._buffer))
                self._hold_to_kind(headers, part)

    def _hold_to_kind(self, headers: Headers, block: Block) -> None:
        """Compares the flags of the newest socket with the socket itself. It came with its header, so it is here."""
        at = len(self._rights) - 1
        if at < len(self.descriptors) and listens(self.descriptors[at]) == block.connection:
            headers.fault = (
                f"flags call a {'listening socket' if block.connection else 'connection'} by the other name"
            )

    def _keep(self, ancillary: list[tuple[int, int, bytes]]) -> int:
        numbers = unpacked(ancillary)
        room = max(0, MOST_DESCRIPTORS - len(self.descriptors))
        self.descriptors.extend(numbers[:room])
        self._owned.update(numbers[:room])
        for number in numbers[room:]:
            os.close(number)
            self.strays += 1
            self.too_many_descriptors = True
        return len(numbers)

    def _split(self) -> list[Frame]:
        frames = []
        begin = 0
        while (end := self._serialization.end(self._buffer, begin, max(begin, self._scanned))) >= 0:
            rights = tuple(at - begin for at in self._rights if begin <= at < end)
            frames.append(replace(self._serialization.read(bytes(self._buffer[begin:end])), rights=rights))
            begin = end
        self._rights = [at - begin for at in self._rights if at >= begin]
        del self._buffer[:begin]
        self._scanned = len(self._buffer)
        return frames

    @property
    def hung_up(self) -> bool:
        """The other end is closed: no process reads it, and no process will write to it."""
        return bool(self._polled(0) & select.POLLHUP)

    @property
    def waiting(self) -> bool:
        """Bytes wait that :meth:`read` has not taken."""
        return bool(self._polled(select.POLLIN) & select.POLLIN)

    def _polled(self, mask: int) -> int:
        poller = select.poll()
        poller.register(self._socket, mask)
        return next((events for _descriptor, events in poller.poll(0)), 0)

    def release(self, descriptor: int) -> None:
        """Closes a received descriptor; a second call has no effect."""
        if descriptor in self._owned:
            self._owned.discard(descriptor)
            os.close(descriptor)

    def release_all(self) -> None:
        """Closes the received descriptors that no step has taken; :attr:`strays` counts them."""
        self.strays += len(self._owned)
        for descriptor in list(self._owned):
            self.release(descriptor)
        self.descriptors.clear()

    def disown(self, descriptor: int) -> int:
        """Gives a received descriptor to the caller, who closes it."""
        self._owned.discard(descriptor)
        return descriptor

    def shutdown(self) -> None:
        """Half-closes: the subject sees the end of file, its own bytes still arrive."""
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_WR)
        self._transcript.note("the kit half-closes its end")

    def close(self) -> None:
        """Closes the kit's end; received descriptors stay until :meth:`dispose`."""
        if not self.closed:
            self._socket.close()
            self._transcript.note("the kit closes its end")

    def dispose(self) -> None:
        """Closes the channel and the descriptors that are still open."""
        self.close()
        self.release_all()
