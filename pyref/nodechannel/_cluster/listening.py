"""The sockets of a primary: one for each place. Under round robin this process accepts from it, otherwise the workers do."""

from __future__ import annotations

import asyncio
import errno
from typing import TYPE_CHECKING

from nodechannel._cluster.places import close_socket, error_number, open_socket, sockname
from nodechannel._transport.owned import OwnedFd

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable

    from nodechannel._cluster.primary import Place, PrimaryProtocol

# Connections that are accepted in a turn of the event loop.
ACCEPTS_A_TURN = 64

# Accepted connections that may wait for a worker; later connections wait in the kernel. They may take at most a quarter of
# the descriptor table, since the primary needs descriptors to start the worker that they wait for.
MAX_WAITING = 1024
WAITING_SHARE = 4

# Seconds until accepting goes on after too many connections waited, or too few descriptors were left.
PAUSE = 0.05

_NO_ROOM = {errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM}


class Sockets:
    """The sockets of all places of a primary."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._sockets: dict[Place, socket.socket] = {}

    def later(self, delay: float, function: Callable[[], None]) -> object:
        """Call a function after `delay` seconds."""
        return self._loop.call_later(delay, function)

    def open(self, place: Place, primary: PrimaryProtocol) -> None:
        """Create the socket of a place, or report the failure, also for the exception of an odd question."""
        try:
            sock = open_socket(place.query, listening=not place.shared)
            name = sockname(sock)
        except Exception as error:
            primary.failed(place, error_number(error))
            return
        self._sockets[place] = sock
        if not place.shared:
            self._loop.add_reader(sock, self._accept, place)
        place.opened(sock.fileno(), name)

    def close(self, place: Place) -> None:
        """Close the socket of a place; has no effect when it could not be created."""
        sock = self._sockets.pop(place, None)
        if sock is not None:
            self._loop.remove_reader(sock)
            close_socket(sock, place.query)

    def drain(self) -> None:
        """Accept the connections that the kernel has, and close every socket."""
        for place in list(self._sockets):
            while not place.shared and self._accept_one(place):
                pass
            self.close(place)

    def _accept(self, place: Place) -> None:
        room = max_waiting() - sum(one.scheduler.waiting for one in self._sockets)
        if room <= 0:
            self._pause(place)
            return
        for _ in range(min(room, ACCEPTS_A_TURN)):
            if not self._accept_one(place):
                return

    def _accept_one(self, place: Place) -> bool:
        """Accept a connection; return whether there may be more."""
        sock = self._sockets.get(place)
        if sock is None:  # the place has been closed
            return False
        try:
            connection = sock.accept()[0]
        except BlockingIOError:
            return False
        except OSError as error:
            if error.errno in _NO_ROOM:
                self._pause(place)
                return False
            return True  # this client is gone; the next client may be waiting
        connection.setblocking(False)
        place.scheduler.arrived(OwnedFd(connection.detach()))
        return True

    def _pause(self, place: Place) -> None:
        self._loop.remove_reader(self._sockets[place])
        self._loop.call_later(PAUSE, self._go_on, place)

    def _go_on(self, place: Place) -> None:
        sock = self._sockets.get(place)
        if sock is not None:
            self._loop.add_reader(sock, self._accept, place)


def max_waiting() -> int:
    """Return how many accepted connections may wait for a worker."""
    import resource  # which Windows does not have

    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return MAX_WAITING if soft == resource.RLIM_INFINITY else max(1, min(MAX_WAITING, soft // WAITING_SHARE))
