"""The scheduler of a listening socket: it chooses the worker for each connection, without any I/O.

A worker is free once its question is answered, and again after each answer to an offer; it has one offer at a time. A connection stays
here until a worker has accepted it. So neither a refusal nor the death of a worker loses a connection.
"""

from __future__ import annotations

from collections import deque
from functools import partial

from nodechannel.errors import ChannelClosed

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Protocol

    from nodechannel._transport.owned import OwnedFd

    class Taker(Protocol):
        """The scheduler's view of a worker."""

        def offer(self, key: str, connection: OwnedFd, answered: Callable[[bool], None]) -> None:
            """Offer a connection; a worker that ends without an answer counts as a refusal.

            Raises `ChannelClosed`, or `OSError` when there is no descriptor for a copy.
            """

    Later = Callable[[float, Callable[[], None]], object]


# Seconds until a worker that refused gets its next offer. They double with each refusal, up to the second number.
FIRST_REST = 0.01
MAX_REST = 1.0


class RoundRobin:
    """Hands out the connections of a socket.

    Args:
        key: the name of the socket.
        later: calls a function after a number of seconds.
    """

    def __init__(self, key: str, later: Later) -> None:
        self._key = key
        self._later = later
        # The free workers, longest free first; and for each worker the seconds of rest after its next refusal.
        self._free: dict[Taker, None] = {}
        self._rests: dict[Taker, float] = {}
        self._waiting: deque[OwnedFd] = deque()
        self._offered: dict[Taker, OwnedFd] = {}
        self._closed = False

    @property
    def waiting(self) -> int:
        """Number of connections that were offered to no worker yet."""
        return len(self._waiting)

    @property
    def unanswered(self) -> int:
        """Number of connections that were offered and neither accepted nor refused."""
        return len(self._offered)

    def join(self, worker: Taker) -> None:
        """Offer connections to a worker from now on."""
        self._rests[worker] = FIRST_REST
        if worker not in self._offered:  # it may join again before it answered the last offer
            self._set_free(worker)

    def leave(self, worker: Taker) -> None:
        """Offer a worker no further connection; its answer to the last offer still counts ([CLU-023])."""
        self._rests.pop(worker, None)
        self._free.pop(worker, None)

    def arrived(self, connection: OwnedFd) -> None:
        """Take ownership of a new connection."""
        self._waiting.append(connection)
        self._hand_out()

    def close(self) -> None:
        """Close the connections that were not offered yet, and later each connection that is refused ([CLU-039])."""
        self._closed = True
        while self._waiting:
            self._waiting.popleft().close()
        self._free.clear()
        self._rests.clear()

    def _set_free(self, worker: Taker) -> None:
        if worker in self._rests:
            self._free[worker] = None
            self._hand_out()

    def _hand_out(self) -> None:
        while self._waiting and self._free:
            worker = next(iter(self._free))
            del self._free[worker]  # [CLU-018]
            connection = self._waiting.popleft()
            try:
                self._offered[worker] = connection
                # [CLU-038]
                worker.offer(self._key, connection, partial(self._answered, worker))
            except (ChannelClosed, OSError) as error:
                del self._offered[worker]
                self._waiting.appendleft(connection)
                if isinstance(error, OSError):
                    self._rest(worker)

    def _answered(self, worker: Taker, accepted: bool) -> None:
        connection = self._offered.pop(worker, None)
        if connection is None:
            return
        if accepted:
            connection.close()
            if worker in self._rests:
                self._rests[worker] = FIRST_REST
            self._set_free(worker)
            return
        if self._closed:
            connection.close()
            return
        self._waiting.appendleft(connection)  # [CLU-021, CLU-024]
        self._rest(worker)
        self._hand_out()

    def _rest(self, worker: Taker) -> None:
        """Wait before the next offer to a worker, or offers and refusals would follow each other without pause ([CLU-022])."""
        if worker in self._rests:
            rest = self._rests[worker]
            self._rests[worker] = min(2 * rest, MAX_REST)
            self._later(rest, partial(self._rested, worker))

    def _rested(self, worker: Taker) -> None:
        if worker not in self._offered:
            self._set_free(worker)
