"""What a primary asks of its process: sockets, time, and reports of what its workers do."""

from __future__ import annotations

import errno
from collections.abc import Callable

from nodechannel._cluster.events import Announcer
from nodechannel._cluster.listening import Sockets
from nodechannel._cluster.messages import UNIX, Query
from nodechannel._cluster.primary import Place, PrimaryProtocol, WorkerLink


class ClusterHost:
    """The process of a primary, as its protocol sees it.

    Args:
        sockets: the sockets of the places.
        announcer: takes the events.
        note_listening: called with the number of a worker and a place where it listens; returns whether that is news.

    Attributes:
        primary: the protocol, which has the host in turn.
        stopping: whether no socket is created any more.
    """

    primary: PrimaryProtocol

    def __init__(
        self, sockets: Sockets, announcer: Announcer, note_listening: Callable[[int, Query], bool]
    ) -> None:
        self._sockets = sockets
        self._announcer = announcer
        self._note_listening = note_listening
        self.stopping = False

    def later(self, delay: float, function: Callable[[], None]) -> object:
        """Call a function after `delay` seconds."""
        return self._sockets.later(delay, function)

    def open(self, place: Place) -> None:
        """Create the socket of a place."""
        if self.stopping:
            self.primary.failed(place, -errno.ECANCELED)
        else:
            self._sockets.open(place, self.primary)

    def close(self, place: Place) -> None:
        """Close the socket of a place."""
        self._sockets.close(place)

    def online(self, link: WorkerLink) -> None:
        """Report that a worker has started."""
        self._announcer.tell_soon("online", link.id, None)

    def listening(self, link: WorkerLink, query: Query) -> None:
        """Report that a worker listens."""
        if self._note_listening(link.id, query):
            place = query.address if query.address_type == UNIX else f"{query.address or '*'}:{query.port}"
            self._announcer.tell_soon("listening", link.id, place)

    def fault(self, link: WorkerLink, error: Exception) -> None:
        """Report an exception that a message of a worker caused in this process."""
        self._announcer.tell_soon("error", link.id, error)
