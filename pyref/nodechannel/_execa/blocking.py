"""The blocking front end of execa's IPC methods: the conversation runs in a thread."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import AsyncIterator, Callable, Coroutine, Generator, Iterator, Sequence
from contextlib import contextmanager, suppress
from types import FrameType, TracebackType
from typing import Any, Self

from nodechannel._dialects.background import Background
from nodechannel._execa import aio
from nodechannel.errors import ChannelClosed

# Interrupts the main thread, also in a system call.
_INTERRUPT = signal.SIGINT


class Ipc:
    """execa's IPC methods; see `nodechannel.execa.asyncio.Ipc`. May be used from several threads."""

    def __init__(self, make: Coroutine[Any, Any, aio.Ipc]) -> None:
        self._background = Background("nodechannel.execa")
        try:
            self._ipc = self._background.wait(make)
        except BaseException:
            self._background.close()
            raise

    def send_message(self, message: Any, *, strict: bool = False, timeout: float | None = None) -> None:
        """Send a message; a strict one is acknowledged by a listener. Raises the errors of the asyncio method."""
        self._background.wait(self._ipc.send_message(message, strict=strict, timeout=timeout))

    def get_one_message(
        self,
        filter: Callable[[Any], bool] | None = None,  # noqa: A002 (execa's word)
        *,
        timeout: float | None = None,
    ) -> Any:
        """Return the next message that `filter` accepts; raises `ChannelClosed` and `TimeoutError`."""
        return self._background.wait(self._ipc.get_one_message(filter, timeout=timeout))

    def get_each_message(self) -> Generator[Any, None, None]:
        """Yield all messages until the channel ends; leaving the loop does not disconnect."""
        messages = self._ipc.get_each_message()
        with suppress(ChannelClosed):
            try:
                while (message := self._background.wait(_next(messages))) is not _END:
                    yield message
            finally:
                self._background.wait(_close(messages))

    @contextmanager
    def graceful_cancel(self) -> Iterator[None]:
        """Raise `Cancelled` in the block when the parent aborts execa's `cancelSignal`; for the main thread only.

        Raises `RuntimeError` in another thread. SIGINT has its own meaning again after the block.
        """
        if threading.current_thread() is not threading.main_thread():
            raise RuntimeError("only the main thread can be interrupted")
        main = threading.get_ident()
        before = signal.getsignal(_INTERRUPT)
        within = True
        # The exception, from the signal that announces it to the handler; the lock says whether a signal is still sent.
        cancelled: list[BaseException] = []
        sending = threading.Lock()

        def interrupt(number: int, frame: FrameType | None) -> None:
            if cancelled:
                error = cancelled.pop()
                if within:
                    raise error
            elif callable(before):
                before(number, frame)
            elif before == signal.SIG_DFL:
                signal.signal(number, before)
                signal.raise_signal(number)

        async def watch() -> None:
            error = await self._ipc.wait_cancelled()
            with sending:
                if within:
                    cancelled.append(error)
                    signal.pthread_kill(main, _INTERRUPT)

        signal.signal(_INTERRUPT, interrupt)
        watching = self._background.start(watch())
        try:
            try:
                yield
            finally:
                within = False
        finally:
            watching.cancel()
            with sending:
                pass
            while cancelled:  # sent for the block, and now only to be taken
                time.sleep(0.001)
            signal.signal(_INTERRUPT, before)

    def close(self) -> None:
        """Disconnect after all that was sent is written."""
        self._background.close(self._ipc.close())

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


_END = object()


async def _next(messages: AsyncIterator[Any]) -> Any:
    return await anext(messages, _END)


async def _close(messages: Any) -> None:
    await messages.aclose()


def connect(**options: Any) -> Ipc:
    """Adopt the channel of execa, or of any parent; raises `NoChannel`, `BadChannelFd` or `UnsupportedSerialization`."""
    return Ipc(aio.connect(**options))


def fork(script: str | os.PathLike[str], *args: str | os.PathLike[str], **options: Any) -> Ipc:
    """Start a Node script that uses execa's IPC methods; see `nodechannel.fork` for the options."""
    return Ipc(aio.fork(script, *args, **options))


def spawn(argv: Sequence[str | os.PathLike[str]], **options: Any) -> Ipc:
    """Start a command; see `nodechannel.spawn` for the options."""
    return Ipc(aio.spawn(argv, **options))
