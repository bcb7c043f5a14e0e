"""A message from a carrier, and the way back for its answer."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, NamedTuple, Protocol


class Job(NamedTuple):
    """A message that a child is to answer.

    Attributes:
        data: the value for the child.
        answer: called with the child's message; the message is done with when it returns.
        renew: called from time to time while the child works.
    """

    data: Any
    answer: Callable[[Any], Awaitable[object]]
    renew: Callable[[], Awaitable[object]]


class Source(Protocol):
    """Where jobs come from.

    Attributes:
        pace: seconds between two calls of `Job.renew`.
    """

    pace: float

    async def receive(self) -> Job:
        """Return the next job; raises `ChannelClosed` when no more can come, and a `RemoteError` for a message that is none."""

    async def close(self) -> None:
        """End the connections."""


async def nothing() -> None:
    """Renew nothing: the message is gone from its carrier."""
