"""Handles: the sockets that travel with messages, on their way out and after their arrival."""

from __future__ import annotations

import os
import socket
from typing import TypeAlias

from nodechannel.errors import HandleMismatch, InvalidHandle
from nodechannel.fd import OwnedFd
from nodechannel.messages import HandleType

_INET = (socket.AF_INET, socket.AF_INET6)


class ReceivedHandle:
    """A handle that arrived with a message.

    It owns its descriptor until `socket` or `detach` hands it to the caller. One that nobody claims is closed, with a `ResourceWarning`.

    Attributes:
        type: what the sender calls it.
        key: names the server that a `net.Socket` came from; opaque.
        dgram_type: ``udp4`` or ``udp6`` for a `dgram.Socket`.
    """

    __slots__ = ("_fd", "dgram_type", "key", "type")

    def __init__(
        self, type: HandleType, fd: OwnedFd, key: str | None = None, dgram_type: str | None = None
    ) -> None:
        self.type = type
        self.key = key
        self.dgram_type = dgram_type
        self._fd = fd

    def fileno(self) -> int:
        """Return the descriptor, still owned by this handle; raises `HandleTaken` when it was claimed or closed."""
        return self._fd.fileno()

    def detach(self) -> int:
        """Hand the raw descriptor to the caller, who must close it; raises `HandleTaken`."""
        return self._fd.detach()

    def socket(self, timeout: float | None = 0.0) -> socket.socket:
        """Hand the descriptor to the caller as a socket, with its real family and type.

        A description that is shared with other processes is non-blocking and must stay so ([HND-018]). The socket therefore
        does not block, which suits asyncio and selectors; with `timeout` in seconds it waits that long in each call.

        Raises `HandleTaken` when it was claimed before, and `HandleMismatch` when the descriptor is not what its type says; then
        it is closed.
        """
        if timeout is None:
            raise ValueError("a received socket cannot be put into blocking mode; give a timeout in seconds")
        owned = self._fd
        try:
            sock = socket.socket(fileno=owned.fileno())
        except OSError as error:
            owned.close()
            raise HandleMismatch(self.type, "a descriptor that is not a socket") from error
        owned.detach()
        if misfit := _misfit(self.type, self.dgram_type, sock):  # [HND-043]
            sock.close()
            raise HandleMismatch(self.type, misfit)
        sock.settimeout(timeout)
        return sock

    def close(self) -> None:
        """Close the descriptor unless it was claimed."""
        self._fd.close()

    def __repr__(self) -> str:
        return f"<ReceivedHandle {self.type} {self._fd!r}>"


Sendable: TypeAlias = socket.socket | ReceivedHandle


class SocketHandle:
    """A socket that the caller wants to send.

    Its type is read from the socket itself. Nothing is changed before `take`.

    Args:
        sock: the socket; a `ReceivedHandle` can be sent on.
        keep_open: leave a connected socket open at this side; listening and datagram sockets always stay open, as in Node.

    Raises `InvalidHandle` when it is none of the kinds that Node can receive ([HND-003]).
    """

    __slots__ = ("_shared", "_sock", "dgram_type", "type")

    def __init__(self, sock: Sendable, *, keep_open: bool = False) -> None:
        if not isinstance(sock, socket.socket | ReceivedHandle):
            raise InvalidHandle(f"{type(sock).__name__} is not a socket")
        if sock.fileno() < 0:
            raise InvalidHandle("the socket is closed")
        self._sock = sock
        self.type, self.dgram_type = _kind(sock.fileno())
        self._shared = keep_open or self.type is not HandleType.NET_SOCKET

    def take(self) -> OwnedFd:
        """Make the socket non-blocking ([HND-018]) and return the descriptor to be sent.

        A connected socket is taken away from the caller's object; of any other a duplicate is made, which may raise `OSError`.
        """
        sock = self._sock
        copy = OwnedFd(os.dup(sock.fileno())) if self._shared else None
        if isinstance(sock, socket.socket):
            if sock.gettimeout() is None:  # with a timeout the description is non-blocking already
                sock.setblocking(False)
        else:
            os.set_blocking(sock.fileno(), False)
        return copy or OwnedFd(sock.detach())


def _kind(fd: int) -> tuple[HandleType, str | None]:
    """Return the handle type of a descriptor and, for a datagram socket, its `dgramType`; raises `InvalidHandle`."""
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
    raise InvalidHandle("a stream socket that neither listens nor is connected is unusable for the peer")


def _misfit(type_: HandleType, dgram_type: str | None, sock: socket.socket) -> str | None:
    """Say what a received socket is if it is not what its envelope announced, None if it fits.

    A connection that has ended on its way here still fits: its reader will see the end.
    """
    if type_ in (HandleType.DGRAM_SOCKET, HandleType.DGRAM_NATIVE):
        fits = sock.type == socket.SOCK_DGRAM and sock.family in _INET
        family = {"udp4": socket.AF_INET, "udp6": socket.AF_INET6}.get(dgram_type or "", sock.family)
        if fits and sock.family == family:
            return None
    elif sock.type == socket.SOCK_STREAM and sock.family in (*_INET, socket.AF_UNIX):
        if type_ is HandleType.NET_SERVER and _is_connected(sock):
            return "a connected socket"
        if type_ is HandleType.NET_SOCKET and _is_listening(sock):
            return "a listening socket"
        return None
    return f"a socket of type {sock.type!s} and family {sock.family!s}"


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
        # macOS knows the option's name but answers it only from newer releases on; a name means it is bound.
        return bool(sock.getsockname())
