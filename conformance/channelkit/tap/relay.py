"""The relay between a parent and its child. Bytes go from each end to the far end, and then to the recording.

The relay changes no bytes. Long bytes go through a pipe of the kernel, which moves them without a copy.
Bytes leave as they were read, descriptors leave with the byte that they came with, and the end of a way
ends only that way. A way reads again only when all its bytes are written, so a slow reader slows the writer. The two ways are independent.
"""

import contextlib
import errno
import fcntl
import os
import select
import socket
import termios
import time
from collections.abc import Callable

from channelkit.tap.descriptors import described
from channelkit.tap.record import DOWN, UP, Entry
from channelkit.wire.rights import FLAGS, packed, unpacked

AT_ONCE = 65536
"""Bytes of one read; Node reads as many."""
# Numbers and no members of an enumeration, which take a microsecond to be joined.
_NOW = int(socket.MSG_DONTWAIT)
_TAKE = int(FLAGS) | _NOW
_LOOK = _NOW | int(socket.MSG_PEEK)
_LONG = 32768
"""Bytes of a read from which on a pipe is worth its calls."""
_CUT = int(socket.MSG_CTRUNC)
"""The mark of a read that has no room for the descriptors among its bytes."""
_ROOM = socket.CMSG_SPACE(253 * 4)
"""The kernel takes no more descriptors in a single write."""
_LATER = 10
"""Milliseconds until a write is tried again that the kernel refuses for the moment."""
_IN_A_ROW = 8
"""Reads of one way, with none of the other between them, that make a stream. Nothing in a stream waits for an answer."""
_PAUSE = 200e-6
"""Seconds between reads of a stream. Each wake-up of the relay costs the writer more than a small message does."""
_LINGER = 0.1
"""Seconds that an end has to see the death of its peer."""
_FOR_THE_MOMENT = (errno.ETOOMANYREFS, errno.ENOBUFS, errno.ENOMEM)
"""Errors after which no byte of a write was taken."""

Sink = Callable[[Entry], None]


class Relay:
    """Owns both sockets, ``parent`` towards the parent and ``child`` towards the child."""

    def __init__(self, parent: socket.socket, child: socket.socket, now: Callable[[], int]) -> None:
        self._ends = (parent, child)
        self._ways = (_Way(parent, child, DOWN, now), _Way(child, parent, UP, now))
        self._poller = select.poll()
        self._waited: dict[int, int] = {}
        self._wanted: tuple[tuple[int, int], tuple[int, int]] | None = None

    def filenos(self) -> tuple[int, int]:
        """The descriptors of both sockets."""
        parent, child = self._ends
        return parent.fileno(), child.fileno()

    def run(self, sink: Sink) -> None:
        """Carries until both ways have ended. The entries of the recording go to ``sink``, which may fail."""
        for way, end in zip(self._ways, self._ends, strict=True):
            way.sink = sink
            # As every child does with its end. A splice has no flag for a single call.
            end.setblocking(False)
        down, up = self._ways
        while not (down.ended and up.ended):
            self._wait_for_changes()
            ready = dict(self._poller.poll(_LATER if down.refused or up.refused else None))
            for way, back in ((down, up), (up, down)):
                if way.go(ready):
                    way.in_a_row += 1
                    back.in_a_row = 0
                if way.gone and not back.ended:
                    back.stop()
            if down.streams or up.streams:
                time.sleep(_PAUSE)
        for way in self._ways:
            if way.unread:
                way.see_out()

    def _wait_for_changes(self) -> None:
        """Registers the events that the ways wait for. An end that hung up is always reported, so it is left out where possible."""
        down, up = (way.wants() for way in self._ways)
        if (down, up) == self._wanted:
            return
        self._wanted = down, up
        waited: dict[int, int] = {}
        for number, mask in self._wanted:
            if mask:
                waited[number] = waited.get(number, 0) | mask
        if waited != self._waited:
            for number in self._waited.keys() - waited.keys():
                self._poller.unregister(number)
            for number, mask in waited.items():
                self._poller.register(number, mask)
            self._waited = waited

    def close(self) -> None:
        """Closes both sockets and the descriptors under way."""
        for way in self._ways:
            way.drop()
        for end in self._ends:
            end.close()


