"""The asyncio front end: the words of the blocking front end, as coroutines.

`send` does not wait for the kernel: a first message leaves at once, those that follow in the same turn of the event loop leave together. It
waits only while more than `HIGH_WATER` bytes are queued, with a handle also while more than `MOST_HANDLES` wait behind one that is under
way. `flush` and `disconnect` wait until all is written. A cancelled call loses no byte: unsent bytes belong to the channel, and a
message is taken from it only when it is returned. A task that waits for a message goes on in the callback that read it. A channel belongs
to the event loop that made it.
"""

from __future__ import annotations

import asyncio
import math
import os
import socket
import time
from collections import deque
from collections.abc import Callable, Generator, Iterable, Sequence
from contextlib import suppress
from functools import partial
from itertools import repeat
from operator import call
from types import TracebackType
from typing import TYPE_CHECKING, Any, Literal, NoReturn, Self, Unpack, overload

from nodechannel._aio.wakeup import Waiters
from nodechannel._core.connection import HIGH_WATER, MOST_HANDLES
from nodechannel._core.delivery import WRITTEN_AT_ONCE, Delivery, DeliveryState
from nodechannel._core.message import Message, ReceivedMessage
from nodechannel._core.opening import open_connection
from nodechannel._core.options import ChannelOptions, OpenOptions
from nodechannel._core.socketlist import Answer
from nodechannel._handles.outgoing import Sendable, SocketHandle
from nodechannel._handles.types import HandleType
from nodechannel._io.limits import seconds
from nodechannel._io.steps import (
    ALL,
    SHORTAGE_RETRY,
    UNTIL_FULL,
    UNTIL_SHORTAGE,
    receive_step,
    send_now,
    send_step,
    write_rest,
)
from nodechannel._io.wire import traced
from nodechannel._json.given import given
from nodechannel._start.adoption import adopt_with
from nodechannel._start.child import AsyncioChild
from nodechannel._start.ending import GRACE, warn_of_loss
from nodechannel._start.living import keep
from nodechannel._start.options import SpawnOptions
from nodechannel._start.serialization import resolve
from nodechannel._start.spawn import ChannelPair, channel_options, node_command
from nodechannel._transport.bootstrap import start_for_asyncio
from nodechannel._transport.native import allocate_lock
from nodechannel._transport.opening import open_transport
from nodechannel.errors import ChannelClosed, ChannelError, NoChannel, RemoteError, SendTimeout

if TYPE_CHECKING:
    from typing import TypeVar

    from nodechannel._aio.listening import Listener
    from nodechannel._core.socketlist import Questions
    from nodechannel._io.steps import Wrote

    Result = TypeVar("Result")

_ABANDONED = DeliveryState.ABANDONED

# Of a channel that was never changed; shared, because a deque takes as much memory as all else in a channel of asyncio.
_NO_INTENT: deque[Any] = deque(maxlen=0)

# How many handles are left behind the one under way when a `send` that waited for more of them goes on.
MOST_HANDLES_LOW = 64

# Messages that wait for their reader before the channel stops reading, so that a slow reader does not fill the memory; and how many are
# left when it goes on ([FLO-001]).
READ_AHEAD = 1024
READ_AHEAD_LOW = 256

# Handles among them, each of which takes a descriptor.
HANDLES_AHEAD = 16
HANDLES_AHEAD_LOW = 4

# Reads of one message in a turn of the event loop, so that a busy peer does not starve other tasks.
READS_A_TURN = 8


