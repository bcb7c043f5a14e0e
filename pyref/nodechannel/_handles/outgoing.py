"""A socket that the caller wants to send."""

from __future__ import annotations

import os
import socket

from nodechannel._handles.fd import OwnedFd
from nodechannel._handles.kinds import kind_of, misfit
from nodechannel._handles.received import ReceivedHandle
from nodechannel._handles.types import (
    DGRAM_NATIVE,
    DGRAM_SOCKET,
    NET_BOUND_SOCKET,
    NET_NATIVE,
    NET_SOCKET,
    HandleType,
)
from nodechannel._lazy import typing
from nodechannel.errors import InvalidHandle

Sendable: typing.TypeAlias = socket.socket | ReceivedHandle
"""What can be sent with a message: a socket, or a handle that was received."""

_SENDABLE = (socket.socket, ReceivedHandle)


class SocketHandle:
    """A socket that the caller wants to send; nothing about it is changed before `take`.

    Args:
        sock: the socket; a `ReceivedHandle` can be sent on.
        keep_open: leave a connected socket open at this side; listening and datagram sockets always stay open, as in Node.
        key: names the server that a connected socket came from, for counting its connections.
        handle_type: what the receiver shall make of it, if not what the socket itself tells: `net.Native` and `dgram.Native` give a Node
            receiver the bare handle, and a bound socket that does not listen goes only as `net.BoundSocket`, which Node knows from 26 on.

    Raises `InvalidHandle` when it is none of the kinds that Node can receive, or does not fit the type.
    """

    __slots__ = ("_sock", "dgram_type", "key", "shared", "type")

    def __init__(
        self,
        sock: Sendable,
        keep_open: bool = False,
        key: str | None = None,
        handle_type: HandleType | str | None = None,
    ) -> None:
        if not isinstance(sock, _SENDABLE):
            raise InvalidHandle(f"{type(sock).__name__} is not a socket")
        fd = sock.fileno()
        if fd < 0:
            # [HND-026]
            raise InvalidHandle("the socket is closed")
        self._sock = sock
        natural, self.dgram_type = kind_of(fd)
        # [HND-027]
        if handle_type is None and natural is NET_BOUND_SOCKET:  # a Node before 26 dies of it
            raise InvalidHandle(
                "a bound socket that does not listen goes only as handle_type='net.BoundSocket'"
            )
        self.type = natural if handle_type is None else _chosen(natural, handle_type, fd)
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
        """Make the socket non-blocking ([HND-018]) and return the descriptor to be sent.

        A connected socket is taken away from the caller's object; of any other a duplicate is made, which may raise `OSError`.
        """
        sock = self._sock
        copy = OwnedFd.copy(sock.fileno()) if self.shared else None
        if isinstance(sock, socket.socket):
            if sock.gettimeout() is None:  # with a timeout the description is non-blocking already
                sock.setblocking(False)
        else:
            os.set_blocking(sock.fileno(), False)
        # [HND-009, SEC-006]
        return copy or OwnedFd(sock.detach())


def _chosen(natural: HandleType, wanted: HandleType | str, fd: int) -> HandleType:
    """Return the type under which a socket is sent ([HND-002]); raises `InvalidHandle` when it does not fit."""
    try:
        type_ = HandleType(wanted)
    except ValueError:
        raise InvalidHandle(f"{wanted!r} is no type of handle") from None
    probe = socket.socket(fileno=fd)
    try:
        found = misfit(type_, None, probe)
    finally:
        probe.detach()
    native = type_ in (NET_NATIVE, DGRAM_NATIVE)
    if found or (type_ is not natural and not native):
        raise InvalidHandle(f"it is {found or natural}, which does not fit {type_}")
    return type_
