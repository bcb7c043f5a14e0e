"""Chapter 50: a descriptor that does not fit its envelope, or fits none."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from measure.sockets import KINDS, made
from measure.table import Start, row
from measure.ways import envelope, handed
from measure.words import words

if TYPE_CHECKING:
    from collections.abc import Callable

UDP4 = {"dgramType": "udp4"}

# End of the id, question, type, kind of descriptor, further members.
MISFITS: tuple[tuple[str, str, Any, str, dict[str, Any]], ...] = (
    ("unknown-type", "`type` is `net.Future`", "net.Future", "tcp", {}),
    ("null-type", "`type` is null", None, "tcp", {}),
    ("inherited-type", "`type` is `toString`", "toString", "tcp", {}),
    ("udp-as-socket", "`net.Socket` with a UDP socket", "net.Socket", "udp", {}),
    ("reset", "`net.Socket` with a connection that was reset", "net.Socket", "reset", {}),
    ("tcp-as-server", "`net.Server` with a TCP connection", "net.Server", "tcp", {}),
    ("udp-as-server", "`net.Server` with a UDP socket", "net.Server", "udp", {}),
    ("server-as-socket", "`net.Socket` with a TCP server", "net.Socket", "server", {}),
    ("udp-as-native", "`net.Native` with a UDP socket", "net.Native", "udp", {}),
    ("tcp-as-dgram-native", "`dgram.Native` with a TCP connection", "dgram.Native", "tcp", {}),
    ("tcp-as-udp", "`dgram.Socket` with a TCP connection", "dgram.Socket", "tcp", UDP4),
    ("udp6-as-udp4", "`dgram.Socket` with a UDP socket of IPv6 and `dgramType` `udp4`", "dgram.Socket", "udp6", UDP4),
    ("no-dgram-type", "`dgram.Socket` without `dgramType`", "dgram.Socket", "udp", {}),
    ("file", "`net.Socket` with `/dev/null`", "net.Socket", "file", {}),
    ("eventfd", "`net.Socket` with an event descriptor", "net.Socket", "eventfd", {}),
)  # fmt: skip
for id_, question, type_, kind, more in MISFITS:
    row(f"hnd-{id_}", "HND", question, handed(type_, kind, **more))

# Descriptors that are no socket, or none that a type stands for.
STRANGERS = (
    "regular", "file", "directory", "memfd", "tty", "fifo", "eventfd", "epoll", "pidfd", "unix datagram", "seqpacket", "netlink",
)  # fmt: skip


def after(kind: str) -> str:
    """The id of the row about a good handle that follows a descriptor of this kind."""
    return f"hnd-after-{kind.replace(' ', '-')}"


def _then_a_good_one(kind: str) -> Callable[[Start], str]:
    """Show the fate of the misfit and, if the runtime lives, of a good handle behind it."""

    def measure(start: Start) -> str:
        with start() as peer, made(kind) as bad, made("tcp") as good:
            peer.write(envelope("net.Socket", "bad"), bad)
            lines, fate = peer.settle()
            first = words(lines, fate)
            if fate != "lives":
                return first
            peer.write(envelope("net.Socket", "good"), good)
            return f"{first}; then {words(*peer.settle())}"

    return measure


for kind in STRANGERS:
    row(
        after(kind),
        "HND",
        f"`net.Socket` with {KINDS[kind][0]}, then a good `net.Socket`",
        _then_a_good_one(kind),
    )
