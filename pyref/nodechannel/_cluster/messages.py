"""The messages of a cluster: what they are called, what a worker asks for, and what becomes of an error."""

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
    """The `act` of a message that is no reply."""

    ONLINE = "online"
    QUERY_SERVER = "queryServer"
    LISTENING = "listening"
    CLOSE = "close"
    EXITED_AFTER_DISCONNECT = "exitedAfterDisconnect"
    SUICIDE = "suicide"  # what Node 4 and earlier call the one before
    NEW_CONNECTION = "newconn"
    DISCONNECT = "disconnect"


class Policy(StrEnum):
    """How connections come to the workers: handed out by the primary, or taken by the workers from one shared socket."""

    ROUND_ROBIN = "round-robin"
    SHARED = "shared"


# The `addressType` of a listening place, beside 4 and 6 of the two TCP families.
UNIX = -1
UDP_TYPES = ("udp4", "udp6")

HIGHEST_PORT = 65535

# Bit of `flags`: an IPv6 socket that does not take IPv4 connections.
IPV6_ONLY = 1

# What Node listens with when nobody says otherwise.
BACKLOG = 511


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
        index: counts what a worker has open at the same place.
        flags: see `IPV6_ONLY`; for UDP those of libuv.
        backlog: connections that may wait in the kernel; 0 leaves it to the primary.
        data: what the first worker's server wants all others to have; opaque.
    """

    __slots__ = ()

    @property
    def place(self) -> tuple[object, ...]:
        """What two queries have in common that ask for the same place."""
        return (self.address, self.port, self.address_type, self.fd)

    @property
    def is_udp(self) -> bool:
        """Whether it asks for a datagram socket."""
        return self.address_type in UDP_TYPES

    @property
    def key(self) -> str:
        """Return what a primary calls the place; port 0 means another port for each server of a worker ([CLU-013])."""
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
        """Read what a worker asks for; None when no server can be made of it ([CLU-015])."""
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
    if kind == UNIX and type(kind) is int:
        return isinstance(address, str) and "\0" not in address and bool(address)
    known = kind in UDP_TYPES if isinstance(kind, str) else type(kind) is int and kind in (4, 6)
    return (
        known
        and (address is None or isinstance(address, str))
        and _is_number(port)
        and 0 <= port <= HIGHEST_PORT
    )


def _is_number(value: object) -> TypeGuard[int]:
    return type(value) is int


# libuv's numbers for errors of name resolution; all others are the negative numbers of the system.
_EAI = {-3000: "EAI_ADDRFAMILY", -3001: "EAI_AGAIN", -3007: "EAI_NODATA", -3008: "ENOTFOUND"}


def listen_failed(number: int, query: Query) -> ListenFailed:
    """Return the error that a number in an answer stands for."""
    place = str(query.address) if query.address_type == UNIX else f"{query.address or '*'}:{query.port}"
    return ListenFailed(error_name(number), place, -number if -number in errno.errorcode else None)


def error_name(number: int) -> str:
    """Return the name of an error as Node would print it."""
    return errno.errorcode.get(-number) or _EAI.get(number) or f"error {number}"
