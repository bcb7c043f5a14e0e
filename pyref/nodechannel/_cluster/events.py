"""The events of a cluster, and how its user learns of them."""

from __future__ import annotations

import asyncio
from collections import deque
from contextlib import suppress
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable


class Event(NamedTuple):
    """An event of a cluster.

    Attributes:
        kind: ``fork``, ``online``, ``listening``, ``exit``, ``restart`` or ``error``.
        worker: the number of the worker.
        detail: the process id for ``fork``, the address for ``listening``, the exit status or the name of the signal for
            ``exit``, the delay in seconds for ``restart``, the exception for ``error``.
    """

    kind: str
    worker: int
    detail: Any


class Announcer:
    """Calls `on_event` with each event, in order. An exception of it goes to the event loop's exception handler.

    Without an `on_event`, ``error`` events go there too, so that no error is lost.

    Args:
        on_event: the user's function, if there is one.
    """

    def __init__(self, on_event: Callable[[Event], object] | None) -> None:
        self._on_event = on_event
        self._events: deque[Event] = deque()
        self._calling = False

    def tell(self, kind: str, worker: int, detail: object) -> None:
        """Call `on_event` now, after the events that wait."""
        self._events.append(Event(kind, worker, detail))
        self.flush()

    def tell_soon(self, kind: str, worker: int, detail: object) -> None:
        """Call `on_event` in the next turn of the event loop.

        For events inside a read: the user's function may close the channel, which must not happen in the middle of a read.
        """
        self._events.append(Event(kind, worker, detail))
        asyncio.get_running_loop().call_soon(self.flush)

    def flush(self) -> None:
        """Call `on_event` with the events that wait."""
        if self._calling:  # `on_event` itself caused an event; the loop below comes to it
            return
        self._calling = True
        try:
            while self._events:
                self._call(self._events.popleft())
        finally:
            self._calling = False

    def _call(self, event: Event) -> None:
        if self._on_event is None:
            if event.kind == "error":
                report(f"worker {event.worker} of a cluster", event.detail)
            return
        try:
            self._on_event(event)
        except Exception as error:
            report(f"on_event raised for the event {event.kind!r} of worker {event.worker}", error)


def report(message: str, error: BaseException) -> None:
    """Pass an exception to the event loop's exception handler, which logs it if the program set no other."""
    # The handler may fail as well, for example when the stream of the logger is closed. There is no further place to report to.
    with suppress(Exception):
        asyncio.get_running_loop().call_exception_handler({"message": message, "exception": error})
