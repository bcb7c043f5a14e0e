"""The blocking front end.

`send` returns when the kernel has the message, and with a handle when the peer has acknowledged it. While a call waits for anything,
bytes move in both directions, so that two ends that only send cannot block each other. A channel may be used from several threads: any
number of them may send, and they receive in turn.
"""

from __future__ import annotations

import os
import socket
import time
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from itertools import repeat
from types import TracebackType

from nodechannel._blocking.pump import Pump
from nodechannel._core.delivery import WRITTEN_AT_ONCE, Delivery, DeliveryState
from nodechannel._core.message import Message, ReceivedMessage
from nodechannel._core.opening import open_connection
from nodechannel._core.socketlist import Answer
from nodechannel._handles.outgoing import Sendable, SocketHandle
from nodechannel._handles.types import HandleType
from nodechannel._io.limits import seconds
from nodechannel._io.wire import traced
from nodechannel._json.given import given
from nodechannel._lazy import public, subprocess, typing
from nodechannel._start.adoption import adopt_with
from nodechannel._start.child import BlockingChild
from nodechannel._start.ending import GRACE, warn_of_loss
from nodechannel._start.living import keep
from nodechannel._start.serialization import resolve
from nodechannel._start.spawn import ChannelPair, channel_options, node_command
from nodechannel._transport.bootstrap import start
from nodechannel._transport.opening import open_transport
from nodechannel._transport.owned import watch_process
from nodechannel.errors import ChannelClosed, HandleAbandoned, NoChannel, ReentrantCall, SendTimeout

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Container

    from nodechannel._core.socketlist import Questions

_ABANDONED = DeliveryState.ABANDONED

# The state that a call waits for: until the kernel has a message, until the peer has a handle.
_NOT_WRITTEN = (DeliveryState.QUEUED,)
_NOT_ACKNOWLEDGED = (DeliveryState.QUEUED, DeliveryState.WRITTEN)

# How often, in seconds, a child's end is looked for on systems that cannot be asked to tell.
WAIT_STEP = 0.02


