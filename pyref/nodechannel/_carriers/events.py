"""Items that were read and not yet returned, with an error in the place of each item that could not be read."""

from __future__ import annotations

from collections import deque
from typing import Generic, TypeVar

from nodechannel.errors import RemoteError

Item = TypeVar("Item")


class Events(Generic[Item]):
    """A queue of items and errors, in the order of their arrival."""

    __slots__ = ("waiting",)

    def __init__(self) -> None:
        self.waiting: deque[Item | RemoteError] = deque()

    def __len__(self) -> int:
        return len(self.waiting)

    def take(self) -> Item:
        """Return the next item, or raise the error in its place. Raises `IndexError` for an empty queue."""
        event = self.waiting.popleft()
        if not isinstance(event, RemoteError):
            return event
        try:
            raise event
        finally:
            del event  # an error that its own traceback keeps would live until the cyclic collector runs

    def take_many(self) -> list[Item]:
        """Return all items before the next error, at least one; an error that comes first is raised."""
        found = [self.take()]
        while self.waiting and not isinstance(self.waiting[0], RemoteError):
            found.append(self.take())
        return found
