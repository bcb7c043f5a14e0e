"""Tasks that go on in the very callback that ends their wait.

A future schedules its task for the next turn of the event loop, and that turn begins with asking the kernel for news. For the answer to a
small message this takes as long as reading it.
"""

from __future__ import annotations

import asyncio

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Generator
    from contextvars import Context


class Waiters:
    """The tasks that wait, each for its condition.

    Args:
        loop: the event loop of the tasks.
    """

    __slots__ = ("_loop", "_waiting")

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._waiting: list[Wakeup] = []

    def until(self, done: Callable[[], bool]) -> Wakeup:
        """Return the object that a task awaits, at once, to go on when it is done.

        Another task may have gone on before and undone it, so the task must look again.
        """
        return Wakeup(self._loop, self._waiting, done)

    def wake(self) -> None:
        """Let the tasks go on that are done waiting: one of them on the spot, the others in the next turn of the event loop.

        To be called last of all: the task may do anything before this returns. Within a task no other can run, so that all of them go on
        in the next turn then.
        """
        waiting = self._waiting
        if not waiting:
            return
        first = None
        for wakeup in tuple(waiting):
            if wakeup.done():
                if first is None and asyncio.current_task(self._loop) is None:
                    first = wakeup
                else:
                    self._loop.call_soon(wakeup.go_on)
        if first is not None:
            first.go_on()

    def wake_all_soon(self) -> None:
        """Let all tasks go on in the next turn of the event loop, done or not."""
        for wakeup in tuple(self._waiting):
            self._loop.call_soon(wakeup.go_on)


class Wakeup:
    """The object that a task awaits, as asyncio demands it of a foreign future.

    Args:
        loop: the event loop of the task.
        waiting: where this is listed until it is over.
        done: tells whether there is anything to go on for.
    """

    __slots__ = (
        "_asyncio_future_blocking",
        "_callback",
        "_cancelled",
        "_context",
        "_loop",
        "_waiting",
        "done",
    )

    _context: Context

    def __init__(
        self, loop: asyncio.AbstractEventLoop, waiting: list[Wakeup], done: Callable[[], bool]
    ) -> None:
        self.done: Callable[[], bool] = done
        self._asyncio_future_blocking = False
        self._loop = loop
        self._waiting = waiting
        self._callback: Callable[[Wakeup], object] | None = None
        self._cancelled: asyncio.CancelledError | None = None

    def go_on(self) -> None:
        """Run the task until it awaits something again; has no effect when it went on before."""
        # The task itself notes that it went on: an exception of a signal handler before that leaves it waiting.
        if self._callback is not None:
            self._context.run(self._callback, self)

    # The interface for the task.

    def __await__(self) -> Generator[Wakeup, None, None]:
        try:
            self._waiting.append(self)
            self._asyncio_future_blocking = True
            yield self
        finally:
            self._callback = None
            if self in self._waiting:
                self._waiting.remove(self)

    def get_loop(self) -> asyncio.AbstractEventLoop:
        """Return the event loop of the task."""
        return self._loop

    def add_done_callback(self, callback: Callable[[Wakeup], object], *, context: Context) -> None:
        """Take the function that lets the task go on, soon if a signal handler has ended its wait since the task looked."""
        self._callback = callback
        self._context = context
        if self.done():
            self._loop.call_soon(self.go_on)

    def cancel(self, msg: object = None) -> bool:
        """Let the task go on in the next turn with a `CancelledError`; return whether there is one."""
        if self._callback is None:
            return False
        self._cancelled = asyncio.CancelledError() if msg is None else asyncio.CancelledError(msg)
        self._loop.call_soon(self.go_on)
        return True

    def result(self) -> None:
        """Return; raises the `CancelledError` of `cancel`."""
        self._callback = None
        if self._cancelled is not None:
            raise self._cancelled
