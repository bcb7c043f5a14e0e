"""The places where servers listen: a user's arguments become a question, and a question becomes a socket."""

from __future__ import annotations

import errno
import os
import socket
from contextlib import suppress
from pathlib import Path

from nodechannel._cluster.messages import BACKLOG, HIGHEST_PORT, IPV6_ONLY, UNIX, Query, listen_failed
from nodechannel._transport.system import UNIX_FAMILY, require_unix
from nodechannel.errors import ChannelClosed

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from nodechannel._cluster.worker import ServerLink

# libuv's number for an unknown host.
_UNKNOWN_HOST = -3008

# Bit of a UDP socket's `flags`.
_UDP_REUSE_ADDRESS = 4

_FAMILIES = {4: socket.AF_INET, 6: socket.AF_INET6, "udp4": socket.AF_INET, "udp6": socket.AF_INET6}


# The question of a worker.


def unix_query(path: str | os.PathLike[str], backlog: int = BACKLOG) -> Query:
    """Return the question for a Unix socket; the path becomes absolute, since the primary may be elsewhere.

    Raises `NotOnThisSystem` on Windows.
    """
    require_unix("a server at a path", "listen at a port of 127.0.0.1")
    return Query(os.path.abspath(path), -1, UNIX, backlog=backlog)  # noqa: PTH100 (Path.absolute keeps ..)


def tcp_query(port: int, address: str | None, *, ipv6_only: bool = False, backlog: int = BACKLOG) -> Query:
    """Return the question for a TCP socket; the address is numeric."""
    kind = 6 if address is not None and ":" in address else 4
    return Query(address, port, kind, flags=IPV6_ONLY if ipv6_only else 0, backlog=backlog)


def udp_query(port: int, address: str) -> Query:
    """Return the question for a UDP socket; the address is numeric."""
    return Query(address, port, "udp6" if ":" in address else "udp4", -1)


def first_address(found: list[tuple[Any, ...]]) -> str:
    """Return the numeric address of the first answer of `getaddrinfo`."""
    return str(found[0][4][0])


# The socket of the primary.


def open_socket(query: Query, *, listening: bool) -> socket.socket:
    """Return a non-blocking socket that is bound where the question says.

    Raises `OSError`, and for an odd address `UnicodeError` or another error of the socket module.
    """
    if query.address_type == UNIX:
        sock = _bound(socket.AF_UNIX, query, _shortest(str(query.address)))
    elif query.address is None:
        sock = _open_everywhere(query)
    else:
        family = _FAMILIES[query.address_type]
        sock = _bound(family, query, _numeric(family, query.address, query.port))
    try:
        if listening:
            sock.listen(query.listen_backlog)
    except BaseException:
        close_socket(sock, query)
        raise
    return sock


def _shortest(path: str) -> str:
    """Return the shorter of the absolute and the relative path, as Node does: the system takes about a hundred bytes."""
    try:
        return min(path, os.path.relpath(path), key=lambda one: len(os.fsencode(one)))
    except OSError:  # the working directory was removed
        return path


def _open_everywhere(query: Query) -> socket.socket:
    """Bind to all addresses, of both families where the system has IPv6, as Node does."""
    if query.address_type != "udp4":
        try:
            return _bound(socket.AF_INET6, query, ("::", query.port))
        except OSError as error:
            if error.errno == errno.EADDRINUSE or query.address_type == "udp6":
                raise
    return _bound(socket.AF_INET, query, ("0.0.0.0", query.port))


def _numeric(family: socket.AddressFamily, address: str, port: int | None) -> Any:
    return socket.getaddrinfo(address, port, family=family, flags=socket.AI_NUMERICHOST)[0][4]


def _bound(family: socket.AddressFamily, query: Query, address: Any) -> socket.socket:
    sock = socket.socket(family, socket.SOCK_DGRAM if query.is_udp else socket.SOCK_STREAM)
    try:
        sock.setblocking(False)
        if family == socket.AF_INET6:
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, bool(query.flags & IPV6_ONLY))
        if family != UNIX_FAMILY and (not query.is_udp or query.flags & _UDP_REUSE_ADDRESS):
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.bind(address)
    except BaseException:
        sock.close()
        raise
    return sock


def close_socket(sock: socket.socket, query: Query) -> None:
    """Close a socket of the primary, and remove the file of a Unix socket where that is allowed."""
    sock.close()
    if query.address_type == UNIX:
        with suppress(OSError):
            Path(str(query.address)).unlink()


def error_number(error: Exception) -> int:
    """Return libuv's number for an exception of `open_socket`."""
    if isinstance(error, socket.gaierror | UnicodeError):
        return _UNKNOWN_HOST
    return -((error.errno if isinstance(error, OSError) else None) or errno.EINVAL)


def sockname(sock: socket.socket) -> dict[str, Any] | None:
    """Return the address of a socket in Node's words; None for a Unix socket."""
    if sock.family == UNIX_FAMILY:
        return None
    address, port = sock.getsockname()[:2]
    return {"address": address, "family": "IPv6" if sock.family == socket.AF_INET6 else "IPv4", "port": port}


# The worker's use of the answer.


def granted(server: ServerLink) -> ServerLink:
    """Return a server that the primary has granted; raises `ListenFailed`, and `ChannelClosed` when there was no answer."""
    if not server.answered:
        raise ChannelClosed("listen")
    if server.error:
        raise listen_failed(server.error, server.query)
    return server


def take_shared(server: ServerLink) -> socket.socket | None:
    """Return the socket that the primary shares, or None under round robin. A stream socket listens.

    Raises `ListenFailed` and `HandleMismatch`; then the socket is closed.
    """
    handle, server.handle = server.handle, None
    if handle is None:
        return None
    query = server.query
    sock = handle.socket()
    try:
        if not _matches(sock, query):  # [CLU-016, CLU-040]
            raise listen_failed(-errno.EADDRINUSE, query)
        if not query.is_udp:
            sock.listen(query.listen_backlog)
    except OSError as error:
        sock.close()
        if error.errno in (None, errno.EADDRINUSE):
            raise listen_failed(-errno.EADDRINUSE, query) from None
        raise
    return sock


def _matches(sock: socket.socket, query: Query) -> bool:
    """Return whether a shared socket is bound where the question says; Node also sends a socket that it could not bind."""
    name = sock.getsockname()
    if query.address_type == UNIX or sock.family == UNIX_FAMILY:
        # Node binds to a relative path where that is shorter, so that the two names need not be the same.
        return bool(name) and query.address_type == UNIX
    return name[1] != 0 and query.port in (0, name[1])


def port_of(server: ServerLink, sock: socket.socket | None) -> int | None:
    """Return the port that a server listens on; the requested port if the answer has none."""
    if server.query.address_type == UNIX:
        return server.query.port
    if sock is not None:
        return int(sock.getsockname()[1])
    port = (server.sockname or {}).get("port")
    return port if type(port) is int and 0 < port <= HIGHEST_PORT else server.query.port


def address_of(server: ServerLink, sock: socket.socket | None) -> Any:
    """Return the address of a server like `socket.getsockname`; for a Unix socket its path."""
    if server.query.address_type == UNIX:
        return server.query.address
    if sock is not None:
        return sock.getsockname()
    known = server.sockname or {}
    address = (known.get("address", server.query.address), port_of(server, None))
    return (*address, 0, 0) if known.get("family") == "IPv6" else address
