"""The kind of a descriptor: the handle type that fits it, and whether it fits a given type."""

from __future__ import annotations

import socket

from nodechannel._handles.types import (
    DGRAM_NATIVE,
    DGRAM_SOCKET,
    NET_BOUND_SOCKET,
    NET_SERVER,
    NET_SOCKET,
    HandleType,
)
from nodechannel._transport.system import UNIX_FAMILY
from nodechannel.errors import InvalidHandle

TYPE_CHECKING = False
if TYPE_CHECKING:
    from enum import IntEnum
    from typing import Any

_INET = (socket.AF_INET, socket.AF_INET6)
_STREAM_FAMILIES = (*_INET, UNIX_FAMILY)
_DGRAM_FAMILIES: dict[str | None, int] = {"udp4": socket.AF_INET, "udp6": socket.AF_INET6}
_DGRAM_TYPES = (DGRAM_SOCKET, DGRAM_NATIVE)

# The class below `socket.socket` answers in plain integers and in a tenth of the time.
_type_of = socket.SocketType.type.__get__
_family_of = socket.SocketType.family.__get__


def plain(sock: Any) -> socket.SocketType:
    """Return the system's socket behind a socket: eventlet puts its own object before it."""
    return sock if isinstance(sock, socket.SocketType) else sock.fd


def kind_of(sock: socket.SocketType) -> tuple[HandleType, str | None]:
    """Return the handle type of a socket and, for a datagram socket, its `dgramType`.

    Raises `InvalidHandle` when Node could not use it ([HND-003]).
    """
    sock = plain(sock)
    kind, family = _type_of(sock), _family_of(sock)
    if kind == socket.SOCK_DGRAM and family in _INET:
        return DGRAM_SOCKET, "udp4" if family == socket.AF_INET else "udp6"
    if kind != socket.SOCK_STREAM or family not in _STREAM_FAMILIES:
        raise InvalidHandle(f"Node receives no {_named(kind, family)}")
    if _is_listening(sock):
        return NET_SERVER, None
    if _is_connected(sock):
        return NET_SOCKET, None
    if _is_bound(sock):
        return NET_BOUND_SOCKET, None
    raise InvalidHandle("a stream socket that neither listens nor is connected is unusable for the peer")


def misfit(type_: HandleType, dgram_type: str | None, sock: socket.SocketType) -> str | None:
    """Name the kind of a socket that does not fit its type, None if it fits.

    A connection that has ended on its way here still fits: its reader will see the end.
    """
    sock = plain(sock)
    kind, family = _type_of(sock), _family_of(sock)
    if type_ in _DGRAM_TYPES:
        if (
            kind == socket.SOCK_DGRAM
            and family in _INET
            and family == _DGRAM_FAMILIES.get(dgram_type, family)
        ):
            return None
    elif kind == socket.SOCK_STREAM and family in _STREAM_FAMILIES:
        return _stream_misfit(type_, sock)
    return f"a {_named(kind, family)}"


def _named(kind: int, family: int) -> str:
    return f"socket of type {_name(socket.SocketKind, kind)} and family {_name(socket.AddressFamily, family)}"


def _name(names: type[IntEnum], value: int) -> str:
    """Return the name of a constant; Python has none for many families."""
    return names(value).name if value in names._value2member_map_ else str(value)


def _stream_misfit(type_: HandleType, sock: socket.SocketType) -> str | None:
    if _is_listening(sock):
        unfit = type_ in (NET_SOCKET, NET_BOUND_SOCKET)
        return "a listening socket" if unfit else None
    if type_ in (NET_SERVER, NET_BOUND_SOCKET) and _is_connected(sock):
        return "a connected socket"
    return None


def _is_connected(sock: socket.SocketType) -> bool:
    try:
        sock.getpeername()
    except OSError:
        return False
    return True


def _is_listening(sock: socket.SocketType) -> bool:
    try:
        return bool(sock.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN))
    except OSError:
        # macOS knows the option's name but answers it only from newer releases on.
        return _is_bound(sock) and not _is_connected(sock)


def _is_bound(sock: socket.SocketType) -> bool:
    name = sock.getsockname()
    return bool(name) if sock.family == UNIX_FAMILY else name[1] != 0
