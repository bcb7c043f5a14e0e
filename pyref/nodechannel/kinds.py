"""What a descriptor is: the handle type that fits it, and whether it fits the type that somebody gave it."""

from __future__ import annotations

import socket

from nodechannel.errors import InvalidHandle
from nodechannel.messages import HandleType

_INET = (socket.AF_INET, socket.AF_INET6)
_DGRAM_TYPES = (HandleType.DGRAM_SOCKET, HandleType.DGRAM_NATIVE)


def kind_of(fd: int) -> tuple[HandleType, str | None]:
    """Return the handle type of a descriptor and, for a datagram socket, its `dgramType`.

    Raises `InvalidHandle` when Node could make nothing of it ([HND-003]).
    """
    try:
        probe = socket.socket(fileno=fd)
    except OSError as error:
        raise InvalidHandle("the descriptor is not a socket") from error
    try:
        return _kind_of_socket(probe)
    finally:
        probe.detach()


def _kind_of_socket(probe: socket.socket) -> tuple[HandleType, str | None]:
    if probe.type == socket.SOCK_DGRAM and probe.family in _INET:
        return HandleType.DGRAM_SOCKET, "udp4" if probe.family == socket.AF_INET else "udp6"
    if probe.type != socket.SOCK_STREAM or probe.family not in (*_INET, socket.AF_UNIX):
        raise InvalidHandle(f"Node receives no socket of type {probe.type!s} and family {probe.family!s}")
    if _is_connected(probe):
        return HandleType.NET_SOCKET, None
    if _is_listening(probe):
        return HandleType.NET_SERVER, None
    if _is_bound(probe):
        return HandleType.NET_BOUND_SOCKET, None
    raise InvalidHandle("a stream socket that neither listens nor is connected is unusable for the peer")


def misfit(type_: HandleType, dgram_type: str | None, sock: socket.socket) -> str | None:
    """Say what a socket is if it is not what its type announces, None if it fits.

    A connection that has ended on its way here still fits: its reader will see the end.
    """
    if type_ in _DGRAM_TYPES:
        family = {"udp4": socket.AF_INET, "udp6": socket.AF_INET6}.get(dgram_type or "", sock.family)
        if sock.type == socket.SOCK_DGRAM and sock.family in _INET and sock.family == family:
            return None
    elif sock.type == socket.SOCK_STREAM and sock.family in (*_INET, socket.AF_UNIX):
        return _stream_misfit(type_, sock)
    return f"a socket of type {sock.type!s} and family {sock.family!s}"


def _stream_misfit(type_: HandleType, sock: socket.socket) -> str | None:
    if type_ in (HandleType.NET_SERVER, HandleType.NET_BOUND_SOCKET) and _is_connected(sock):
        return "a connected socket"
    if type_ in (HandleType.NET_SOCKET, HandleType.NET_BOUND_SOCKET) and _is_listening(sock):
        return "a listening socket"
    return None


def _is_connected(sock: socket.socket) -> bool:
    try:
        sock.getpeername()
    except OSError:
        return False
    return True


def _is_listening(sock: socket.socket) -> bool:
    try:
        return bool(sock.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN))
    except OSError:
        # macOS knows the option's name but answers it only from newer releases on.
        return _is_bound(sock) and not _is_connected(sock)


def _is_bound(sock: socket.socket) -> bool:
    name = sock.getsockname()
    return bool(name) if sock.family == socket.AF_UNIX else name[1] != 0
