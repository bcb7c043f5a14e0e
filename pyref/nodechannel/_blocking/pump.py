"""Moving the bytes of a channel for any number of threads, any of which may be interrupted at any instruction.

A signal handler and a finalizer run between two instructions of the thread that they interrupt. They may call the channel while a call of
their own thread is unfinished beneath them, and they may raise. Three rules make both harmless:

1. *A change of the connection is an intent in a queue.* The thread that has the lock carries the intents out, each as one transaction
   of the connection. A handler whose own thread has the lock only leaves its intent: the frame beneath carries it out.
2. *A call within a call never waits.* `send` leaves the rest to the frame beneath, and a call that has to wait for an answer raises
   `ReentrantCall`. Therefore bytes are never read out of turn.
3. *The hold of a thread is a lock in a `with` statement, which the interpreter releases however the frame ends.* The reader's place
   belongs to a thread as long as the lock of its `Sleeper` is locked; no state has to be reset.
"""

from __future__ import annotations

import time
from collections import deque

from nodechannel._core.delivery import Delivery, DeliveryState
from nodechannel._io.steps import SHORTAGE_RETRY, UNTIL_SHORTAGE, receive_step, send_now, send_step
from nodechannel._transport.bell import Bell
from nodechannel._transport.native import RLock, allocate_lock, get_ident
from nodechannel.errors import ChannelClosed, ChannelError, ReentrantCall

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from nodechannel._core.connection import Connection
    from nodechannel._core.outgoing import Outgoing
    from nodechannel._transport.readiness import Readiness
    from nodechannel._transport.seam import Transport

# How often, in seconds, a thread that waits for another to read looks whether that still does. An exception of a signal
# handler may end a reader before it can tell the rest.
LOOK_AGAIN = 1.0

# The limit of a read after which a frame beneath looks again at once.
_AT_ONCE = 1e-6


class Intent:
    """The change that a thread wants of the connection.

    Attributes:
        failure: why it could not be done; an error without a change.
        done: whether it was tried.
    """

    __slots__ = ("_action", "_delivery", "_handle", "done", "failure")

    def __init__(
        self, action: Callable[[], object], delivery: Delivery | None = None, handle: Outgoing | None = None
    ) -> None:
        self._action = action
        self._handle = handle
        self._delivery = delivery
        self.failure: Exception | None = None
        self.done = False

    def carry_out(self) -> None:
        """Do it."""
        self._action()
        self.done = True

    def fail(self, error: Exception) -> None:
        """Keep an error for the thread that wants it, and for the delivery where that thread did not wait."""
        self.failure = error
        if self._delivery is not None:
            self._delivery.state = DeliveryState.ABANDONED
            if self._handle is not None:
                self._handle.return_to(self._delivery)
        self.done = True


class Sleeper:
    """A thread inside `Pump.wait`.

    Attributes:
        alive: locked as long as the thread is inside.
        reads: whether it has the reader's place.
        writes: whether it waits for room to write.
        alone: whether it waits for bytes alone to read.
        on_descriptor: whether it may be within a system call on the channel's descriptor.
        pipe: readable when the thread was woken, for a thread that waits on more descriptors than the channel's own.
    """

    reads = writes = alone = on_descriptor = False
    pipe: Bell | None = None

    def __init__(self) -> None:
        self.alive = allocate_lock()
        self._bell = allocate_lock()

    def open_pipe(self) -> int:
        """Return the descriptor that becomes readable when the thread is woken."""
        self.pipe = Bell()
        return self.pipe.fileno()

    def close_pipe(self) -> None:
        """Close the pipe if there is one."""
        if self.pipe is not None:
            self.pipe.close()

    # The caller of these has the lock of the pump.

    def ring(self) -> None:
        """Wake the thread, or keep it from falling asleep."""
        if self.pipe is not None:
            self.pipe.ring()
        elif self._bell.locked():
            self._bell.release()

    def clear(self) -> None:
        """Forget that it was woken, before looking at the changes."""
        if self.pipe is None:
            self._bell.acquire(blocking=False)
        else:
            self.pipe.clear()

    def sleep(self, seconds: float) -> None:
        """Wait until the thread is woken."""
        self._bell.acquire(timeout=seconds)


