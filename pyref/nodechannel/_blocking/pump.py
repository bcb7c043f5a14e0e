"""Moving the bytes of a channel for any number of threads: each may write, one at a time reads, the others wait for what it brings."""

from __future__ import annotations

import math
import os
import select
import socket
import time
from _thread import allocate_lock
from collections import deque

from nodechannel._io.steps import RETRY, UNTIL_SHORTAGE, feed, receive_step, send_now, send_step

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from threading import Condition
    from typing import Self

    from nodechannel._core.connection import Connection, Outgoing
    from nodechannel._core.delivery import Delivery


class Pump:
    """What stands between a connection and its socket.

    Attributes:
        connection: only to be used while holding the guard, but for what may be looked at without.
        sock: the socket, closed by `shut` alone.
        guard: the lock of both; it is never held while waiting.
    """

    __slots__ = ("_short", "_someone_reads", "_waiting", "connection", "guard", "sock")

    def __init__(self, connection: Connection, sock: socket.socket) -> None:
        self.connection = connection
        self.sock = sock
        self.guard = Guard(connection, sock)
        connection.on_socket_closed = self.guard.socket_closed
        # Whether a thread waits for incoming bytes on behalf of all, and how many wait on the descriptor for anything.
        self._someone_reads = False
        self._waiting = 0
        # Whether the kernel could not take a write for want of something that no poll tells about.
        self._short = False

    def send(self, frames: bytes, handle: Outgoing | None = None) -> Delivery:
        """Write frames as far as the kernel takes them, and queue the rest; with a handle queue them. Raises what `queue` raises."""
        guard = self.guard
        try:
            with guard.lock:  # `with guard` takes three times as long
                if handle is not None:
                    return self.connection.queue(frames, handle)
                return send_now(self.sock, self.connection, frames)
        finally:
            if guard.closed_keys:
                guard.settle()

    def close(self) -> None:
        """End the channel now."""
        with self.guard:
            self.connection.close()
            self.shut()

    def forget(self) -> None:
        """Drop this process's copy of the socket after a fork."""
        # A thread that does not exist here may have held the lock.
        self.guard = Guard(self.connection, self.sock)
        self.connection.close()
        self.sock.close()

    # The caller of write and shut holds the lock.

    def write(self) -> None:
        """Write what there is room for, and close what is to be closed."""
        connection = self.connection
        if connection.outbox.size:
            self._short = send_step(self.sock, connection) is UNTIL_SHORTAGE
        if not connection.connected:
            if connection.ready_to_close:
                connection.finish()
            if connection.closed:
                self.shut()

    def shut(self) -> None:
        """Close the socket, or have the last thread close it that waits on it."""
        if not self._waiting:
            self.sock.close()
        elif self.sock.fileno() >= 0:
            # The descriptor must not be closed under a thread that waits on it: its number could be another file by the time
            # that thread uses it. Shutting down wakes the thread, and the last one out closes.
            try:  # noqa: SIM105 (importing contextlib takes longer than all that this file does)
                self.sock.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
        self.guard.notify()

    def wait(self, done: Callable[[], bool], deadline: float | None, also: Sequence[int] = ()) -> bool:
        """Move bytes until `done` or until the deadline; return whether it is done.

        One thread at a time reads; the others wait for what it brings about, or for room to write. `also` are more descriptors
        that may become readable. Who gives any learns only with an `Alarm` among them what other threads brought about.
        """
        guard, connection = self.guard, self.connection
        expired, left = False, None
        try:
            while True:
                with guard.lock:
                    self.write()
                    if done():
                        return True
                    if expired:
                        return False
                    if deadline is not None:
                        left = max(0.0, deadline - time.monotonic())
                        expired = left == 0.0  # even with no time at all what is there is taken
                    reading = not (self._someone_reads or connection.closed)
                    writing = connection.outbox.size > 0
                    if reading:
                        self._someone_reads = True
                    elif not writing and not also:
                        guard.wait(left)
                        continue
                    self._waiting += 1
                if guard.closed_keys:
                    guard.settle()
                if self._sleep(done, reading, writing, left, also):
                    return True
        finally:
            if guard.closed_keys:
                guard.settle()

    def _sleep(
        self, done: Callable[[], bool], reading: bool, writing: bool, left: float | None, also: Sequence[int]
    ) -> bool:
        """Wait without the lock until something can be moved; take in what can be read; return whether that was enough."""
        guard, connection = self.guard, self.connection
        received = None
        blindly = reading and not writing and left is None and not also
        try:
            if not blindly:
                self._poll(reading, writing, left, also)
            if reading:
                received = receive_step(self.sock, wait=blindly)
        except BlockingIOError:
            if blindly:  # somebody made the shared description non-blocking
                self._poll(reading, writing, left, also)
        finally:
            with guard.lock:
                if reading:
                    self._someone_reads = False
                self._waiting -= 1
                if received is not None:
                    feed(connection, received)
                    self.write()
                elif connection.closed:
                    self.shut()
                if guard.waiting and (reading or writing):
                    guard.notify()
                finished = done()
        return finished

    def _poll(self, reading: bool, writing: bool, left: float | None, also: Sequence[int]) -> None:
        poll = select.poll()
        if writing and self._short:
            writing = False
            left = RETRY if left is None else min(left, RETRY)
        if reading or writing:
            mask = (select.POLLIN if reading else 0) | (select.POLLOUT if writing else 0)
            poll.register(self.sock.fileno(), mask)
        for fd in also:
            poll.register(fd, select.POLLIN)
        poll.poll(None if left is None else math.ceil(left * 1000))