class Channel:
    """An end of a channel.

    Made by `connect`, `fork` and `spawn`, inside a running event loop. As an asynchronous context manager it disconnects at the end of
    the block. Its methods are for the event loop alone: another thread gives them to `loop.call_soon_threadsafe`. A handler of
    `signal.signal` and a finalizer may call `close`, start a task that calls others, or raise. An exception within asyncio's own code can
    cost a task there, which `loop.add_signal_handler` avoids.

    Args:
        sock: the connected stream socket, owned by the channel from now on.
        options: see `OpenOptions`.
    """

    def __init__(self, sock: socket.socket, **options: Unpack[OpenOptions]) -> None:
        serialization = resolve(options)
        self._transport = traced(open_transport(sock), serialization)
        self._connection = open_connection(serialization, options)
        self._events = self._connection.events
        # As in the blocking front end.
        self._arriving = map(deque.popleft, repeat(self._events))
        self._loop = asyncio.get_running_loop()
        self._connection.on_socket_closed = self._socket_closed
        self._waiters = Waiters(self._loop)
        self._listener: Listener | None = None
        # The keys of received sockets that were closed, and whether `_read` is about to look at them.
        self._closed_keys: deque[str] = deque()
        self._closings_awaited = False
        # Locked while the connection changes. A `with` statement releases it however the frame ends; a call that finds it locked comes
        # from a handler that interrupts the change.
        self._hold = allocate_lock()
        # The last change. When an exception of a signal handler cuts it off, it is undone, and then made by `_mend`.
        self._intent: deque[Any] = _NO_INTENT
        next(flushes := self._flushing())
        self._flushes = flushes
        self._flush_scheduled = False
        self._writer_registered = False
        # Whether the next message may leave at once: one for each read or turn, so that answers are quick and floods are joined.
        self._prompt = True
        self._reading = False
        self._read_ahead: float = READ_AHEAD
        self._handles_ahead: float = HANDLES_AHEAD
        # Whether a signal ends the loop over the messages.
        self._ended_by_signals = False
        self._resume_reading()
        self._linger = options.get("linger")
        self._ended = keep(self)

    def __reduce__(self) -> NoReturn:
        raise TypeError("a channel cannot be copied or pickled: it belongs to one process")

    @property
    def connected(self) -> bool:
        """Whether messages can be sent."""
        return self._connection.connected

    @property
    def serialization(self) -> str:
        """How messages become bytes: ``json`` or ``advanced``."""
        return self._connection.mode

    @property
    def pending(self) -> int:
        """How many messages and errors were read already: so many calls of `receive` do not wait."""
        return len(self._events)

    def fileno(self) -> int:
        """Return the channel's descriptor, -1 once it is closed."""
        return self._transport.fileno()

    async def send(
        self,
        message: object,
        handle: Sendable | None = None,
        *,
        keep_open: bool = False,
        key: str | None = None,
        handle_type: HandleType | str | None = None,
        timeout: float | None = None,
    ) -> Delivery:
        """Queue a message, and a socket with it if `handle` is given; wait only while too much is queued.

        The rules of handles in the blocking front end hold here too, but `receive` reports a handle that is refused for good.
        Raises `InvalidMessage`, `InvalidHandle`, `ChannelClosed`, `SendTimeout`. Cancelled or timed out, the message stays queued.
        """
        if handle is None:
            delivery = self._dispatch(self._connection.frame(message))
            if delivery is WRITTEN_AT_ONCE:
                return delivery
        else:
            delivery = self._dispatch_handle(message, SocketHandle(handle, keep_open, key, handle_type))
        connection = self._connection
        many = handle is not None and connection.queued_handles > MOST_HANDLES
        if many or connection.queued_bytes > HIGH_WATER or delivery.state is _ABANDONED:
            await self._have_room(delivery, timeout, MOST_HANDLES_LOW if many else math.inf)
        return delivery

    def send_nowait(
        self,
        message: object,
        handle: Sendable | None = None,
        *,
        keep_open: bool = False,
        key: str | None = None,
        handle_type: HandleType | str | None = None,
    ) -> Delivery:
        """Queue a message as `send` does, and never wait, however much is queued; for callbacks. See `crowded`.

        Raises the errors of `send` but `SendTimeout`.
        """
        if handle is None:
            return self._dispatch(self._connection.frame(message))
        return self._dispatch_handle(message, SocketHandle(handle, keep_open, key, handle_type))

    @property
    def crowded(self) -> bool:
        """Whether so much is queued that `send` waits, and that no callback of `listen` gets another message."""
        return self._connection.crowded

    async def send_json(
        self,
        text: bytes | str,
        handle: Sendable | None = None,
        *,
        trusted: bool = False,
        keep_open: bool = False,
        key: str | None = None,
        handle_type: HandleType | str | None = None,
        timeout: float | None = None,
    ) -> Delivery:
        """Queue a JSON text that exists already, as `send` queues a value; see the blocking `send_json`."""
        message = given(text, trusted=trusted)
        return await self.send(
            message, handle, keep_open=keep_open, key=key, handle_type=handle_type, timeout=timeout
        )

    async def send_many(self, messages: Iterable[object], *, timeout: float | None = None) -> Delivery:
        """Queue many messages at once, at a lower cost than single calls.

        Raises the errors of `send`; after `InvalidMessage` or `ChannelClosed` no message was queued.
        """
        blocks = self._connection.frames(list(messages))
        delivery = [self._dispatch(block) for block in blocks][-1]
        await self._have_room(delivery, timeout)
        return delivery

    def _dispatch(self, frames: bytes) -> Delivery:
        """Write the first frames after a read or a flush at once, and the rest together at the end of the turn of the event loop."""
        if self._prompt and not self._writer_registered:
            self._prompt = False
            try:
                with self._hold:
                    delivery = send_now(self._transport, self._connection, frames)
            except BaseException:
                self._mend()
                raise
            if delivery is WRITTEN_AT_ONCE:
                return delivery
            if delivery is not None:
                self._schedule_flush()
                return delivery
        with self._hold:
            delivery = self._connection.queue(frames)
        self._schedule_flush()
        return delivery

    def _dispatch_handle(self, message: object, handle: SocketHandle) -> Delivery:
        delivery = self._change(partial(self._connection.send, message, handle))
        self._schedule_flush()
        return delivery

    async def _have_room(self, delivery: Delivery, timeout: float | None, handles: float = math.inf) -> None:
        """Wait while too many bytes are queued, or more than so many handles."""
        connection = self._connection

        def roomy() -> bool:
            return connection.queued_bytes <= HIGH_WATER and connection.queued_handles <= handles

        if not roomy() and not await self._wait(roomy, timeout):
            raise SendTimeout(delivery)
        if delivery.state is _ABANDONED and not connection.connected:
            raise ChannelClosed("send")

    def listen(
        self,
        on_message: Callable[[Message], object],
        on_disconnect: Callable[[], object] | None = None,
        *,
        on_error: Callable[[RemoteError], object] | None = None,
    ) -> None:
        """Have each message handed to a function from now on, in the place of a task that waits for it.

        The functions are called in the event loop, in the order of the stream, and answer with `send_nowait`. No message is handed up while
        the channel is `crowded` or after `pause_reading`. `on_disconnect` is called once, when the channel has ended and every message was
        handed up, or when a signal has ended the loop (`end_on_signal`). `on_error` is called with each fault of the peer in its place
        among the messages. Faults without it, and exceptions of the functions, go to the exception handler of the event loop, and the next
        message follows. Raises `RuntimeError` when the channel has a listener.
        """
        from nodechannel._aio.listening import Listener

        self._refuse_second_reader()
        self._listener = Listener(
            self._loop, self._connection, on_message, on_disconnect, on_error, self._read_on
        )
        self._listener.hand_up_soon()
        if self._reading:  # for its callbacks to see the variables of the caller
            self._transport.remove_reader(self._loop)
            self._reading = False
        self._resume_reading()

    def pause_reading(self) -> None:
        """Hand no message to the function of `listen` until `resume_reading`; the peer is held back once some messages wait."""
        self._listening().paused = True

    def resume_reading(self) -> None:
        """Hand up the messages that wait, and go on."""
        listener = self._listening()
        listener.paused = False
        listener.hand_up_soon()

    def _listening(self) -> Listener:
        if self._listener is None:
            raise RuntimeError("the channel has no listener: call `listen` first")
        return self._listener

    def _refuse_second_reader(self) -> None:
        if self._listener is not None:
            raise RuntimeError("the messages of this channel go to the functions of `listen`")

    async def receive(self, timeout: float | None = None) -> Message:
        """Return the next message; raises the errors of the blocking `receive`."""
        if not self._events:
            await self._arrival(timeout)
        event = None
        try:
            for event in self._arriving:
                if not self._reading:
                    self._read_on()
                if isinstance(event, ReceivedMessage):
                    return event
                raise event
        except IndexError:  # a signal has ended the loop since then
            raise ChannelClosed("receive") from None
        except BaseException as error:
            if event is not None and event is not error:  # a signal handler raised it
                self._events.appendleft(event)
            event = None  # an error that its own traceback keeps would live until the cyclic collector runs
            raise
        raise AssertionError("the iterator has no end")

    async def receive_many(self, timeout: float | None = None) -> list[Message]:
        """Return all messages that have been read, at least one; see the blocking `receive_many`."""
        if not self._events:
            await self._arrival(timeout)
        try:
            return self._connection.take_messages()
        except IndexError:  # a signal has ended the loop since then
            raise ChannelClosed("receive") from None
        finally:
            self._read_on()

    async def _arrival(self, timeout: float | None) -> None:
        """Wait until an event is there; raises `ChannelClosed` at the end and `TimeoutError`."""
        self._refuse_second_reader()
        if not await self._wait(self._connection.arrived, timeout):
            raise TimeoutError("no message arrived in time")
        # [LIF-001, LIF-003, LIF-004]
        if not self._events:
            raise ChannelClosed("receive")

    def _read_on(self) -> None:
        """Go on reading once few messages wait for their reader."""
        if len(self._events) <= READ_AHEAD_LOW and self._waiting_handles() <= HANDLES_AHEAD_LOW:
            self._resume_reading()

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Message:
        try:
            return await self.receive()
        except ChannelClosed:
            raise StopAsyncIteration from None

    async def flush(self, timeout: float | None = None) -> None:
        """Wait until all messages are written and all handles acknowledged.

        Raises `ChannelClosed` when the channel ended before, and `TimeoutError`.
        """
        connection = self._connection
        if not await self._wait(lambda: connection.settled or not connection.connected, timeout):
            raise TimeoutError("not everything was delivered in time")
        if not connection.connected:
            raise ChannelClosed("flush")

    async def get_connections(self, key: str, timeout: float | None = None) -> int:
        """Return how many of the sockets that were sent with this `key` are open in the peer; see the blocking front end."""
        return await self._inquire(self._connection.get_connections, self._connection.counts, key, timeout)

    async def wait_all_closed(self, key: str, timeout: float | None = None) -> None:
        """Wait until the peer has closed every socket that was sent with this `key`; see the blocking front end."""
        await self._inquire(self._connection.notify_close, self._connection.closings, key, timeout)

    async def _inquire(
        self, ask: Callable[[str, Answer], None], asked: Questions, key: str, timeout: float | None
    ) -> int:
        """Ask about a key, and wait for the answer."""
        connection, answer = self._connection, Answer()
        try:
            self._change(partial(ask, key, answer))
            self._schedule_flush()
            if not await self._wait(lambda: answer.count is not None or not connection.connected, timeout):
                raise TimeoutError("the peer did not answer in time")
        finally:
            asked.give_up(key, answer)
        # [SLS-004] [SLS-021]
        if answer.count is None:
            raise ChannelClosed("ask")
        return answer.count

    async def disconnect(self, timeout: float | None = None) -> None:
        """End the channel after all messages are delivered; received messages stay readable.

        Has no effect when the channel has ended. Cancelled, it goes on in the background. Raises `TimeoutError` after `timeout`
        seconds; then the channel is closed all the same.
        """
        self._change(self._connection.disconnect)
        self._resume_reading()
        self._flush()
        if not await self._wait(lambda: self._connection.closed, timeout):
            self.close()
            raise TimeoutError("the peer did not take everything in time; the channel was closed")

    # [SEC-004]
    def close(self) -> None:
        """End the channel now: queued and unread messages are dropped. Safe to call again.

        Called by a signal handler amid a change of the channel, it takes effect in the next turn of the event loop.
        """
        if self._hold.locked():
            self._loop.call_soon_threadsafe(self.close)
            return
        self._change(self._connection.close)
        self._after_io()
        self._wake_all_soon()

    def _end_on_signal(self) -> None:
        from nodechannel._start.signals import end_on_signal

        self._ended_by_signals = True
        end_on_signal(self._end_loop_soon)

    def _end_loop_soon(self) -> bool:
        """End the loop over the messages, as a signal asked for; return False if the channel has ended. Callable in a signal handler."""
        if self._connection.closed or self._loop.is_closed():
            return False
        # At once: a task that finds messages waiting takes them without a turn of the event loop.
        self._connection.stop()
        self._events = deque()  # messages that wait are not delivered any more
        self._arriving = map(deque.popleft, repeat(self._events))
        self._loop.call_soon_threadsafe(self._end_loop)
        return True

    def _end_loop(self) -> None:
        self._wake_all_soon()

    def _wake_all_soon(self) -> None:
        self._waiters.wake_all_soon()
        if self._listener is not None:
            self._listener.hand_up_soon()

    def forget(self) -> None:
        """Drop this process's copy of the channel after a fork; the other process goes on with its own, and with the event loop."""
        self._connection.close()
        self._transport.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if error is None:
                await self.disconnect(self._linger)
        finally:
            self._let_go()

    def _let_go(self) -> None:
        """Close the channel, but let the messages from before an error or a cancellation arrive, or before the limit of `linger`."""
        self._change(self._connection.disconnect)
        self._flush()
        if self._connection.closed:
            self.close()
        elif self._linger is not None:
            self._loop.call_later(self._linger, self._give_up)

    def _give_up(self) -> None:
        if not self._connection.closed:
            warn_of_loss(self._connection.queued_bytes)
            self.close()

    def _write_rest(self) -> None:
        """Write the messages that were accepted and not written yet, because the program ends; the caller need not call this."""
        if self._transport.fileno() < 0 or self._connection.settled:
            return
        deadline = None if self._linger is None else time.monotonic() + self._linger
        if not write_rest(self._transport, self._connection, deadline):
            warn_of_loss(self._connection.queued_bytes)

    # Changes, each of which is done as a whole, also when a signal handler raises.

    def _change(self, action: Callable[[], Result]) -> Result:
        """Change the connection."""
        intent: deque[Callable[[], Result]] = deque((action,))
        try:
            with self._hold:
                self._intent = intent
                return self._connection.consume(intent, call)
        except (ChannelError, OSError) as error:
            if not isinstance(error, ChannelError) and error.errno is None:
                self._mend()  # not of the system: a signal handler raises a TimeoutError of its own
            else:
                self._connection.recover()
                intent.clear()
            raise
        except BaseException:
            self._mend()
            raise

    def _mend(self) -> None:
        """Undo a change that an exception of a signal handler cut off; make the change, and go on in the next turn of the event loop."""
        connection = self._connection
        connection.recover()
        if self._intent:
            with suppress(ChannelError, OSError):
                connection.consume(self._intent, call)
            connection.recover()
            self._intent.clear()
        next(flushes := self._flushing())
        self._flushes = flushes
        self._flush_scheduled = False
        if self._transport.fileno() >= 0:
            self._transport.remove_writer(self._loop)
            self._writer_registered = False
        self._loop.call_soon(self._take_up)

    def _take_up(self) -> None:
        """Go on where an exception of a signal handler came."""
        with self._hold:
            self._connection.take_in()
        self._read_on()
        self._flush()

    # Moving bytes.

    def _schedule_flush(self) -> None:
        if not self._flush_scheduled and not self._writer_registered:
            self._loop.call_soon(next, self._flushes, None)
            self._flush_scheduled = True

    def _flushing(self) -> Generator[None, None, None]:
        """Flush at each step: an exception where a step begins is within the `try` statement, which it is not where a function begins."""
        while True:
            try:
                yield
                self._flush()
            except GeneratorExit:
                raise
            except BaseException:
                self._mend()
                raise

    def _flush(self) -> None:
        self._flush_scheduled = False
        self._prompt = True
        try:
            with self._hold:
                if self._transport.fileno() >= 0:
                    self._write()
            # In the next turn: the caller may be a task, in the midst of its work.
            if self._listener is not None and (self._connection.events or self._connection.closed):
                self._listener.hand_up_soon()
            self._waiters.wake()
        except BaseException:
            self._mend()
            raise

    def _write(self) -> None:
        """Write as much as there is room for. The caller has the hold."""
        wrote = send_step(self._transport, self._connection)
        if wrote is not ALL or self._writer_registered:
            self._await_room(wrote)
        if not self._reading and not self._connection.settled:
            self._resume_reading()
        self._after_io()

    def _await_room(self, wrote: Wrote) -> None:
        """Come back when a write that did not go through can go on; stop coming when one did."""
        if wrote is UNTIL_SHORTAGE:
            self._loop.call_later(SHORTAGE_RETRY, next, self._flushes, None)
        full = wrote is UNTIL_FULL
        if self._writer_registered and not full:
            self._transport.remove_writer(self._loop)
        elif full and not self._writer_registered:
            self._transport.add_writer(self._loop, self._flush)
        self._writer_registered = full

    def _socket_closed(self, key: str) -> None:
        """A received socket is gone; called from any thread, and from the garbage collector at any moment."""
        self._closed_keys.append(key)
        if not self._closings_awaited:
            with suppress(RuntimeError):  # the loop is closed, and the channel with it
                self._loop.call_soon_threadsafe(self._report_closed_sockets)

    def _report_closed_sockets(self) -> None:
        """Tell the peer of the sockets that were closed, if it wants to know."""
        while self._closed_keys:
            self._connection.consume(self._closed_keys, self._connection.socket_closed)
        if self._connection.outbox.size:
            self._flush()

    def _read(self) -> None:
        self._prompt = True
        # A task that takes a socket may well close it before it waits again; waking the event loop for that takes as long as taking it.
        self._closings_awaited = True
        try:
            with self._hold:
                if self._transport.fileno() >= 0:  # a handler may have closed it meanwhile
                    self._receive()
            if self._listener is not None:
                self._listener.hand_up()
                if not self._reading:
                    self._read_on()
            self._waiters.wake()
        except BaseException:  # the bytes are in the connection, and no event of the socket will tell
            self._mend()
            raise
        finally:
            self._closings_awaited = False
            if self._closed_keys:
                self._report_closed_sockets()

    def _receive(self) -> None:
        """Read the bytes that are there, and write the answers. The caller has the hold."""
        connection = self._connection
        for _ in range(READS_A_TURN):
            try:
                receive_step(self._transport, connection)
            except BlockingIOError:
                break
            data = connection.inbox[-1][0]
            whole = (data if isinstance(data, int) else len(data)) < self._transport.receive_size
            connection.take_in()
            # Messages are handed up before more is read: many objects at once are slow, for the processor's caches and for Python's
            # collector.
            if self._events or whole or connection.closed:
                break
        if connection.outbox.size:
            self._flush_scheduled = False
            self._write()
        elif not connection.connected or len(connection.events) > self._read_ahead or connection.had_handles:
            self._after_io()

    def _resume_reading(self) -> None:
        if not self._reading and self._transport.fileno() >= 0:
            if self._listener is None:
                self._transport.add_reader(self._loop, self._read)
            else:
                self._listener.context.copy().run(self._transport.add_reader, self._loop, self._read)
            self._reading = True

    def _after_io(self) -> None:
        connection = self._connection
        if not connection.connected:
            if connection.ready_to_close:
                connection.finish()
            if connection.closed:
                self._shut()
        if self._reading and self._sated():
            # [FLO-001]
            self._reading = False
            self._transport.remove_reader(self._loop)

    def _sated(self) -> bool:
        # With anything on its way out reading must go on: the answer may be among it, or the peer may wait for room itself.
        waiting = len(self._connection.events)
        crowded = waiting > self._read_ahead or self._waiting_handles() > self._handles_ahead
        return crowded and self._connection.settled

    def _waiting_handles(self) -> int:
        """Count the handles that wait for their reader."""
        if not self._connection.had_handles:
            return 0
        events = self._connection.events
        return sum(isinstance(event, ReceivedMessage) and event.handle is not None for event in events)

    def _shut(self) -> None:
        if self._transport.fileno() < 0:
            return
        self._transport.remove_reader(self._loop)
        self._transport.remove_writer(self._loop)
        self._reading = self._writer_registered = False
        self._ended()
        if self._ended_by_signals:
            from nodechannel._start.signals import forget

            forget(self._end_loop_soon)
        # [LIF-013]
        self._transport.close()

    async def _wait(self, done: Callable[[], bool], timeout: float | None) -> bool:
        """Wait until `done` or until `timeout` seconds passed; return whether it is done."""
        limit = seconds(timeout)
        if limit is None:
            while not done():
                await self._waiters.until(done)
            return True
        try:
            async with asyncio.timeout(limit):
                while not done():
                    await self._waiters.until(done)
        except TimeoutError:
            return done()
        return True