class Channel:
    """An end of a channel.

    Made by `connect`, `fork` and `spawn`. As a context manager it disconnects at the end of the block.

    Args:
        sock: the connected stream socket, owned by the channel from now on.
        options: see `OpenOptions`.
    """

    def __init__(self, sock: socket.socket, **options: typing.Unpack[public.OpenOptions]) -> None:
        serialization = resolve(options)
        self._transport = traced(open_transport(sock), serialization)
        self._connection = open_connection(serialization, options)
        self._events = self._connection.events
        # Takes the events in turn. A `for` loop stores each event in the same step, so that no exception of a signal handler comes
        # between: behind a call of `popleft` one could.
        self._arriving = map(deque.popleft, repeat(self._events))
        self._pump = Pump(self._connection, self._transport)
        # With an empty tuple, a thread that waits for a message can be woken by `_end_loop`, which costs a pipe for each wait.
        self._also: tuple[int, ...] | None = None
        self._linger = options.get("linger")
        self._pump.ended = keep(self)

    def __reduce__(self) -> typing.NoReturn:
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
        """Return a descriptor for selectors, -1 once the channel is closed.

        On Linux it is readable as long as `receive` need not wait. Elsewhere it is that of the socket, which does not show messages that
        were read already: there, call `receive` until `pending` is 0 before waiting again. It must not be read.
        """
        if self._connection.closed:
            return -1
        if self._pump.readiness is None:
            self._pump.readiness = self._transport.readiness()
        if self._pump.readiness is None:
            return self._transport.fileno()
        self._pump.readiness.tell(self._connection.arrived())
        return self._pump.readiness.fileno()

    def send(
        self,
        message: object,
        handle: Sendable | None = None,
        *,
        keep_open: bool = False,
        key: str | None = None,
        handle_type: HandleType | str | None = None,
        timeout: float | None = None,
    ) -> Delivery:
        """Send a message, and a socket with it if `handle` is given; return when the kernel has it, or the peer the handle.

        A connected socket is handed over and closed here, unless `keep_open`; listening and datagram sockets are shared and stay open. The
        socket is made non-blocking. Behind a handle that the peer has not acknowledged, a message waits for that acknowledgement.

        Raises `InvalidMessage` or `InvalidHandle` without a change, `ChannelClosed` when it cannot be delivered any more,
        `HandleAbandoned` when the peer refused the handle for good, and `SendTimeout` when `timeout` seconds ran out; what is left
        to do then is done by later calls.
        """
        if handle is None:
            return self._once_written(self._pump.send(self._connection.frame(message)), timeout)
        outgoing = SocketHandle(handle, keep_open, key, handle_type)
        delivery = self._pump.send(self._connection.envelope(message, outgoing), outgoing)
        # Until a handle is acknowledged this process has a copy of it, and this process must read the acknowledgement.
        self._wait_until_sent(delivery, _NOT_ACKNOWLEDGED, timeout)
        return delivery

    def send_json(
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
        """Send a JSON text that exists already, as `send` sends a value.

        The text is read first, and a text that is not JSON raises `InvalidMessage`. With `trusted` the text is sent unread; an invalid
        text ends a Node peer then. Raises the errors of `send`.
        """
        message = given(text, trusted=trusted)
        return self.send(
            message, handle, keep_open=keep_open, key=key, handle_type=handle_type, timeout=timeout
        )

    def send_many(self, messages: Iterable[object], *, timeout: float | None = None) -> Delivery:
        """Send many messages at once, at a lower cost than single calls; return when the kernel has all of them.

        Raises the errors of `send`; after `InvalidMessage` no message was sent.
        """
        blocks = self._connection.frames(list(messages))
        return self._once_written([self._pump.send(block) for block in blocks][-1], timeout)

    def _once_written(self, delivery: Delivery, timeout: float | None) -> Delivery:
        """Return a delivery when the kernel has all of it."""
        if delivery is not WRITTEN_AT_ONCE:
            self._wait_until_sent(delivery, _NOT_WRITTEN, timeout)
        return delivery

    def _wait_until_sent(
        self, delivery: Delivery, unfinished: Container[DeliveryState], timeout: float | None
    ) -> None:
        """Wait until the delivery leaves `unfinished`; raise its error if it failed. A call within another call does not wait."""
        if delivery.state in unfinished and not self._pump.entered:
            done = partial(_has_left, delivery, unfinished)
            if not self._pump.wait(done, deadline_of(timeout)):
                raise SendTimeout(delivery)
        if delivery.refused:
            self._pump.act(lambda: self._connection.withdraw(delivery))
            raise HandleAbandoned(delivery)
        if delivery.state is _ABANDONED and not self._connection.connected:
            raise ChannelClosed("send")

    def receive(self, timeout: float | None = None) -> Message:
        """Return the next message.

        Raises `ChannelClosed` when the channel has ended and every message was returned, `TimeoutError` after `timeout` seconds, and a
        `RemoteError` for a fault of the peer at this point of the stream; later messages can still be received.
        """
        deadline = None if timeout is None else deadline_of(timeout)
        while True:
            event = None
            if not self._events:
                self._await_event(deadline)
            try:
                for event in self._arriving:
                    if self._pump.readiness is not None:
                        self._pump.readiness.tell(bool(self._events))
                    if isinstance(event, ReceivedMessage):
                        return event
                    raise event
            except IndexError:  # another thread was quicker, or a signal has ended the loop
                self._await_event(deadline)
            except BaseException as error:
                if event is not None and event is not error:  # a signal handler raised it
                    self._events.appendleft(event)
                event = (
                    None  # an error that its own traceback keeps would live until the cyclic collector runs
                )
                raise

    def _await_event(self, deadline: float | None) -> None:
        """Wait until an event is there, which another thread may take first."""
        connection = self._connection
        if not self._pump.wait(connection.arrived, deadline, self._also):
            raise TimeoutError("no message arrived in time")
        if connection.stopped or (connection.closed and not self._events):
            if connection.closed:
                self._ignore_signals()
            raise ChannelClosed("receive")

    def receive_many(self, timeout: float | None = None) -> list[Message]:
        """Return all messages that have been read, at least one, at a lower cost than single calls.

        Raises the errors of `receive`: an error ends the list before it, and the next call raises it.
        """
        deadline = deadline_of(timeout)
        while True:
            try:
                messages = self._connection.take_messages()
                if self._pump.readiness is not None:
                    self._pump.readiness.tell(bool(self._events))
                return messages
            except IndexError:
                self._await_event(deadline)

    def __iter__(self) -> typing.Self:
        return self

    def __next__(self) -> Message:
        try:
            return self.receive()
        except ChannelClosed:
            raise StopIteration from None

    def flush(self, timeout: float | None = None) -> None:
        """Wait until all messages are written and all handles acknowledged.

        Raises `ChannelClosed` when the channel ended before, and `TimeoutError`.
        """
        connection = self._connection
        if not self._pump.wait(lambda: connection.settled or not connection.connected, deadline_of(timeout)):
            raise TimeoutError("not everything was delivered in time")
        if not connection.connected:
            raise ChannelClosed("flush")

    def get_connections(self, key: str, timeout: float | None = None) -> int:
        """Return how many of the sockets that were sent with this `key` are open in the peer.

        Raises `ChannelClosed` when the channel ends before the answer, and `TimeoutError`.
        """
        return self._inquire(self._connection.get_connections, self._connection.counts, key, timeout)

    def wait_all_closed(self, key: str, timeout: float | None = None) -> None:
        """Wait until the peer has closed every socket that was sent with this `key`.

        A Node peer that never got one does not answer. Raises `ChannelClosed` when the channel ends before, and `TimeoutError`.
        """
        self._inquire(self._connection.notify_close, self._connection.closings, key, timeout)

    def _inquire(
        self, ask: Callable[[str, Answer], None], asked: Questions, key: str, timeout: float | None
    ) -> int:
        """Ask about a key, and wait for the answer."""
        connection, deadline = self._connection, deadline_of(timeout)
        if self._pump.entered:
            raise ReentrantCall
        answer = Answer()
        try:
            self._pump.act(lambda: ask(key, answer))
            if not self._pump.wait(lambda: answer.count is not None or not connection.connected, deadline):
                raise TimeoutError("the peer did not answer in time")
        finally:
            if answer.count is None:
                self._pump.act(lambda: asked.give_up(key, answer))
        if answer.count is None:
            raise ChannelClosed("ask")
        return answer.count

    def disconnect(self, timeout: float | None = None) -> None:
        """End the channel after all messages are delivered; received messages stay readable.

        Has no effect when the channel has ended. Raises `TimeoutError` after `timeout` seconds; then the channel is closed all the same.
        """
        deadline = deadline_of(timeout)
        self._pump.act(self._connection.disconnect)
        if self._pump.entered:
            return
        if not self._pump.wait(lambda: self._connection.closed, deadline):
            self.close()
            raise TimeoutError("the peer did not take everything in time; the channel was closed")

    def close(self) -> None:
        """End the channel now: queued and unread messages are dropped. Safe to call again."""
        self._pump.close()
        self._ignore_signals()

    def _end_on_signal(self) -> None:
        from nodechannel._start.signals import end_on_signal

        self._also = ()
        end_on_signal(self._end_loop)

    def _end_loop(self) -> bool:
        """End the loop over the messages, as a signal asked for; return False if the channel has ended. Callable in a signal handler."""
        if self._connection.closed:
            return False
        self._connection.stop()
        self._arriving = map(deque.popleft, repeat(deque()))  # messages that wait are not delivered any more
        self._pump.rouse()
        return True

    def _ignore_signals(self) -> None:
        """Give the signals back."""
        if self._also is not None:
            from nodechannel._start.signals import forget

            forget(self._end_loop)

    def forget(self) -> None:
        """Drop this process's copy of the channel after a fork; the process beside it goes on with its own."""
        self._pump.forget()

    def __enter__(self) -> typing.Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is None:
            try:
                self.disconnect(self._linger)
            finally:
                self.close()
        else:
            self._let_go()

    def _let_go(self) -> None:
        """End the channel without waiting; accepted messages that are not written yet follow when the program ends."""
        self._pump.act(self._connection.disconnect)

    def _write_rest(self) -> None:
        """Write the messages that were accepted and not written yet, because the program ends; the caller need not call this."""
        connection = self._connection
        if connection.settled or self._pump.entered:
            return
        if not self._pump.wait(lambda: connection.settled or connection.closed, deadline_of(self._linger)):
            warn_of_loss(connection.queued_bytes)


class ChildProcess(Channel, BlockingChild):
    """The parent's end of a channel, and the child process behind it.

    As a context manager it disconnects, waits for the child to end, and ends it with SIGTERM and at last SIGKILL if it does not.

    Attributes:
        process: the process, with its standard streams.
    """

    def __init__(
        self,
        sock: socket.socket,
        process: subprocess.Popen[typing.Any],
        **options: typing.Unpack[public.OpenOptions],
    ) -> None:
        super().__init__(sock, **options)
        self.process = process
        # Whether `wait` is to end the channel when the loop is to end.
        self._ending = False

    def wait(self, timeout: float | None = None) -> int:
        """Wait for the child to end; return its exit status, or the negative number of the signal that ended it.

        Messages that arrive meanwhile are kept for `receive`, so that a child which writes them can end. Raises `TimeoutError`.
        """
        deadline = deadline_of(timeout)
        self._ending = True
        try:
            if self._connection.stopped:
                self._pump.act(self._connection.disconnect)
            return self._wait(deadline)
        finally:
            self._ending = False

    def _wait(self, deadline: float | None) -> int:
        try:
            watched = watch_process(self.pid)
        except OSError:  # not Linux, or the child has been waited for
            return self._wait_blindly(deadline)
        try:
            if not self._pump.wait(lambda: self.process.poll() is not None, deadline, (watched.fileno(),)):
                raise TimeoutError("the child did not end in time")
        finally:
            watched.close()
        return self.process.wait()

    def _end_loop(self) -> bool:
        ended = super()._end_loop()
        if self._ending:  # there is no loop but `wait`, which ends when the child does
            self._pump.act(self._connection.disconnect)
        return ended

    def _wait_blindly(self, deadline: float | None) -> int:
        """Look for the child's end again and again, where the system cannot tell."""
        while (code := self.process.poll()) is None:
            now = time.monotonic()
            if deadline is not None and now >= deadline:
                raise TimeoutError("the child did not end in time")
            step = now + WAIT_STEP if deadline is None else min(now + WAIT_STEP, deadline)
            if self._pump.wait(lambda: self._connection.closed, step):
                time.sleep(max(0.0, step - time.monotonic()))
        return code

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            super().__exit__(kind, error, trace)
        finally:
            self._end_process(GRACE if error is None else 0.0)
            self._close_streams()
            self.close()

    def _close_streams(self) -> None:
        for stream in (self.process.stdin, self.process.stdout, self.process.stderr):
            if stream is not None:
                stream.close()


def _has_left(delivery: Delivery, unfinished: Container[DeliveryState]) -> bool:
    return delivery.state not in unfinished


def deadline_of(timeout: float | None) -> float | None:
    """Return the moment, on the monotonic clock, when a timeout runs out; None for no limit."""
    left = seconds(timeout)
    return None if left is None else time.monotonic() + left


if TYPE_CHECKING:

    @typing.overload
    def connect(
        *,
        optional: typing.Literal[False] = ...,
        lifeline: bool = ...,
        end_on_signal: bool = ...,
        **options: typing.Unpack[public.ChannelOptions],
    ) -> Channel: ...

    @typing.overload
    def connect(  # noqa: F811 (a linter does not see through `_lazy`)
        *,
        optional: bool,
        lifeline: bool = ...,
        end_on_signal: bool = ...,
        **options: typing.Unpack[public.ChannelOptions],
    ) -> Channel | None: ...


def connect(
    *,
    optional: bool = False,
    lifeline: bool = False,
    end_on_signal: bool = False,
    **options: typing.Unpack[public.ChannelOptions],
) -> Channel | None:
    """Adopt the channel that the parent opened for this process.

    With `optional`, the result is None where the parent opened no channel, so that a program can run alone too.

    With `lifeline`, this process, the wrappers around it and its descendants end when the parent dies, however busy they are; Linux only.
    With `end_on_signal`, the first SIGTERM or SIGINT ends the loop over the messages, and sending goes on until the channel is closed;
    the second signal ends the process.

    The environment variables are removed, so this succeeds once. Raises `NoChannel`, `BadChannelFd` or `UnsupportedSerialization`, for
    the options also `LifelineUnsupported` and `NotMainThread`.
    """
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


def spawn(
    argv: Sequence[str | os.PathLike[str]], **options: typing.Unpack[public.SpawnOptions]
) -> ChildProcess:
    """Start any command with a channel; for the options see `SpawnOptions`.

    Raises `ValueError` for an empty command, the errors of `subprocess.Popen` when it cannot be started, and
    `UnsupportedSerialization`; for the options `lifeline` and `end_on_signal` also `LifelineUnsupported` and `NotMainThread`.
    """
    with ChannelPair() as pair:
        process = start(pair.command(argv, options), pair.popen_options(options))
        try:
            pair.met(process.pid)
            pair.follow(process.pid)
        except BaseException:
            process.kill()
            process.wait()
            raise
    child = ChildProcess(pair.parent, process, **channel_options(options))
    if options.get("end_on_signal"):
        child._end_on_signal()
    return child


def fork(
    script: str | os.PathLike[str],
    *args: str | os.PathLike[str],
    exec_path: str | os.PathLike[str] | None = None,
    exec_argv: Sequence[str] = (),
    **options: typing.Unpack[public.SpawnOptions],
) -> ChildProcess:
    """Start a Node script with a channel, like Node's own `child_process.fork`; for the options see `SpawnOptions`.

    `exec_path` is the Node executable, otherwise found as `find_node` does; `exec_argv` are its own options.
    Raises `NodeNotFound` and the errors of `spawn`.
    """
    return spawn(node_command(script, args, exec_path, exec_argv), **options)
