"""The end of a channel that two threads read and write, for a system whose pipes cannot be waited for together with further descriptors.

A `Link` has calls that block. A thread reads ahead, as far as `READ_AHEAD` says; another writes the frames in turn. Bells tell
waiting threads, and `call_soon_threadsafe` tells an event loop of any kind.

A write is counted when the system has all of it: `send` counts all bytes but the last at once, and the last in a later call. So the
bytes stay in the outbox of the channel until they have left this process, and the end of the channel does not cut them off. A write with a
socket is counted at once: the channel waits for its acknowledgement anyway, which must not come before the write is counted.

The result of a read is taken by a call that is written in C, as in `seam.py`. So `receive` is no tuple but an object that waits when it is
iterated over.
"""

from __future__ import annotations

import time
from collections import deque
from functools import partial

from nodechannel._transport.bell import Bell, wait_any
from nodechannel._transport.frames import FrameReader, written
from nodechannel._transport.native import allocate_lock, start_new_thread
from nodechannel._transport.system import close_descriptor

TYPE_CHECKING = False
if TYPE_CHECKING:
    from asyncio import AbstractEventLoop
    from collections.abc import Callable, Iterator, Sequence
    from typing import Any, Protocol, TypeAlias

    from nodechannel._transport.owned import OwnedFd
    from nodechannel._transport.readiness import Readiness
    from nodechannel._transport.seam import Received

    Told: TypeAlias = tuple[AbstractEventLoop, Callable[[], object]]

    class Link(Protocol):
        """A pipe, and the way of sockets through it."""

        def fileno(self) -> int:
            """Return the number of the pipe."""

        def read(self) -> bytes:
            """Wait for bytes and return them; none at the end, and after `end`."""

        def write(self, data: bytes) -> None:
            """Write all of it; raises `OSError` when the peer is gone, and after `end`."""

        def end(self) -> None:
            """End both calls."""

        def close(self) -> None:
            """Close the pipe; no call is under way."""

        def meet(self, pid: int) -> None:
            """Name the process at the far end."""

        def share(self, fd: int) -> tuple[bytes, bool]:
            """Return the description of a socket for the peer, and whether it is a connection; raises `OSError`."""

        def open_shared(self, description: bytes) -> int:
            """Return the descriptor of a socket that the peer has described; raises `OSError`."""


# Pieces that wait for the channel before the thread stops reading.
READ_AHEAD = 4

# As much as Node reads at most.
_RECEIVE_SIZE = 65536

_END: Received = (b"", (), 0, None)
_give_end: Callable[[], Any] = partial(tuple, _END)