class ChildProcess(Channel, AsyncioChild):
    """The parent's end of a channel, and the child process behind it.

    As an asynchronous context manager it disconnects, waits for the child to end, and ends it with SIGTERM and at last SIGKILL if it
    does not.

    Attributes:
        process: the process, with its standard streams.
    """

    def __init__(
        self, sock: socket.socket, process: asyncio.subprocess.Process, **options: Unpack[OpenOptions]
    ) -> None:
        super().__init__(sock, **options)
        self.process = process
        # Whether `wait` is to end the channel when the loop is to end.
        self._ending = False

    async def wait(self, timeout: float | None = None) -> int:
        """Wait for the child to end; return its exit status, or the negative number of the signal that ended it.

        Messages that arrive meanwhile are kept for `receive`, however many, so that a child which writes them can end.
        Raises `TimeoutError`.
        """
        self._read_ahead = self._handles_ahead = math.inf
        self._resume_reading()
        self._ending = True
        if self._connection.stopped:
            self._disconnect_soon()
        try:
            async with asyncio.timeout(seconds(timeout)):
                # [LIF-021, LIF-022]
                return await self.process.wait()
        finally:
            self._ending = False
            self._read_ahead, self._handles_ahead = READ_AHEAD, HANDLES_AHEAD

    def _end_loop(self) -> None:
        super()._end_loop()
        if self._ending:  # there is no loop but `wait`, which ends when the child does
            self._disconnect_soon()

    def _disconnect_soon(self) -> None:
        self._connection.disconnect()
        self._schedule_flush()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            await super().__aexit__(kind, error, trace)
        finally:
            await self._end_process(GRACE if error is None else 0.0)