class Guard:
    """The lock of a channel, and the sockets that were closed while somebody held it.

    Attributes:
        lock: not reentrant, so that a socket which is collected while the lock is held cannot come in between.
        waiting: how many threads wait for another one to `notify` them.
        alarms: those of the threads that wait on descriptors meanwhile.
        closed_keys: the keys of those sockets; whoever held the lock and finds any must `settle` them after releasing it.
    """

    __slots__ = ("_connection", "_progress", "_sock", "alarms", "closed_keys", "lock", "waiting")

    def __init__(self, connection: Connection, sock: socket.socket) -> None:
        self.lock = allocate_lock()
        # Made for the first thread that waits for another: to import it takes a 40th of the time until a first message.
        self._progress: Condition | None = None
        self.waiting = 0
        self.alarms: list[Alarm] = []
        self.closed_keys: deque[str] = deque()
        self._connection = connection
        self._sock = sock

    def __enter__(self) -> None:
        self.lock.acquire()

    def __exit__(self, kind: object, error: object, trace: object) -> None:
        self.lock.release()
        if self.closed_keys:
            self.settle()

    def wait(self, timeout: float | None) -> None:
        """Let go of the lock until another thread notifies, or for `timeout` seconds."""
        if self._progress is None:
            from threading import Condition

            self._progress = Condition(self.lock)
        self.waiting += 1
        try:
            self._progress.wait(timeout)
        finally:
            self.waiting -= 1

    def notify(self) -> None:
        """Wake the threads that wait, because bytes moved or something was closed; the caller holds the lock."""
        if self._progress is not None:
            self._progress.notify_all()
        for alarm in self.alarms:
            alarm.ring()

    def socket_closed(self, key: str) -> None:
        """A received socket is gone; called from any thread, and from the garbage collector at any moment."""
        self.closed_keys.append(key)
        self.settle()

    def settle(self) -> None:
        """Tell the peer of the sockets that were closed, unless somebody holds the lock."""
        # Whoever holds the lock now comes here after releasing it, so no key is left behind.
        while self.closed_keys and self.lock.acquire(blocking=False):
            try:
                while self.closed_keys:
                    self._connection.socket_closed(self.closed_keys.popleft())
                send_step(self._sock, self._connection)
            finally:
                self.lock.release()


class Alarm:
    """A descriptor that becomes readable when another thread notifies, for one thread that waits on other descriptors too.

    As a context manager it is on; raises `OSError` when there is no descriptor left. `clear` is for the `done` of that thread.
    """

    __slots__ = ("_guard", "_read", "_rung", "_write")

    def __init__(self, guard: Guard) -> None:
        self._guard = guard
        self._rung = False

    def __enter__(self) -> Self:
        self._read, self._write = os.pipe()
        with self._guard:
            self._guard.waiting += 1
            self._guard.alarms.append(self)
        return self

    def __exit__(self, kind: object, error: object, trace: object) -> None:
        with self._guard:
            self._guard.waiting -= 1
            self._guard.alarms.remove(self)
        os.close(self._read)
        os.close(self._write)

    def fileno(self) -> int:
        """Return the descriptor to wait on."""
        return self._read

    # The caller of these holds the lock.

    def ring(self) -> None:
        """Make it readable."""
        if not self._rung:
            self._rung = True
            os.write(self._write, b"!")

    def clear(self) -> None:
        """Make it unreadable, before looking at what may have changed."""
        if self._rung:
            self._rung = False
            os.read(self._read, 1)
