"""What is still to be done, for several threads, each of which may find that its work falls into more."""

import threading
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from channelkit.catalogue.cases import Case
from channelkit.judge.subjects import Description


@dataclass(frozen=True, slots=True)
class Work:
    """Cases for one process of a subject, and how many cases have had to leave it so far because it was not right with them."""

    cases: tuple[Case, ...]
    subject: Description
    left: int = 0


class WorkList:
    """Work that is waiting, and the count of what is under way and may still become more."""

    def __init__(self, work: Iterable[Work]) -> None:
        self._waiting = deque(work)
        self._open = len(self._waiting)
        self._changed = threading.Condition()

    def __len__(self) -> int:
        return len(self._waiting)

    def __iter__(self) -> Iterator[Work]:
        """Work, one after the other, until there can be no more; whoever takes one says what has become of it by :meth:`done`."""
        while (work := self._take()) is not None:
            yield work

    def _take(self) -> Work | None:
        with self._changed:
            # Below zero once work ends that was under way when the list was closed.
            self._changed.wait_for(lambda: self._waiting or self._open <= 0)
            return self._waiting.popleft() if self._waiting else None

    def done(self, more: Iterable[Work] = ()) -> None:
        """Somebody is through with one, which has left more to do; that comes first."""
        with self._changed:
            before = len(self._waiting)
            self._waiting.extendleft(more)
            self._open += len(self._waiting) - before - 1
            self._changed.notify_all()

    def close(self) -> None:
        """Lets nobody have any more."""
        with self._changed:
            self._waiting.clear()
            self._open = 0
            self._changed.notify_all()
