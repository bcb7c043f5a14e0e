"""The sockets of a primary: made for places, accepted from under round robin, kept for the workers under the shared policy."""

from __future__ import annotations

import asyncio
import errno
from typing import TYPE_CHECKING

from nodechannel._cluster.places import close_socket, error_number, open_socket, sockname
from nodechannel._handles.fd import OwnedFd

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable

    from nodechannel._cluster.primary import Place, PrimaryProtocol

# Connections that are accepted in one turn of the event loop.
ACCEPTS_A_TURN = 64

# Connections that may wait for a worker here; more of them wait in the kernel.
MOST_WAITING = 1024

# Seconds until accepting goes on after there were too many connections, or too few descriptors.
PAUSE = 0.05

_NO_ROOM = {errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM}


class Sockets:
    """The sockets of all places of one primary."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._sockets: dict[Place, socket.socket] = {}

    def later(self, delay: float, function: Callable[[], None]) -> object:
        """Call a function after so many seconds."""
        return self._loop.call_later(delay, function)

    def open(self, place: Place, primary: PrimaryProtocol) -> None:
        """Make the socket of a place."""
        try:
            sock = open_socket(place.query, listening=not place.shared)
        except OSError as error:
            primary.failed(place, error_number(error))
            return
        self._sockets[place] = sock
        if not place.shared:
            self._loop.add_reader(sock, self._accept, place)
        place.opened(sock.fileno(), sockname(sock))

    def close(self, place: Place) -> None:
        """Close the socket of a place, which may have failed to be made."""
        sock = self._sockets.pop(place, None)
        if sock is not None:
            self._loop.remove_reader(sock)
            close_socket(sock, place.query)

    def drain(self) -> None:
        """Take no new connections: accept those that the kernel has, and close every socket."""
        for place in list(self._sockets):
            while not place.shared and self._accept_one(place):
                pass
            self.close(place)

    def _accept(self, place: Place) -> None:
        for _ in range(ACCEPTS_A_TURN):
            if place.scheduler.waiting >= MOST_WAITING:
                self._pause(place)
                return
            if not self._accept_one(place):
                return

    def _accept_one(self, place: Place) -> bool:
        """Accept a connection; return whether there may be more."""
        sock = self._sockets.get(place)
        if sock is None:  # the place was closed meanwhile
            return False
        try:
            connection = sock.accept()[0]
        except BlockingIOError:
            return False
        except OSError as error:
            if error.errno in _NO_ROOM:
                self._pause(place)
                return False
            return True  # this client has gone; the next one may be there
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