class _Way:
    """One direction."""

    def __init__(
        self, source: socket.socket, target: socket.socket, name: str, now: Callable[[], int]
    ) -> None:
        self._source, self._target = source, target
        self._name, self._now = name, now
        self.sink: Sink = _nowhere
        self._buffer = memoryview(bytearray(AT_ONCE))
        self._pieces: list[tuple[memoryview, list[int]]] = []
        """The bytes that were read and are not written, and the descriptors that came with the first byte."""
        self._end = ""
        self.ended = False
        """No further byte comes on this way."""
        self.gone = False
        """The source closed: it neither writes nor reads any more."""
        self.unread = False
        """The target had not read all bytes when the source closed."""
        self.refused = False
        """The kernel takes the next write later."""
        self.in_a_row = 0
        """Reads since the other way was read."""
        self._size = 0
        """Bytes of the last read."""
        self._pipe = _Pipe()
        self._written: list[int] = []
        """Descriptors that were written and are still to be described and closed."""

    @property
    def streams(self) -> bool:
        """Whether small messages follow each other without an answer. Large reads need no pause."""
        return self.in_a_row > _IN_A_ROW and self._size < AT_ONCE

    def wants(self) -> tuple[int, int]:
        """The socket that is waited for, and the events."""
        if self.ended or self.refused:
            return -1, 0
        if self._waits:
            return self._target.fileno(), select.POLLOUT
        return self._source.fileno(), select.POLLIN

    def go(self, ready: dict[int, int]) -> bool:
        """Writes what was read, or reads and writes; returns whether it read."""
        reads = not self._waits
        if self.ended or (reads and not ready.get(self._source.fileno())):
            return False
        if reads:
            self._read()
        self._write()
        if self._end and not self._waits:
            self._finish()
        return reads

    @property
    def _waits(self) -> bool:
        """Whether bytes were read that are not written."""
        return bool(self._pieces or self._pipe.filled)

    def _read(self) -> None:
        try:
            size, with_rights = self._look()
            if not size:
                self._end = "half-closed"
            elif with_rights:
                self._read_up_to_rights(size)
            elif size >= _LONG and (moved := self._pipe.fill(self._source, size)):
                self._pass(moved)
            else:
                # The seen bytes have no descriptor, even if descriptors came since.
                self._take(self._buffer[: self._source.recv_into(self._buffer, size, _NOW)], [])
        except BlockingIOError:
            return
        except OSError:  # the peer closed and left bytes unread
            self._end = "reset"

    def _look(self) -> tuple[int, bool]:
        """How many bytes come, and whether descriptors come with them or behind them. Without room for them the kernel makes none."""
        size, _none, flags, _address = self._source.recvmsg_into([self._buffer], 0, _LOOK)
        return size, bool(flags & _CUT)

    def _receive(self, into: memoryview) -> tuple[int, list[int]]:
        size, ancillary, _flags, _address = self._source.recvmsg_into([into], _ROOM, _TAKE)
        return size, unpacked(ancillary) if ancillary else []

    def _read_up_to_rights(self, size: int) -> None:
        """Reads the bytes before descriptors separately. Only reads of a single byte show the place of descriptors.

        A look ahead shows descriptors behind the bytes too, so there may be none in them.
        """
        at, rights = 0, list[int]()
        while not rights and at < size:
            rights = self._receive(self._buffer[at : at + 1])[1]
            at += 1
        start = at - 1 if rights else size
        if start:
            self._take(self._buffer[:start], [])
        if rights:
            rest = self._receive(self._buffer[at:size])[0] if at < size else 0
            self._take(self._buffer[start : at + rest], rights)

    def _record(self, entry: Entry) -> None:
        try:
            self.sink(entry)
        except Exception:  # the channel goes on after every error
            self.sink = _nowhere

    def _take(self, data: memoryview, rights: list[int]) -> None:
        """Writes first and records then: the far end does not wait for the recording."""
        self._size = len(data)
        now = self._now()
        self._pieces.append((data, rights))
        self._write(keep=True)
        self._record(Entry(now, self._name, bytes(data), tuple(map(described, rights))))
        self._close_written()

    def _pass(self, size: int) -> None:
        """Writes the bytes in the pipe, and records what the look at them brought: the only copy of them."""
        self._size = size
        now = self._now()
        self._write()
        self._record(Entry(now, self._name, bytes(self._buffer[:size])))

    def _close_written(self) -> None:
        _close(self._written)
        self._written.clear()

    def _write(self, *, keep: bool = False) -> None:
        """Writes what waits. With ``keep`` the descriptors stay open until they are described."""
        self.refused = False
        try:
            self._pipe.drain(self._target)
        except OSError as error:
            if self._is_for_the_moment(error):
                return
            self._pipe.close()
        while self._pieces:
            data, rights = self._pieces[0]
            try:
                taken = (
                    self._target.sendmsg([data], packed(rights), _NOW)
                    if rights
                    else self._target.send(data, _NOW)
                )
            except OSError as error:
                if self._is_for_the_moment(error):
                    return
                taken = len(data)  # the target reads no more: the bytes are lost, as they are without a relay
            self._written += rights
            if taken < len(data):
                self._pieces[0] = (data[taken:], [])
            else:
                del self._pieces[0]
            if not keep:
                self._close_written()

    def _is_for_the_moment(self, error: OSError) -> bool:
        """Whether a write can be tried again: the target is full, or it refuses for lack of resources."""
        self.refused = error.errno in _FOR_THE_MOMENT
        return self.refused or isinstance(error, BlockingIOError)

    def _finish(self) -> None:
        self.ended = True
        self.gone = self._end == "reset" or _closed(self._source)
        how = "closed" if self._end == "half-closed" and self.gone else self._end
        # First of all: the parent hears of the exit of a child from the system, and expects the end of the channel before.
        with contextlib.suppress(OSError):
            self.unread = self.gone and _has_unread(self._target)
            self._target.shutdown(socket.SHUT_RDWR if self.gone and not self.unread else socket.SHUT_WR)
        self._record(Entry(self._now(), self._name, end=how))

    def see_out(self) -> None:
        """Takes what the target still writes, until it has seen the end and closes.

        It may answer the last bytes before it reads the end. Without a relay its peer is dying at that time, and the write succeeds.
        """
        poller = select.poll()
        poller.register(self._target, select.POLLIN)
        until = time.monotonic() + _LINGER
        with contextlib.suppress(OSError):
            while (left := until - time.monotonic()) > 0:
                if poller.poll(left * 1000) and not self._target.recv_into(self._buffer):
                    return

    def stop(self) -> None:
        """Ends the way whose target is gone."""
        self.drop()
        self.ended = True

    def drop(self) -> None:
        """Closes the descriptors that were not written."""
        self._pipe.close()
        for _data, rights in self._pieces:
            _close(rights)
        self._pieces.clear()


