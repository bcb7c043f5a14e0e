"""The choice of the transport of a channel."""

from __future__ import annotations

import _socket

from nodechannel._transport.system import WINDOWS
from nodechannel.errors import NotOnThisSystem

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from nodechannel._transport.seam import Transport

if not WINDOWS:
    from nodechannel._transport.unix import UnixTransport


def open_transport(sock: Any) -> Transport:
    """Return the transport of a channel: the end at a socket, which it owns from now on, or the given transport itself.

    Raises `NotOnThisSystem` on Windows for a socket: there a channel is a named pipe, as `connect`, `fork` and `spawn` open it.
    """
    if hasattr(sock, "receive_now"):
        given: Transport = sock
        return given
    if WINDOWS:
        raise NotOnThisSystem(
            "a channel over a socket", "let connect(), fork() or spawn() open the named pipe"
        )
    return UnixTransport(_without_timeout(sock))


def _without_timeout(sock: Any) -> _socket.socket:
    """Return a socket whose calls wait as this package says, also under `socket.setdefaulttimeout`, gevent and eventlet."""
    own: _socket.socket = sock if isinstance(sock, _socket.socket) else _socket.socket(fileno=sock.detach())
    if own.gettimeout() is not None:
        own.settimeout(None)
    return own
