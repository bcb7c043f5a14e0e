"""Callbacks in the place of a task that waits: `Channel.listen`.

A message leaves the queue and reaches its callback in one step, so no exception of a signal handler comes between the two.
"""

from __future__ import annotations

import inspect
from collections import deque
from contextvars import copy_context
from itertools import repeat

from nodechannel.errors import RemoteError

TYPE_CHECKING = False
if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable, Generator, Iterator

    from nodechannel._core.connection import Connection
    from nodechannel._core.message import Message


class Listener:
    """The callbacks of a channel.

    Args:
        loop: the event loop of the channel.
        connection: its connection, whose events go to the callbacks.
        on_message: called with each message.
        on_disconnect: called once, behind all messages.
        on_error: called with each fault of the peer, in its place among the messages.
        read_on: lets the channel read again where few messages wait.

    Attributes:
        context: the variables that the callbacks see, those of the call of `listen`.
        paused: whether messages wait although they could be handed up.
        ended: whether `on_disconnect` was called.
    """

    __slots__ = (
        "_connection",
        "_events",
        "_handing",
        "_loop",
        "_on_disconnect",
        "_on_error",
        "_read_on",
        "_turns",
        "context",
        "ended",
        "paused",
    )

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        connection: Connection,
        on_message: Callable[[Message], object],
        on_disconnect: Callable[[], object] | None,
        on_error: Callable[[RemoteError], object] | None,
        read_on: Callable[[], object],
    ) -> None:
        for callback in (on_message, on_disconnect, on_error):
            if inspect.iscoroutinefunction(callback):
                raise TypeError(
                    "the callbacks of `listen` are plain functions: start a task in one, or use `async for`"
                )
        self._loop = loop
        self._connection = connection
        self._events = connection.events
        self._on_disconnect = on_disconnect
        self._handing: Iterator[object] = self._calls(on_message)
        self._on_error = on_error or self._report
        self._read_on = read_on
        next(turns := self._new_turns())
        self._turns = turns
        self.context = copy_context()
        self.paused = self.ended = False

    def _calls(self, callback: Callable[..., object]) -> Iterator[object]:
        """Return an iterator, each step of which takes an event and calls a function with it."""
        return map(callback, map(deque.popleft, repeat(self._events)))

    def hand_up(self) -> None:
        """Call the callbacks with what has arrived, unless they are paused or have sent more than the peer takes for now."""
        connection, events = self._connection, self._events
        while events and not (self.paused or connection.stopped or connection.crowded):
            faulty = connection.faulty and isinstance(events[0], RemoteError)
            try:
                next(self._calls(self._on_error) if faulty else self._handing)
            except (SystemExit, KeyboardInterrupt):
                raise
            except BaseException as error:
                self._report(error)
        if connection.stopped or (connection.closed and not events):
            self._end()

    def hand_up_soon(self) -> None:
        """Do the same in the next turn of the event loop."""
        self._loop.call_soon(next, self._turns, None, context=self.context)

    def _new_turns(self) -> Generator[None, None, None]:
        """Hand up at each step: an exception of a signal handler where a step begins is within the `try` statement."""
        while True:
            try:
                yield
                self.hand_up()
                self._read_on()
            except GeneratorExit:
                raise
            except BaseException:
                next(turns := self._new_turns())
                self._turns = turns
                self.hand_up_soon()
                raise

    def _end(self) -> None:
        if self.ended:
            return
        self.ended = True
        on_disconnect = self._on_disconnect
        # The functions and the channel refer to each other: they need no collector when this side lets go.
        self._handing, self._on_error, self._on_disconnect, self._read_on = iter(()), self._report, None, bool
        if on_disconnect is not None:
            try:
                on_disconnect()
            except (SystemExit, KeyboardInterrupt):
                raise
            except BaseException as error:
                self._report(error)

    def _report(self, error: BaseException) -> None:
        """Tell the event loop of a callback that failed, or of a fault of the peer that no callback takes."""
        what = "a fault of the peer" if isinstance(error, RemoteError) else "an exception in a callback"
        self._loop.call_exception_handler({"message": f"{what} of a channel", "exception": error})
