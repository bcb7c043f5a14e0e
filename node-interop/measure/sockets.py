"""Descriptors to send to a runtime: sockets of each kind, files, pipes and more."""

from __future__ import annotations

import os
import select
import socket
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


@contextmanager
def connection() -> Iterator[tuple[socket.socket, socket.socket]]:
    """A TCP connection, both ends; the first is non-blocking, as a receiver needs it."""
    with (
        socket.create_server(("127.0.0.1", 0)) as server,
        socket.create_connection(server.getsockname()) as one,
    ):
        two, _ = server.accept()
        with two:
            one.setblocking(False)
            yield one, two


@contextmanager
def listening(
    family: socket.AddressFamily = socket.AF_INET, backlog: int | None = None
) -> Iterator[socket.socket]:
    """A listening socket."""
    with socket.socket(family) as server:
        server.bind(("127.0.0.1", 0) if family == socket.AF_INET else "")
        server.listen() if backlog is None else server.listen(backlog)
        server.setblocking(False)
        yield server


def _tcp() -> socket.socket:
    with socket.create_server(("127.0.0.1", 0)) as server:
        one = socket.create_connection(server.getsockname())
        return _with_peer(one, server.accept()[0])


def _reset() -> socket.socket:
    """A connection that its peer has reset."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        one = socket.create_connection(server.getsockname())
        two, _ = server.accept()
        two.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        two.close()
        return one


# The peers of connections: they stay open as long as the first ends do.
_others: dict[socket.socket, socket.socket] = {}


def _with_peer(one: socket.socket, two: socket.socket) -> socket.socket:
    _others[one] = two
    return one


def _bound(kind: socket.SocketKind, family: socket.AddressFamily = socket.AF_INET) -> socket.socket:
    one = socket.socket(family, kind)
    one.bind(("127.0.0.1" if family == socket.AF_INET else "::1", 0))
    return one


def _listens(family: socket.AddressFamily) -> socket.socket:
    server = socket.socket(family)
    server.bind(("127.0.0.1", 0) if family == socket.AF_INET else "")
    server.listen()
    return server


def _pair(kind: socket.SocketKind) -> socket.socket:
    return _with_peer(*socket.socketpair(socket.AF_UNIX, kind))


def _pipe(end: int) -> int:
    both = os.pipe2(os.O_NONBLOCK)
    os.close(both[1 - end])
    return both[end]


def _terminal() -> int:
    main, other = os.openpty()
    os.close(main)
    return other


def _epoll() -> int:
    with select.epoll() as one:
        return os.dup(one.fileno())


# Each kind with its words and its maker.
KINDS: dict[str, tuple[str, Callable[[], socket.socket | int]]] = {
    "tcp": ("a TCP connection", _tcp),
    "reset": ("a TCP connection that was reset", _reset),
    "unix": ("a Unix connection", lambda: _pair(socket.SOCK_STREAM)),
    "server": ("a TCP server", lambda: _listens(socket.AF_INET)),
    "unix server": ("a Unix server", lambda: _listens(socket.AF_UNIX)),
    "bound": ("a bound TCP socket", lambda: _bound(socket.SOCK_STREAM)),
    "udp": ("a UDP socket", lambda: _bound(socket.SOCK_DGRAM)),
    "udp6": ("a UDP socket of IPv6", lambda: _bound(socket.SOCK_DGRAM, socket.AF_INET6)),
    "unbound udp": ("an unbound UDP socket", lambda: socket.socket(type=socket.SOCK_DGRAM)),
    "unix datagram": ("a Unix datagram socket", lambda: _pair(socket.SOCK_DGRAM)),
    "seqpacket": ("a Unix socket of sequenced packets", lambda: _pair(socket.SOCK_SEQPACKET)),
    "netlink": ("a netlink socket", lambda: socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 0)),
    "file": ("`/dev/null`", lambda: os.open(os.devnull, os.O_RDONLY)),
    "regular": ("a regular file", lambda: os.open(__file__, os.O_RDONLY)),
    "directory": ("a directory", lambda: os.open("/", os.O_RDONLY)),
    "memfd": ("a memory file", lambda: os.memfd_create("measured")),
    "tty": ("a terminal", _terminal),
    "fifo": ("the read end of a pipe", lambda: _pipe(0)),
    "eventfd": ("an event descriptor", lambda: os.eventfd(0)),
    "epoll": ("an epoll descriptor", _epoll),
    "pidfd": ("a process descriptor", lambda: os.pidfd_open(os.getpid())),
}


@contextmanager
def made(kind: str) -> Iterator[int]:
    """A descriptor of some kind of `KINDS`; a socket is non-blocking, as a receiver needs it."""
    one = KINDS[kind][1]()
    try:
        if isinstance(one, socket.socket):
            one.setblocking(False)
            yield one.fileno()
        else:
            yield one
    finally:
        if isinstance(one, socket.socket):
            one.close()
            if one in _others:
                _others.pop(one).close()
        else:
            os.close(one)
