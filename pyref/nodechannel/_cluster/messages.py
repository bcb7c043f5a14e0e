"""The messages of a cluster: their names, the question of a worker, and the errors in an answer."""

from __future__ import annotations

import errno
from collections import namedtuple
from enum import StrEnum

from nodechannel._core.messages import Cmd
from nodechannel.errors import ListenFailed

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, NamedTuple, TypeGuard

CMD = Cmd.CLUSTER.value


# [CLU-005]
class Act(StrEnum):
    """The `act` of a message that is not an answer."""

    ONLINE = "online"
    QUERY_SERVER = "queryServer"
    LISTENING = "listening"
    CLOSE = "close"
    EXITED_AFTER_DISCONNECT = "exitedAfterDisconnect"
    SUICIDE = "suicide"  # the name of `exitedAfterDisconnect` in Node 4 and earlier
    NEW_CONNECTION = "newconn"
    DISCONNECT = "disconnect"


class Policy(StrEnum):
    """How the workers get their connections: the primary hands them out, or the workers accept from a shared socket."""

    ROUND_ROBIN = "round-robin"
    SHARED = "shared"


# The `addressType` of a listening place, beside 4 and 6 of the two TCP families.
UNIX = -1
UDP_TYPES = ("udp4", "udp6")

HIGHEST_PORT = 65535

# Bit of `flags`: an IPv6 socket that does not take IPv4 connections.
IPV6_ONLY = 1

# Node's default.
BACKLOG = 511

# The largest backlog that `listen` takes; the kernel reduces it further.
MAX_BACKLOG = 2**31 - 1


if TYPE_CHECKING:

    class _Members(NamedTuple):
        address: str | None
        port: int | None
        address_type: int | str | None
        fd: int | None = None
        index: int = 0  # type: ignore[assignment]  # hides the method of tuples
        flags: int = 0
        backlog: int = BACKLOG
        data: Any = None

else:  # to import `typing` takes long
    _Members = namedtuple(  # noqa: PYI024
        "_Members",
        ("address", "port", "address_type", "fd", "index", "flags", "backlog", "data"),
        defaults=(None, 0, 0, BACKLOG, None),
    )


class Query(_Members):
    """A place where a worker wants to listen.

    Attributes:
        address: a numeric IP address, None for all of them, or the path of a Unix socket.
        port: 0 for any; -1 for a Unix socket.
        address_type: 4, 6, -1 for a Unix socket, or ``udp4`` or ``udp6``.
        fd: -1 for UDP; otherwise a descriptor of the primary, if any.
        index: counts the servers that a worker has at the same place.
        flags: see `IPV6_ONLY`; for UDP the flags of libuv.
        backlog: connections that may wait in the kernel; 0 means the default.
        data: an opaque value of the first worker's server that each later worker gets.
    """

    __slots__ = ()

    @property
    def place(self) -> tuple[object, ...]:
        """The members that are equal in two questions for the same place."""
        return (self.address, self.port, self.address_type, self.fd)

    @property
    def is_udp(self) -> bool:
        """Whether the question is for a datagram socket."""
        return self.address_type in UDP_TYPES

    @property
    def listen_backlog(self) -> int:
        """The backlog to call `listen` with."""
        return min(self.backlog or BACKLOG, MAX_BACKLOG)

    @property
    def key(self) -> str:
        """The primary's name for the place. With port 0, each server of a worker is a place of its own ([CLU-013])."""
        fd = "undefined" if self.fd is None else self.fd
        index = f":{self.index}" if self.port == 0 else ""
        return f"{self.address}:{self.port}:{self.address_type}:{fd}{index}"

    def to_wire(self) -> dict[str, Any]:
        """Return the members of `queryServer` and `listening` ([CLU-007])."""
        members: dict[str, Any] = {
            "index": self.index,
            "data": self.data,
            "address": self.address,
            "port": self.port,
            "addressType": self.address_type,
        }
        if self.fd is not None:
            members["fd"] = self.fd
        if self.address_type != UNIX:
            members["flags"] = self.flags
        if not self.is_udp:
            members["backlog"] = self.backlog
        return members

    @staticmethod
    def from_wire(message: dict[str, Any]) -> Query | None:
        """Return the question in a message, or None when no server can be created from it ([CLU-015])."""
        address, port, kind = message.get("address"), message.get("port"), message.get("addressType")
        if not _is_place(address, port, kind):
            return None
        index, flags, backlog = message.get("index"), message.get("flags"), message.get("backlog")
        return Query(
            address,
            port,
            kind,
            -1 if kind in UDP_TYPES else None,
            index if _is_number(index) else 0,
            flags if _is_number(flags) else 0,
            # Node 16 and later write `false` when the server has a listener for `listening`.
            backlog if _is_number(backlog) and backlog > 0 else 0,
            message.get("data"),
        )


def _is_place(address: object, port: object, kind: object) -> bool:
    if isinstance(address, str) and "\0" in address:  # system calls would take the text before it
        return False
    if kind == UNIX and type(kind) is int:
        return isinstance(address, str) and bool(address)
    known = kind in UDP_TYPES if isinstance(kind, str) else type(kind) is int and kind in (4, 6)
    return (
        known
        and (address is None or isinstance(address, str))
        and _is_number(port)
        and 0 <= port <= HIGHEST_PORT
    )


def _is_number(value: object) -> TypeGuard[int]:
    return type(value) is int


# libuv's numbers for errors of name resolution; every other number is the system's, negated.
_EAI = {-3000: "EAI_ADDRFAMILY", -3001: "EAI_AGAIN", -3007: "EAI_NODATA", -3008: "ENOTFOUND"}
# libuv's numbers on Windows.
_WINDOWS = {
    -4092: "EACCES",
    -4091: "EADDRINUSE",
    -4090: "EADDRNOTAVAIL",
    -4089: "EAFNOSUPPORT",
    -4071: "EINVAL",
    -4066: "EMFILE",
    -4049: "ENOTSUP",
}


def listen_failed(number: int, query: Query) -> ListenFailed:
    """Return the exception for the error number in an answer."""
    place = str(query.address) if query.address_type == UNIX else f"{query.address or '*'}:{query.port}"
    name = error_name(number)
    return ListenFailed(name, place, getattr(errno, name, None))


def error_name(number: int) -> str:
    """Return Node's name of an error number."""
    known = errno.errorcode.get(-number, "").removeprefix("WSA")
    return known or _EAI.get(number) or _WINDOWS.get(number) or f"error {number}"
