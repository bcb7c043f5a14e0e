"""The blocking front end: the program does its work, a thread serves PM2."""

from __future__ import annotations

import signal
import sys
import threading
import time
from collections.abc import Callable, Coroutine, Iterator
from concurrent.futures import Executor, Future
from contextlib import contextmanager, suppress
from queue import SimpleQueue
from types import FrameType, TracebackType
from typing import TYPE_CHECKING, Any, Self, Unpack

import nodechannel
from nodechannel import cluster
from nodechannel._core.message import Message
from nodechannel._core.options import ChannelOptions
from nodechannel._dialects.background import Background
from nodechannel._dialects.calls import call, drop
from nodechannel._dialects.remedy import PM2, remedy
from nodechannel._pm2 import messages
from nodechannel._pm2.guard import guard
from nodechannel._pm2.registry import Registry
from nodechannel._pm2.run import answer
from nodechannel.errors import ChannelClosed, RemoteError

if TYPE_CHECKING:
    from nodechannel._pm2.registry import Called

# Seconds between two reports of metrics, as in @pm2/io.
INTERVAL = 1.0

# PM2 stops a program with SIGINT, systems and containers with SIGTERM.
SIGNALS = (signal.SIGINT, signal.SIGTERM)


class App(Registry):
    """A program that PM2 manages. Made by `connect`.

    Actions and topics are called in threads of their own. In the main thread, as a context manager, it takes SIGINT and SIGTERM for a
    wish to end: iteration ends, and so does `wait`.

    Attributes:
        channel: the channel to PM2; in cluster mode a `nodechannel.cluster.Worker`, which listens on shared ports.
    """

    def __init__(self, channel: nodechannel.Channel) -> None:
        super().__init__()
        self.channel = channel
        guard(channel)
        self._stopping = False
        # None is the end, here and in `_stops`: `put` is safe in a signal handler.
        self._inbox: SimpleQueue[Message | None] = SimpleQueue()
        self._stops: SimpleQueue[None] = SimpleQueue()
        self._callbacks: list[Callable[[], object]] = []
        self._handlers: dict[signal.Signals, Any] = {}
        # Made with the first action or topic, before a call can find no free descriptor for it.
        self._calls: Background | None = None
        self.channel.send(messages.version())
        self._threads = [
            threading.Thread(target=target, daemon=True, name="nodechannel.pm2")
            for target in (self._serve, self._stop_when_asked)
        ]
        for thread in self._threads:
            thread.start()

    # Messages to PM2.

    def ready(self) -> None:
        """Say that the program can take work, for `wait_ready`; raises `ChannelClosed`."""
        self.channel.send(messages.READY)

    def configure(self, **options: Any) -> None:
        """Describe this program to PM2's interfaces."""
        self.channel.send(messages.configuration(options))

    def event(self, name: str, **data: Any) -> None:
        """Send an event of the program's own, which PM2's interfaces list by its name."""
        self.channel.send(messages.human_event(name, data))

    def exception(self, error: BaseException, **context: Any) -> None:
        """Report an exception with its traceback."""
        self.channel.send(messages.exception(error, context))

    def publish(self, type: str, data: object) -> None:
        """Send an event to those that listen on PM2's bus; raises `UnsafeForPM2`."""
        self.channel.send(messages.event(type, data))

    def send(self, message: object) -> None:
        """Send a message, which PM2's bus shows as `process:msg`; raises `UnsafeForPM2`."""
        self.channel.send(messages.plain(message))

    # Messages from PM2.

    @property
    def stopping(self) -> bool:
        """Whether PM2 wants this program to end, or PM2 is gone."""
        return self._stopping

    def on_shutdown(self, callback: Callable[[], object]) -> None:
        """Call a function, in a thread of its own, when PM2 wants this program to end."""
        self._callbacks.append(callback)

    def stop(self) -> None:
        """End as if PM2 had asked for it; may be called from a signal handler."""
        self._stops.put(None)

    def wait(self) -> None:
        """Wait until PM2 wants this program to end; messages that arrive are dropped."""
        for _ in self:
            pass

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> Message:
        message = self._inbox.get()
        if message is None:
            self._inbox.put(None)
            raise StopIteration
        return message

    def __enter__(self) -> Self:
        if threading.current_thread() is threading.main_thread():
            for number in SIGNALS:
                self._handlers[number] = signal.signal(number, self._signalled)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if error is not None and isinstance(error, Exception):
                with suppress(ChannelClosed):
                    self.exception(error)
            self.close()
        finally:
            for number, handler in self._handlers.items():
                signal.signal(number, handler)

    def close(self) -> None:
        """Disconnect from PM2 and end the threads; sent messages arrive."""
        self.stop()
        if self._calls is not None and not self._calls.is_current():
            self._calls.close()
        self.channel.__exit__(None, None, None)
        for thread in self._threads:
            if thread is not threading.current_thread():
                thread.join()

    def _signalled(self, _number: int, _frame: FrameType | None) -> None:
        self.stop()

    # The threads.

    def _announce(self, message: dict[str, Any]) -> None:
        self.channel.send(message)

    def _prepare(self) -> None:
        if self._calls is None:
            self._calls = Background("nodechannel.pm2 calls")

    def _stop_when_asked(self) -> None:
        self._stops.get()
        self._stopping = True
        try:
            for callback in self._callbacks:
                with _reported():
                    callback()
        finally:
            self._inbox.put(None)

    def _serve(self) -> None:
        due = time.monotonic() + INTERVAL
        with suppress(ChannelClosed):
            while True:
                with suppress(TimeoutError, RemoteError):
                    self._take(self.channel.receive(max(0.0, due - time.monotonic())))
                if time.monotonic() >= due:
                    due += INTERVAL
                    self._report()
        self.stop()

    def _take(self, message: Message) -> None:
        if message.data == messages.SHUTDOWN:
            self.stop()
        elif called := self._called(message.data):
            self._call(self._answer(called))
        elif subscriber := self._subscriber(message.data):
            self._call(call(subscriber, message.data["data"], emit=drop, executor=_THREADS))
        else:
            self._inbox.put(message)

    def _call(self, work: Coroutine[Any, Any, object]) -> None:
        assert self._calls is not None
        self._calls.start(_told(work))

    async def _answer(self, called: Called) -> None:
        async def send(message: dict[str, Any]) -> None:
            self.channel.send(message)

        with suppress(ChannelClosed):
            await answer(called, send, _THREADS)

    def _report(self) -> None:
        if values := self._metrics.read(self._metric_failed):
            self.channel.send(messages.monitor(values))

    def _metric_failed(self, name: str, error: Exception) -> None:
        self.exception(error, metric=name)