class _Pipe:
    """Moves bytes from a socket to a socket inside of the kernel, where it can do so. A write of a moved page copies no byte."""

    def __init__(self) -> None:
        self._ends: tuple[int, int] | None = None
        self.filled = 0
        """Bytes that were taken from the source and are not written."""

    def fill(self, source: socket.socket, size: int) -> int:
        """Takes up to ``size`` bytes, which wait at the source; 0 where that is impossible."""
        try:
            if self._ends is None:
                self._ends = os.pipe()
            self.filled = os.splice(source.fileno(), self._ends[1], size, flags=os.SPLICE_F_NONBLOCK)
        except (OSError, AttributeError):  # another system
            return 0
        return self.filled

    def drain(self, target: socket.socket) -> None:
        """Writes what was taken. Raises :class:`OSError`."""
        while self.filled and self._ends:
            self.filled -= os.splice(self._ends[0], target.fileno(), self.filled, flags=os.SPLICE_F_NONBLOCK)

    def close(self) -> None:
        """Closes the pipe and forgets what is in it."""
        if self._ends:
            _close([*self._ends])
        self._ends, self.filled = None, 0


def _nowhere(_entry: Entry) -> None:
    """The sink of a relay without a recording."""


def _closed(end: socket.socket) -> bool:
    """Whether the far side closed its whole end."""
    poller = select.poll()
    poller.register(end, 0)
    return any(events & select.POLLHUP for _number, events in poller.poll(0))


def _has_unread(end: socket.socket) -> bool:
    """Whether the far side has not read all bytes yet; False on a system that cannot tell."""
    try:
        return any(fcntl.ioctl(end, termios.TIOCOUTQ, bytes(4)))
    except OSError:
        return False


def _close(descriptors: list[int]) -> None:
    for descriptor in descriptors:
        os.close(descriptor)