@overload
async def connect(
    *,
    optional: Literal[False] = ...,
    lifeline: bool = ...,
    end_on_signal: bool = ...,
    **options: Unpack[ChannelOptions],
) -> Channel: ...


@overload
async def connect(
    *,
    optional: bool,
    lifeline: bool = ...,
    end_on_signal: bool = ...,
    **options: Unpack[ChannelOptions],
) -> Channel | None: ...


async def connect(
    *,
    optional: bool = False,
    lifeline: bool = False,
    end_on_signal: bool = False,
    **options: Unpack[ChannelOptions],
) -> Channel | None:
    """Adopt the channel that the parent opened for this process; see the blocking `connect`."""
    try:
        sock, serialization = adopt_with(lifeline=lifeline, end_on_signal=end_on_signal)
    except NoChannel:
        if optional:
            return None
        raise
    channel = Channel(sock, serialization=serialization, **options)
    if end_on_signal:
        channel._end_on_signal()
    return channel


async def spawn(argv: Sequence[str | os.PathLike[str]], **options: Unpack[SpawnOptions]) -> ChildProcess:
    """Start any command with a channel; see the blocking `spawn`."""
    with ChannelPair() as pair:
        process = await start_for_asyncio(pair.command(argv, options), pair.popen_options(options))
        try:
            pair.met(process.pid)
            if pair.mark is not None:
                await asyncio.to_thread(pair.follow, process.pid)
        except BaseException:
            with suppress(ProcessLookupError):
                process.kill()
            await process.wait()
            raise
    child = ChildProcess(pair.parent, process, **channel_options(options))
    if options.get("end_on_signal"):
        child._end_on_signal()
    return child


async def fork(
    script: str | os.PathLike[str],
    *args: str | os.PathLike[str],
    exec_path: str | os.PathLike[str] | None = None,
    exec_argv: Sequence[str] = (),
    **options: Unpack[SpawnOptions],
) -> ChildProcess:
    """Start a Node script with a channel; see the blocking `fork`."""
    return await spawn(node_command(script, args, exec_path, exec_argv), **options)