class Pump:
    """The way between a connection and its transport.

    Attributes:
        connection: hold `lock` to use it; only `connected`, `closed` and `events` may be read without.
        transport: closed by `_shut` and `forget` alone.
        lock: never held while waiting.
        intents: the actions for the thread that has the lock.
        ended: called when the transport is closed.
        readiness: the descriptor for selectors, once one was asked for.
    """

    __slots__ = (
        "_limit",
        "_short",
        "_sleepers",
        "_spare",
        "connection",
        "ended",
        "intents",
        "lock",
        "readiness",
        "transport",
    )

    def __init__(self, connection: Connection, transport: Transport) -> None:
        self.connection = connection
        self.transport = transport
        self.lock = RLock()
        self.intents: deque[Intent] = deque()
        self.ended: Callable[[], object] = bool
        self.readiness: Readiness | None = None
        # To make a sleeper takes half as long as the rest of a small message.
        self._spare: deque[Sleeper] = deque()
        connection.on_socket_closed = self._socket_closed
        # The threads inside `wait`, by their number. A thread whose `alive` is not locked was ended by an exception before it left.
        self._sleepers: dict[int, Sleeper] = {}
        # The last write failed with ENOBUFS, ENOMEM or ETOOMANYREFS. poll cannot report recovery, so retry after `SHORTAGE_RETRY`.
        self._short = False
        # How many seconds a read may sleep.
        self._limit: float | None = None

    @property
    def entered(self) -> bool:
        """Whether the caller interrupts another call of this pump in the same thread."""
        return self._has_entered(get_ident())

    def _has_entered(self, thread: int) -> bool:
        if self.lock._is_owned():
            return True
        beneath = self._sleepers.get(thread)
        return beneath is not None and beneath.alive.locked()

    def send(self, frames: bytes, handle: Outgoing | None = None) -> Delivery:
        """Write frames as far as the kernel takes them, and queue the rest; with a handle queue them. Raises the errors of `queue`."""
        if handle is None and not self.lock._is_owned():
            # A line for each `with`: so no trace event comes between its body and the release of the lock.
            with self.lock: delivery = self._send_now(frames)  # fmt: skip  # noqa: E701
            if self.intents:
                self.carry_out()
            if delivery is not None:
                return delivery
        if not self.connection.connected:
            raise ChannelClosed("send")
        delivery = Delivery()
        if handle is not None and self.lock._is_owned():
            handle.take()  # now: the caller may close it before the frame beneath queues it
        self.act(lambda: self.connection.queue(frames, handle, delivery), delivery, handle)
        return delivery

    def act(
        self, action: Callable[[], object], delivery: Delivery | None = None, handle: Outgoing | None = None
    ) -> bool:
        """Change the connection and write the results; return whether it is done, which it is not if a frame beneath is to do it.

        An error of the action is raised; where a frame beneath meets it, it makes the delivery abandoned.
        """
        intent = Intent(action, delivery, handle)
        self.intents.append(intent)
        self.carry_out()
        if intent.failure is not None:
            try:
                raise intent.failure
            finally:  # its traceback keeps this frame, and the frame the intent
                intent.failure = None
        return intent.done

    def carry_out(self) -> None:
        """Carry out the intents, unless a frame beneath does."""
        while self.intents and not self.lock._is_owned():
            with self.lock: self._work()  # fmt: skip  # noqa: E701

    def rouse(self) -> None:
        """Have the threads that wait look again, after a change of the connection in one step."""
        self.act(bool)

    def close(self) -> None:
        """End the channel now."""
        self.act(self.connection.close)

    def forget(self) -> None:
        """Drop this process's copy of the descriptor after a fork."""
        # Threads that do not exist here may have held the lock, and may have been in the midst of a change.
        self.lock = RLock()
        self.intents.clear()
        self._sleepers.clear()
        self.connection.recover()
        self.connection.close()
        if self.readiness is not None:
            self.readiness.close()
        self.transport.close()

    def wait(
        self, done: Callable[[], bool], deadline: float | None, also: Sequence[int] | None = None
    ) -> bool:
        """Move bytes until `done` or until the deadline; return whether it is done.

        A single thread at a time reads; the rest wait for its results, or for room to write. `also` are more descriptors that
        may become readable; where it is given, even empty, `done` may depend on the acts of other threads.
        Raises `ReentrantCall` within another call of the same thread, unless it is done at once.
        """
        me = get_ident()
        if (self._sleepers or self.lock._is_owned()) and self._has_entered(me):
            self.carry_out()
            if done():
                return True
            raise ReentrantCall
        try:
            sleeper = self._spare.pop()
        except IndexError:
            sleeper = Sleeper()
        try:
            with sleeper.alive: return self._wait(sleeper, me, done, deadline, also)  # fmt: skip  # noqa: E701
        finally:
            self._leave(sleeper, me)

    def _wait(
        self,
        sleeper: Sleeper,
        me: int,
        done: Callable[[], bool],
        deadline: float | None,
        also: Sequence[int] | None,
    ) -> bool:
        self._sleepers[me] = sleeper
        also = () if also is None else (*also, sleeper.open_pipe())
        expired, left = False, None
        while True:
            if deadline is not None:
                left = max(0.0, deadline - time.monotonic())
            with self.lock: finished = self._advance(sleeper, done, left, also)  # fmt: skip  # noqa: E701
            if finished or expired:
                return finished
            if self.intents:  # of a handler that came while this frame had the lock
                continue
            expired = left == 0.0  # even without time, waiting messages are taken
            self._sleep(sleeper, left, also)

    # The caller of these has the lock.

    def _send_now(self, frames: bytes) -> Delivery | None:
        if self.intents or self.connection.unfinished:
            self._carry_out()
        return send_now(self.transport, self.connection, frames)

    def _carry_out(self) -> None:
        connection = self.connection
        if connection.unfinished:
            connection.take_in()
        while self.intents:
            intent = self.intents[0]
            try:
                connection.consume(self.intents, Intent.carry_out)
            except (ChannelError, OSError) as error:
                if not isinstance(error, ChannelError) and error.errno is None:
                    raise  # not of the system: a signal handler raises a TimeoutError of its own
                connection.recover()
                intent.fail(error)
                self.intents.popleft()

    def _work(self, worker: Sleeper | None = None, *, place_is_free: bool = False) -> None:
        """Carry out the intents, write as room allows, and tell the threads for which that may be the end of their wait."""
        connection = self.connection
        moved, connected = connection.unfinished, connection.connected
        self._carry_out()
        queued = connection.outbox.size
        if queued:
            self._short = send_step(self.transport, connection) is UNTIL_SHORTAGE
            moved = moved or connection.outbox.size != queued
        if not connection.connected:
            if connection.ready_to_close:
                connection.attempt(connection.finish)
            if connection.closed:
                self._shut()
        leaving = worker is not None and not worker.alive.locked()
        if leaving and worker is not None and worker.pipe is not None:
            worker.close_pipe()
        if len(self._sleepers) > (worker is not None):
            changed = connection.connected != connected or connection.closed or connection.stopped
            self._wake(worker, others=moved or place_is_free or changed)
        if self.readiness is not None:
            self.readiness.tell(connection.arrived())

    def _advance(
        self, sleeper: Sleeper, done: Callable[[], bool], left: float | None, also: Sequence[int]
    ) -> bool:
        """Do as much as possible, return whether that is enough, and otherwise decide how the thread waits."""
        connection = self.connection
        sleeper.on_descriptor = False
        if len(self._sleepers) > 1 or sleeper.pipe is not None or self.readiness is not None:
            sleeper.clear()
            self._work(sleeper)
        else:
            if connection.inbox:
                connection.take_in()
            elif connection.unfinished:
                self._work(sleeper)
            if self.intents or connection.outbox.size or not connection.connected:
                self._work(sleeper)
        if done():
            return True
        sleeper.reads = not connection.closed and (
            sleeper.reads or len(self._sleepers) == 1 or not self._has_reader()
        )
        sleeper.writes = connection.outbox.size > 0
        sleeper.on_descriptor = sleeper.reads or sleeper.writes
        sleeper.alone = sleeper.reads and not sleeper.writes and not also and left != 0.0
        if sleeper.alone and left != self._limit:
            self._limit_receiving(left)
        return False

    def _has_reader(self) -> bool:
        return any(sleeper.reads and sleeper.alive.locked() for sleeper in list(self._sleepers.values()))

    def _wake(self, worker: Sleeper | None, *, others: bool) -> None:
        """Wake a frame beneath, and with `others` the threads that wait for its results.

        A thread that only queues has no result for others: to wake one for each message would cost a switch of threads each.
        """
        me = get_ident()
        for thread, sleeper in list(self._sleepers.items()):
            if sleeper is worker or not (others or thread == me):
                continue
            if sleeper.pipe is not None or not sleeper.on_descriptor:
                sleeper.ring()
            elif thread == me and sleeper.alone and self.connection.outbox.size and self._limit != _AT_ONCE:
                self._limit_receiving(_AT_ONCE)

    def _shut(self) -> None:
        """Close the transport, or have the last thread close it that waits on it."""
        if self.transport.fileno() < 0:
            return
        sleepers = list(self._sleepers.values())
        if not any(sleeper.on_descriptor and sleeper.alive.locked() for sleeper in sleepers):
            if self.readiness is not None:
                self.readiness.close()
            self.transport.close()
            self.ended()
            return
        # The descriptor must not be closed under a thread that waits on it: its number could be another file by the time
        # that thread uses it. The end wakes the thread, and the last thread closes.
        self.transport.end()

    def _limit_receiving(self, seconds: float | None) -> None:
        """Set how long a read may sleep; a call that a handler interrupts begins again with the new limit."""
        self.transport.limit_receiving(seconds)
        self._limit = seconds

    # The caller of these has not.

    def _sleep(self, sleeper: Sleeper, left: float | None, also: Sequence[int]) -> None:
        """Wait as `_advance` decided, and read the news."""
        if not sleeper.on_descriptor and not also:
            sleeper.sleep(_sooner(left, LOOK_AGAIN))
            return
        try:
            if sleeper.writes or also:
                self._poll(sleeper, left, also)
            if sleeper.reads:
                receive_step(self.transport, self.connection, wait=sleeper.alone)
        except BlockingIOError:
            # The limit is over, a handler has set another one, or another process made the shared description non-blocking.
            if sleeper.alone and not self.transport.sleeps():
                self._poll(sleeper, _sooner(left, LOOK_AGAIN), also)

    def _poll(self, sleeper: Sleeper, left: float | None, also: Sequence[int]) -> None:
        if not sleeper.reads:  # the bytes that another thread reads may end the wait
            left = _sooner(left, LOOK_AGAIN)
        if sleeper.writes and self._short:
            left = _sooner(left, SHORTAGE_RETRY)
        writing = sleeper.writes and not self._short
        self.transport.wait(reading=sleeper.reads, writing=writing, left=left, also=also)

    def _leave(self, sleeper: Sleeper, me: int) -> None:
        """Give the reader's place to another thread, and close the socket if that is due."""
        had_place = sleeper.reads
        sleeper.reads = False
        if self._sleepers.get(me) is sleeper:
            self._sleepers.pop(me, None)
        ended = self.connection.closed and self.transport.fileno() >= 0
        if sleeper.pipe is not None or self._sleepers or self.intents or ended:
            with self.lock: self._work(sleeper, place_is_free=had_place)  # fmt: skip  # noqa: E701
        if self.intents:
            self.carry_out()
        if sleeper.pipe is None and not self._spare:
            self._spare.append(sleeper)

    def _socket_closed(self, key: str) -> None:
        """A received socket is gone; called from any thread, and from the garbage collector at any moment."""
        self.intents.append(Intent(lambda: self.connection.socket_closed(key)))
        if self.lock._is_owned():
            return
        # Never waiting: the thread whose finalizer this is may hold the lock of another channel. The thread that has this one looks at the
        # intents after letting go.
        try:
            if self.lock.acquire(blocking=False):
                self._work()
        finally:
            try:  # noqa: SIM105 (importing contextlib takes longer than all that this file does)
                self.lock.release()
            except RuntimeError:  # another thread has it
                pass


def _sooner(left: float | None, limit: float) -> float:
    return limit if left is None else min(left, limit)