class _Threads(Executor):
    """A thread for each call. Other than those of a pool, they do not keep the program from its end."""

    def submit(self, fn: Callable[..., Any], /, *args: Any, **options: Any) -> Future[Any]:
        """Run a function in a thread; raises `RuntimeError` if the system has none."""
        future: Future[Any] = Future()

        def run() -> None:
            try:
                result = fn(*args, **options)
            except BaseException as error:
                future.set_exception(error)
            else:
                future.set_result(result)

        threading.Thread(target=run, daemon=True, name="nodechannel.pm2 call").start()
        return future


_THREADS = _Threads()


async def _told(work: Coroutine[Any, Any, object]) -> None:
    with _reported():
        await work


@contextmanager
def _reported() -> Iterator[None]:
    """Print an exception of the user's function, as `threading` does at the end of a thread, and go on."""
    try:
        yield
    except Exception:
        threading.excepthook(threading.ExceptHookArgs((*sys.exc_info(), threading.current_thread())))


def connect(**options: Unpack[ChannelOptions]) -> App:
    """Adopt the channel of PM2; in cluster mode as a worker of its cluster.

    Raises `NoChannel`, `BadChannelFd` or `UnsupportedSerialization`.
    """
    if cluster.is_worker():
        return App(cluster.connect(**options))
    with remedy(PM2):
        return App(nodechannel.connect(**options))
