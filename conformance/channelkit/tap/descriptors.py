"""The description of a descriptor: its kind, its family, its addresses, its mode."""

import _socket
import errno
import fcntl
import os
import socket
import stat
from typing import Any

SERVER, STREAM, BOUND, DATAGRAM, OTHER = "server", "stream", "bound", "datagram", "other"
"""Kinds: a listening socket, a connection, a TCP socket that neither listens nor is connected, a UDP socket, anything else."""
_FAMILIES: dict[int, str] = {socket.AF_INET: "IPv4", socket.AF_INET6: "IPv6", socket.AF_UNIX: "Unix"}


def described(descriptor: int) -> dict[str, Any]:
    """The description of a descriptor of this process; never fails."""
    try:
        status = os.fstat(descriptor)
        flags = fcntl.fcntl(descriptor, fcntl.F_GETFL)
    except OSError:
        return {"kind": OTHER}
    found: dict[str, Any] = {"kind": OTHER, "inode": status.st_ino, "blocking": not flags & os.O_NONBLOCK}
    if stat.S_ISSOCK(status.st_mode):
        try:
            sock = _socket.socket(fileno=descriptor)
        except OSError:
            return found
        try:
            found |= _socket_members(sock)
        finally:
            sock.detach()
    return found


def _socket_members(sock: _socket.socket) -> dict[str, Any]:
    family = _FAMILIES.get(sock.family, str(sock.family))
    members: dict[str, Any] = {"kind": _kind(sock), "family": family}
    for name, get in (("local", sock.getsockname), ("peer", sock.getpeername)):
        try:
            members[name] = _address(get())
        except OSError:
            continue
    return members


def _kind(sock: _socket.socket) -> str:
    if sock.type == socket.SOCK_DGRAM:
        return OTHER if sock.family == socket.AF_UNIX else DATAGRAM
    if sock.type != socket.SOCK_STREAM or sock.family not in _FAMILIES:
        return OTHER
    if sock.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN):
        return SERVER
    try:
        sock.getpeername()
    except OSError as error:
        # A reset connection has no peer, either. No error number tells it from a socket that was never connected.
        never = error.errno == errno.ENOTCONN and not sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        return BOUND if never and _fresh(sock) else STREAM
    return STREAM


def _fresh(sock: _socket.socket) -> bool:
    """Whether a TCP socket was never connected; it is in the state CLOSE of a new socket, and reading it says so."""
    if sock.family == socket.AF_UNIX:
        return True
    try:
        sock.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT)
    except OSError as error:
        return error.errno == errno.ENOTCONN
    return False


def _address(address: Any) -> str:
    if isinstance(address, tuple):
        host, port = address[0], address[1]
        return f"[{host}]:{port}" if ":" in str(host) else f"{host}:{port}"
    return address.decode("utf-8", "backslashreplace") if isinstance(address, bytes) else str(address)
