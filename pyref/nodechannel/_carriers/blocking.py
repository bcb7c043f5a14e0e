"""The words of receiving for blocking front ends, whose asyncio code runs in a thread of its own."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Coroutine
from types import TracebackType
from typing import Any, Generic, NoReturn, Self, TypeVar

from nodechannel._carriers.inbox import Arrivals
from nodechannel._dialects.background import Background
from nodechannel.errors import ChannelClosed

Item = TypeVar("Item")
Result = TypeVar("Result")


class Front:
    """A blocking front end over an event loop in a thread of its own."""

    def __init__(self, name: str) -> None:
        self._background = Background(name)
        # A forked process has no copy of the thread.
        self._process = os.getpid()

    def __reduce__(self) -> NoReturn:
        raise TypeError(f"a {type(self).__name__} cannot be copied or pickled: it belongs to one process")

    @property
    def _running(self) -> bool:
        return self._process == os.getpid() and not self._background.loop.is_closed()

    def _wait(self, work: Coroutine[Any, Any, Result], doing: str) -> Result:
        if not self._running:
            work.close()
            raise ChannelClosed(doing)
        return self._background.wait(work)

    def _start(self, work: Coroutine[Any, Any, Result]) -> Result:
        """Return the result of the first coroutine; the thread ends if it fails."""
        try:
            return self._background.wait(work)
        except BaseException:
            self._background.close()
            raise


class Closing(Front):
    """A front end over an object of the event loop that a coroutine closes."""

    def __init__(self, name: str, make: Coroutine[Any, Any, Any]) -> None:
        super().__init__(name)
        self._inner: Any = self._start(make)

    def close(self) -> None:
        """Close the connections; a call under way fails. Safe to call again."""
        if self._running:
            self._background.close(self._inner.close())

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


class Receiver(Front, Generic[Item]):
    """The words of receiving."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        # Held while a thread takes items. A signal handler may take some within that.
        self._taking = threading.RLock()

    @property
    def _inbox(self) -> Arrivals:
        raise NotImplementedError

    def _item(self, found: Any) -> Item:
        """Return an item of the event loop as its user sees it."""
        item: Item = found
        return item

    @property
    def pending(self) -> int:
        """The number of items that were read already: so many calls of `receive` do not wait."""
        return len(self._inbox.events)

    def receive(self, timeout: float | None = None) -> Item:
        """Return the next item.

        Raises `ChannelClosed` when no more can arrive and every item was returned, `TimeoutError` after `timeout` seconds, and a
        `RemoteError` for a fault of the peer at this point; later items can still be received.
        """
        return self._item(self._receive(self._inbox.events.take, timeout))

    def receive_many(self, timeout: float | None = None) -> list[Item]:
        """Return all items that have been read, at least one; an error ends the list before it, and the next call raises it."""
        return list(map(self._item, self._receive(self._inbox.events.take_many, timeout)))

    def _receive(self, take: Callable[[], Result], timeout: float | None) -> Result:
        while True:
            try:
                with self._taking:
                    return take()
            except IndexError:  # no message is there, or another thread was quicker
                self._wait(self._inbox.arrival(timeout), "receive")
            finally:
                self._inbox.read_on_soon()

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> Item:
        try:
            return self.receive()
        except ChannelClosed:
            raise StopIteration from None