class ThreadedTransport:
    """An end at a link, which it owns; see `Transport` for the members."""

    receive_size = _RECEIVE_SIZE
    receive_to = None
    at_once: tuple[Any] = (0,)

    def __init__(self, link: Link) -> None:
        self._link = link
        # The reader's thread alone appends; a front end takes.
        self._arrived: deque[Received] = deque()
        self._take = partial(self._arrived.popleft)
        self.receive, self.receive_now = _Arrivals(self._await), _Arrivals(self._look)
        self._limit: float | None = None
        # The frames that are being written, and whether the last byte of those before is still to be counted.
        self._frames: list[bytes] | None = None
        self._uncounted = False
        # The peer takes no more; this side has closed.
        self._broken = self._closed = False
        self._readable, self._writable = Bell(), Bell()
        # Unlocked when a thread may go on.
        self._may_read, self._may_write = allocate_lock(), allocate_lock()
        self._may_write.acquire()
        # How many threads there are, to be changed under the lock.
        self._threads, self._counting = 1, allocate_lock()
        self._writes = False
        self._reader: Told | None = None
        self._writer: Told | None = None
        start_new_thread(self._run, (self._read,))

    def fileno(self) -> int:
        """Return the number of the pipe, -1 once this end is closed."""
        return -1 if self._closed else self._link.fileno()

    def meet(self, pid: int) -> None:
        """Name the process at the far end."""
        self._link.meet(pid)

    # Receiving.

    def _await(self) -> Callable[[], Received]:
        """Wait for a piece, at most as long as `limit_receiving` said; return the call that takes it."""
        since = time.monotonic()
        while not self._has_arrived():
            limit = self._limit
            left = None if limit is None else since + limit - time.monotonic()
            if left is not None and left <= 0:
                raise BlockingIOError
            wait_any((self._readable.fileno(),), left)
        return self._taking()

    def _look(self) -> Callable[[], Received]:
        """Return the call that takes a piece; raises `BlockingIOError` when there is none."""
        if not self._has_arrived():
            raise BlockingIOError
        return self._taking()

    def _taking(self) -> Callable[[], Received]:
        if self._arrived[0] is _END:  # it stays
            return _give_end
        if len(self._arrived) <= READ_AHEAD:  # one of them is about to be taken
            _open(self._may_read)
        return self._take

    def _has_arrived(self) -> bool:
        if not self._arrived:
            _open(self._may_read)
            self._readable.clear()
            if self._arrived:
                self._readable.ring()
        return bool(self._arrived)

    def limit_receiving(self, seconds: float | None) -> None:
        """Set how long `receive` may sleep; a call that sleeps looks anew."""
        self._limit = seconds
        self._readable.ring()

    def sleeps(self) -> bool:
        """Tell that `receive` may sleep."""
        return True

    def _read(self) -> None:
        """Read until the end."""
        frames = FrameReader()
        self._may_read.acquire()
        while not (frames.broken or self._closed) and (data := self._link.read()):
            for sockets, piece in frames.feed(data):
                self._arrived.append((piece, (), 0, deque(self._opened(sockets))))
            self._tell_reader()
            if len(self._arrived) < READ_AHEAD:
                _open(self._may_read)
            self._may_read.acquire()
        # [WIN-062] Behind all that came.
        self._arrived.append(_END)
        self._tell_reader()

    def _opened(self, descriptions: Sequence[bytes]) -> Iterator[int]:
        """Yield the sockets up to the first that cannot be opened, whose message is answered with NODE_HANDLE_NACK ([WIN-046]).

        The sockets behind it are closed: the message would take the socket of a later message.
        """
        is_whole = True
        for description in descriptions:
            try:
                descriptor = self._link.open_shared(description)
            except OSError:
                is_whole = False
                continue
            if is_whole:
                yield descriptor
            else:
                close_descriptor(descriptor)

    # Sending.

    def send(self, data: bytes | memoryview, _flags: int) -> int:
        """Have bytes written; return how many are counted."""
        self._require_room()
        if self._uncounted:
            self._uncounted = False
            return 1
        frames, counted = written(data), len(data) - 1
        # No call behind the statement, after which a signal handler could raise: the front end would write the frame again. The call that
        # asks for the last byte wakes the thread.
        self._uncounted, self._frames = True, frames
        return counted

    def packed(self, data: bytes | memoryview, fd: OwnedFd) -> tuple[Any, ...]:
        """Return the arguments of `send_with` for bytes and the only socket that rides on them."""
        return data, fd

    def send_with(self, data: bytes | memoryview, fd: OwnedFd) -> int:
        """Have bytes written with a socket; return how many are counted."""
        self._require_room()
        try:
            # [WIN-044]
            description, connection = self._link.share(fd.fileno())
        except OSError:
            # The peer answers the message alone with NODE_HANDLE_NACK, and the fourth time the caller is told.
            description, connection = b"", False
        self._frames = written(data, description, connection=connection)
        self._write_on()
        return len(data)

    def _require_room(self) -> None:
        if self._broken or self._closed:
            raise BrokenPipeError
        if self._frames is not None:
            self._write_on()
            raise BlockingIOError

    def _write_on(self) -> None:
        """Let the thread write; there is none before the first frame."""
        if not self._writes:
            self._writes = True
            with self._counting:
                self._threads += 1
            start_new_thread(self._run, (self._write,))
        _open(self._may_write)

    def _write(self) -> None:
        """Write all frames until this end is closed."""
        self._may_write.acquire()
        while not self._closed:
            if self._frames is not None:
                try:
                    for frame in self._frames:  # [WIN-014]
                        self._link.write(frame)
                except OSError:  # [WIN-061]
                    self._broken = True
                self._frames = None
                _tell(self._writable, self._writer, self._run_writer)
            self._may_write.acquire()

    # Waiting.

    def wait(self, *, reading: bool, writing: bool, left: float | None, also: Sequence[int] = ()) -> None:
        """Wait until this end is readable or writable, until one of the descriptors `also` is ready, or for `left` seconds."""
        bells = []
        if reading:
            if self._has_arrived():
                return
            bells.append(self._readable.fileno())
        if writing:
            if self._has_room():
                return
            bells.append(self._writable.fileno())
        wait_any((*bells, *also), left)

    def _has_room(self) -> bool:
        if not self._idle():
            self._write_on()
            self._writable.clear()
            if self._idle():
                self._writable.ring()
        return self._idle()

    def _idle(self) -> bool:
        return self._frames is None

    def readiness(self) -> Readiness | None:
        """Return None: selectors do not know pipes here."""
        return None

    def _tell_reader(self) -> None:
        if self._arrived:
            _tell(self._readable, self._reader, self._run_reader)

    def add_reader(self, loop: AbstractEventLoop, callback: Callable[[], object]) -> None:
        """Have an event loop call back when bytes can be read."""
        self._reader = (loop, callback)
        self._come_back()

    def _run_reader(self) -> None:
        if self._reader is not None:
            self._reader[1]()
            self._come_back()

    def _come_back(self) -> None:
        """Have the event loop call back again as long as bytes can be read."""
        if self._reader is not None and self._has_arrived():
            self._reader[0].call_soon(self._run_reader)

    def remove_reader(self, loop: AbstractEventLoop) -> None:  # noqa: ARG002 (see the seam)
        """Have an event loop call back no more; without effect when it does not."""
        self._reader = None

    def add_writer(self, loop: AbstractEventLoop, callback: Callable[[], object]) -> None:
        """Have an event loop call back when there is room to write."""
        self._writer = (loop, callback)
        if self._has_room():
            loop.call_soon(self._run_writer)

    def _run_writer(self) -> None:
        if self._writer is not None:
            self._writer[1]()

    def remove_writer(self, loop: AbstractEventLoop) -> None:  # noqa: ARG002 (see the seam)
        """Have an event loop call back no more; without effect when it does not."""
        self._writer = None

    # Ending.

    def end(self) -> None:
        """End both directions, which wakes a thread that waits; the pipe stays open."""
        self._link.end()
        _open(self._may_read)

    def close(self) -> None:
        """Close this end; the last thread that leaves closes the pipe."""
        with self._counting:
            first, self._closed = not self._closed, True
            left = not self._threads
        if not first:
            return
        self._link.end()
        _open(self._may_read)
        _open(self._may_write)
        if left:
            self._let_go()

    def _run(self, work: Callable[[], None]) -> None:
        """Do the work of a thread."""
        try:
            work()
        finally:
            with self._counting:
                self._threads -= 1
                last = self._closed and not self._threads
            if last:
                self._let_go()

    def _let_go(self) -> None:
        self._link.close()
        self._readable.close()
        self._writable.close()
        for _, _, _, descriptors in self._arrived:
            for descriptor in descriptors or ():
                close_descriptor(descriptor)


class _Arrivals:
    """The `receive` of `seam.py`: `map` calls the only item, and this object waits before it gives it."""

    __slots__ = ("_wait",)

    def __init__(self, wait: Callable[[], Callable[[], Received]]) -> None:
        self._wait = wait

    def __iter__(self) -> Iterator[Callable[[], Received]]:
        return iter((self._wait(),))


def _open(lock: Any) -> None:
    """Let a thread go on that waits for a lock, or will."""
    if lock.locked():
        try:  # noqa: SIM105 (importing contextlib takes longer than all that this file does)
            lock.release()
        except RuntimeError:  # another thread was quicker
            pass


def _tell(bell: Bell, told: Told | None, call: Callable[[], object]) -> None:
    """Wake the threads and the event loop that wait."""
    bell.ring()
    if told is not None:
        try:  # noqa: SIM105 (importing contextlib takes longer than all that this file does)
            told[0].call_soon_threadsafe(call)
        except RuntimeError:  # the loop is closed
            pass
