"""Who gets the next connection: the scheduler of one listening socket, without any I/O.

A worker is free from the answer to its question on, and again after each answer to an offer; it has one offer at a time. A connection stays
here until a worker has accepted it, so that neither a refusal nor a worker that dies loses it.
"""

from __future__ import annotations

from collections import deque
from functools import partial

from nodechannel.errors import ChannelClosed

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Protocol

    from nodechannel._handles.fd import OwnedFd

    class Taker(Protocol):
        """A worker, as seen from here."""

        def offer(self, key: str, connection: OwnedFd, answered: Callable[[bool], None]) -> None:
            """Offer a connection; a worker that ends without an answer refuses.

            Raises `ChannelClosed`, or `OSError` when there is no descriptor for a copy.
            """

    Later = Callable[[float, Callable[[], None]], object]


# A worker that refused is asked again after this many seconds, and after twice as many each time, up to the second number.
FIRST_REST = 0.01
LONGEST_REST = 1.0


class RoundRobin:
    """Hands out the connections of one socket.

    Args:
        key: the name of the socket.
        later: calls a function after so many seconds.
    """

    def __init__(self, key: str, later: Later) -> None:
        self._key = key
        self._later = later
        # Free workers in the order in which they became so; all workers with the time that they rest after the next refusal.
        self._free: dict[Taker, None] = {}
        self._rests: dict[Taker, float] = {}
        self._waiting: deque[OwnedFd] = deque()
        self._offered: dict[Taker, OwnedFd] = {}
        self._closed = False

    @property
    def waiting(self) -> int:
        """Connections that no worker has been offered."""
        return len(self._waiting)

    @property
    def unanswered(self) -> int:
        """Connections that were offered and neither accepted nor refused."""
        return len(self._offered)

    def join(self, worker: Taker) -> None:
        """A worker takes connections from now on."""
        self._rests[worker] = FIRST_REST
        if worker not in self._offered:  # it may come back before it answered the last one
            self._set_free(worker)

    def leave(self, worker: Taker) -> None:
        """A worker takes no more; what it was offered it still answers ([CLU-023])."""
        self._rests.pop(worker, None)
        self._free.pop(worker, None)

    def arrived(self, connection: OwnedFd) -> None:
        """There is a new connection, owned from here on."""
        self._waiting.append(connection)
        self._hand_out()

    def close(self) -> None:
        """Drop the connections that nobody was offered, and those that will be refused ([CLU-039])."""
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
        """Leave a worker alone for a while: with nobody else to ask, an offer and its refusal would chase each other ([CLU-022])."""
        if worker in self._rests:
            rest = self._rests[worker]
            self._rests[worker] = min(2 * rest, LONGEST_REST)
            self._later(rest, partial(self._rested, worker))

    def _rested(self, worker: Taker) -> None:
        if worker not in self._offered:
            self._set_free(worker)
