"""A socket that the caller wants to send."""

from __future__ import annotations

import errno
import socket
import sys

from nodechannel._handles.kinds import kind_of, misfit, plain
from nodechannel._handles.received import ReceivedHandle
from nodechannel._handles.types import (
    DGRAM_NATIVE,
    DGRAM_SOCKET,
    HANDLE_TYPES,
    NET_BOUND_SOCKET,
    NET_NATIVE,
    NET_SOCKET,
    HandleType,
)
from nodechannel._lazy import typing
from nodechannel._transport.owned import OwnedFd, make_nonblocking, socket_of_copy
from nodechannel._transport.system import CANNOT_TRAVEL
from nodechannel.errors import InvalidHandle

Sendable: typing.TypeAlias = socket.socket | ReceivedHandle
"""What can be sent with a message: a socket, or a handle that was received."""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Protocol

    class Delivery(Protocol):
        """The delivery of a message, as seen from here."""

        def _give_back(self, fd: OwnedFd) -> None:
            """Keep the descriptor of a handle that was not delivered."""


_SENDABLE = (socket.socket, ReceivedHandle)


class SocketHandle:
    """A socket that the caller wants to send; it is not changed before `take`.

    Args:
        sock: the socket; a `ReceivedHandle` can be sent on.
        keep_open: leave a connected socket open at this side; listening and datagram sockets always stay open, as in Node.
        key: names the server that a connected socket came from, for counting its connections.
        handle_type: the receiver's object, if not as the socket itself tells: `net.Native` and `dgram.Native` give a Node
            receiver the bare handle, and a bound socket that does not listen goes only as `net.BoundSocket`, which Node knows from 26 on.

    Raises `InvalidHandle` when it is none of the kinds that Node can receive, or does not fit the type.
    """

    __slots__ = ("_sock", "_taken", "dgram_type", "key", "shared", "type")

    def __init__(
        self,
        sock: Sendable,
        keep_open: bool = False,
        key: str | None = None,
        handle_type: HandleType | str | None = None,
    ) -> None:
        if _is_tls(sock) or (type(sock) not in _SENDABLE and not isinstance(sock, _SENDABLE)):
            raise InvalidHandle(_remedy(sock))
        if sock.fileno() < 0:
            # [HND-026]
            raise InvalidHandle("the socket is closed")
        self._sock = sock
        # Filled by `take`.
        self._taken = OwnedFd(-1)
        natural, self.dgram_type, unfit = _described(sock, handle_type)
        if natural in CANNOT_TRAVEL:
            raise InvalidHandle(CANNOT_TRAVEL[natural])
        # [HND-027]
        if handle_type is None and natural is NET_BOUND_SOCKET:  # a Node before 26 dies of it
            raise InvalidHandle(
                "a bound socket that does not listen goes only as handle_type='net.BoundSocket'"
            )
        self.type = natural if handle_type is None else _chosen(natural, handle_type, unfit)
        if self.type is not DGRAM_SOCKET:
            self.dgram_type = None
        if key is not None and self.type is not NET_SOCKET:
            raise InvalidHandle(f"only a net.Socket has a key, not a {self.type}")
        if key == "":  # [SLS-006]
            raise InvalidHandle("a receiver counts no sockets of an empty key")
        # [SLS-001, SLS-002, SLS-003]
        self.key = key
        self.shared = keep_open or natural is not NET_SOCKET  # [HND-052]

    def take(self) -> OwnedFd:
        """Make the socket non-blocking ([HND-018]) and return the descriptor to be sent, the same one each time.

        A connected socket is taken away from the caller's object; of any other a duplicate is made, which may raise `OSError`.
        """
        if self._taken.closed:
            sock = self._sock
            if isinstance(sock, socket.socket):
                self._take_socket(sock)
            else:
                self._take_received(sock)
        # [HND-009, SEC-006]
        return self._taken

    def return_to(self, delivery: Delivery) -> None:
        """Leave a descriptor that was taken in vain to the delivery of its message; the caller still has a shared one."""
        if self.shared:
            self._taken.close()
        elif not self._taken.closed:
            delivery._give_back(self._taken)

    # Both can be repeated after an exception of a signal handler, wherever it came.

    def _take_socket(self, sock: socket.socket) -> None:
        if sock.gettimeout() is None:  # with a timeout the description is non-blocking already
            sock.setblocking(False)
        if self.shared:
            self._taken.duplicate(sock.fileno())
        else:
            self._taken.fill(socket.SocketType.detach, plain(sock))
            sock.close()  # its descriptor is gone, and the object is to know that

    def _take_received(self, handle: ReceivedHandle) -> None:
        make_nonblocking(handle.fileno())
        if self.shared:
            self._taken.duplicate(handle.fileno())
        else:
            self._taken = handle._owner
            handle._give_up()


def _is_plain(sock: Any) -> bool:
    return isinstance(sock, _SENDABLE) and not _is_tls(sock)


def _is_tls(sock: Any) -> bool:
    """Tell whether bytes pass through TLS before they reach the socket; the peer would read them as they are on the wire."""
    ssl = sys.modules.get("ssl")
    return ssl is not None and isinstance(sock, ssl.SSLSocket)


def _remedy(thing: Any) -> str:
    """Say why an object cannot be sent that is no plain socket, and the object to send instead."""
    name = type(thing).__name__
    if _is_tls(thing):
        return f"{name} speaks TLS, whose keys stay in this process; send the socket before wrap_socket(), or after unwrap()"
    if hasattr(thing, "get_extra_info"):
        return f"{name} is part of an event loop, which reads it; accept connections with loop.sock_accept() and send those"
    if hasattr(thing, "sockets") or isinstance(getattr(thing, "socket", None), socket.socket):
        return f"{name} is not a socket; send the socket that it has"
    if hasattr(thing, "fileno") or isinstance(thing, int):
        return (
            f"{name} is not a socket; for a descriptor of one send socket.socket(fileno=os.dup(descriptor))"
        )
    return f"{name} is not a socket"


def _described(sock: Sendable, wanted: HandleType | str | None) -> tuple[HandleType, str | None, str | None]:
    """Return the type of a socket, its `dgramType`, and its kind if that is not the wanted type."""
    # A second descriptor where there is no socket object: that object would close its descriptor when an exception comes between.
    copy = _opened(sock.fileno()) if isinstance(sock, ReceivedHandle) else None
    probe: Any = copy or sock
    try:
        natural, dgram_type = kind_of(probe)
        type_ = None if wanted is None else HANDLE_TYPES.get(wanted)
        return natural, dgram_type, None if type_ is None else misfit(type_, None, probe)
    finally:
        if copy is not None:
            copy.close()


def _opened(fd: int) -> socket.SocketType:
    try:
        return socket_of_copy(fd)
    except OSError as error:
        if error.errno != errno.ENOTSOCK:
            raise
        raise InvalidHandle("the descriptor is not a socket") from error


def _chosen(natural: HandleType, wanted: HandleType | str, unfit: str | None) -> HandleType:
    """Return the type under which a socket is sent ([HND-002]); raises `InvalidHandle` when it does not fit."""
    type_ = HANDLE_TYPES.get(str(wanted))
    if type_ is None:
        raise InvalidHandle(f"{wanted!r:.60} is no type of handle")
    native = type_ in (NET_NATIVE, DGRAM_NATIVE)
    if unfit or (type_ is not natural and not native):
        raise InvalidHandle(f"it is {unfit or natural}, which does not fit {type_}")
    return type_
