"""The work that is left, for several threads. A thread may split its piece of work into new pieces."""

import threading
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from channelkit.catalogue.cases import Case
from channelkit.judge.subjects import Description


@dataclass(frozen=True, slots=True)
class Work:
    """Cases for a process of a subject. ``left`` counts the cases that left the batch because the process failed with them."""

    cases: tuple[Case, ...]
    subject: Description
    left: int = 0


class WorkList:
    """Work that waits, and the count of pieces that wait or are under way."""

    def __init__(self, work: Iterable[Work]) -> None:
        self._waiting = deque(work)
        self._open = len(self._waiting)
        self._changed = threading.Condition()

    def __len__(self) -> int:
        return len(self._waiting)

    def __iter__(self) -> Iterator[Work]:
        """Pieces of work, until there can be no more. The thread that takes a piece reports its end by :meth:`done`."""
        while (work := self._take()) is not None:
            yield work

    def _take(self) -> Work | None:
        with self._changed:
            # Below zero once work ends that was under way when the list was closed.
            self._changed.wait_for(lambda: self._waiting or self._open <= 0)
            return self._waiting.popleft() if self._waiting else None

    def done(self, more: Iterable[Work] = ()) -> None:
        """A thread has finished its piece. ``more`` are the pieces that it split off; these come first."""
        with self._changed:
            before = len(self._waiting)
            self._waiting.extendleft(more)
            self._open += len(self._waiting) - before - 1
            self._changed.notify_all()

    def close(self) -> None:
        """No thread gets a further piece."""
        with self._changed:
            self._waiting.clear()
            self._open = 0
            self._changed.notify_all()
