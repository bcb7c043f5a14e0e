"""Chapter 50: a handle arrives."""

from __future__ import annotations

import os
import select
import socket
import struct
import time
from typing import TYPE_CHECKING, Any

from measure.peer import SILENCE, Peer, line
from measure.sockets import KINDS, connection, listening, made
from measure.table import Start, observe, row
from measure.ways import arrives, envelope, handed, with_connection
from measure.words import ACK, NACK, word, words, yes

if TYPE_CHECKING:
    from collections.abc import Callable

FITTING: tuple[tuple[str, str, dict[str, Any]], ...] = (
    ("net.Server", "server", {}),
    ("net.Server", "unix server", {}),
    ("net.Socket", "tcp", {}),
    ("net.Socket", "unix", {}),
    ("net.Native", "tcp", {}),
    ("dgram.Socket", "udp", {"dgramType": "udp4"}),
    ("dgram.Native", "udp", {}),
    ("net.BoundSocket", "bound", {}),
)
for type_, kind, more in FITTING:
    row(f"hnd-{type_.lower().replace('.', '-')}-{kind.replace(' ', '-')}", "HND",
        f"`{type_}` with {KINDS[kind][0]} arrives", handed(type_, kind, **more))  # fmt: skip

row("hnd-no-descriptor", "HND", "An envelope without a descriptor", arrives(envelope("net.Socket")))
row("hnd-stray-ack", "HND", "An acknowledgement that is not owed", arrives(ACK))
row("hnd-stray-nack", "HND", "A refusal that is not owed", arrives(NACK))


def _plain_then(start: Start) -> str:
    with start() as peer, made("tcp") as number:
        peer.write(1, number)
        peer.settle()
        peer.write(envelope("net.Socket"))
        return words(*peer.settle())


row("hnd-kept-stray", "HND", "A descriptor with a plain message, later an envelope without one", _plain_then)


@observe("hnd-two-in-one", "HND", "Two envelopes and two descriptors in one write")
def _two_in_one(start: Start) -> str:
    with start() as peer, made("tcp") as one, made("tcp") as two:
        peer.write(line(envelope("net.Socket", 1)) + line(envelope("net.Socket", 2)), one, two)
        return words(*peer.settle())


@observe("hnd-pipelined", "HND", "An envelope and a plain message behind it in one write")
def _pipelined(start: Start) -> str:
    with start() as peer, made("tcp") as number:
        peer.write(line(envelope("net.Socket", "handle")) + line("plain"), number)
        return words(*peer.settle())


@observe("hnd-last-byte", "HND", "The descriptor rides on the last byte of its envelope")
def _last_byte(start: Start) -> str:
    with start() as peer, made("tcp") as number:
        text = line(envelope("net.Socket"))
        peer.pieces(text[:-1])
        peer.write(text[-1:], number)
        return words(*peer.settle())


@observe(
    "hnd-first-byte", "HND", "The descriptor rides on the first byte of an envelope that takes two reads"
)
def _first_byte(start: Start) -> str:
    with start() as peer, made("tcp") as number:
        text = line(envelope("net.Socket"))
        peer.write(text[:1], number)
        peer.pieces(b"", text[1:])
        return words(*peer.settle())


INNER = envelope("net.Socket", "inner")
row(
    "hnd-double",
    "HND",
    "An envelope inside an envelope, with one descriptor",
    with_connection(envelope("net.Native", INNER)),
)
row(
    "hnd-no-msg",
    "HND",
    "An envelope without `msg`",
    with_connection({"cmd": "NODE_HANDLE", "type": "net.Socket"}),
)


def _descriptors(peer: Peer) -> int:
    return len(os.listdir(f"/proc/{peer.process.pid}/fd"))  # noqa: PTH208 (names are all that is wanted)


@observe("hnd-strays", "HND", "Twenty plain messages with a descriptor each: what stays open")
def _strays(start: Start) -> str:
    with start() as peer, made("tcp") as number:
        peer.settle()
        before = _descriptors(peer)
        for _ in range(20):
            peer.write(1, number)
            peer.settle()
        left = _descriptors(peer) - before
        return "all" if left >= 20 else "none" if left <= 0 else str(left)


@observe("hnd-room", "HND", "A plain message with 100 descriptors: descriptors that one read takes in")
def _room(start: Start) -> str:
    with (
        start(
            "const c = open(); c.on('message', (m) => { if (m.probe) c.send(m); else for (;;); });"
        ) as peer,
        made("tcp") as number,
    ):
        peer.settle()
        before = _descriptors(peer)
        peer.write(1, *[number] * 100)
        time.sleep(SILENCE)
        return str(_descriptors(peer) - before)


@observe("hnd-mode-kept", "HND", "A received blocking socket is put in non-blocking mode")
def _mode_kept(start: Start) -> str:
    with start() as peer, connection() as (one, _):
        one.setblocking(True)
        peer.write(envelope("net.Socket"), one.fileno())
        peer.settle()
        return yes(not os.get_blocking(one.fileno()))


# Answers each message with its text and, for a connection, with the port of its far end.
IDENTIFY = """const c = open(); c.on('message', (m, h) => {
    if (m && m.probe) c.send(m); else c.send({ got: text(m), handle: h ? String(h.remotePort) : undefined }); });"""


def _which(*writes: tuple[Any, str]) -> Callable[[Start], str]:
    """Messages are written, each in a read of its own, with some of the connections A, B, C; the cell names the connection of each."""

    def measure(start: Start) -> str:
        with start(IDENTIFY) as peer, connection() as (a, _), connection() as (b, _), connection() as (c, _):
            peer.settle()
            ends = {"A": a, "B": b, "C": c}
            names = {str(one.getpeername()[1]): name for name, one in ends.items()}
            for message, chosen in writes:
                peer.write(message, *(ends[name].fileno() for name in chosen))
                peer.until_read()
            lines, fate = peer.settle()
            shown = [
                f"{one['got']} with {names.get(one.get('handle', ''), 'none')}"
                for one in lines
                if "got" in one
            ]
            return ", ".join([*shown, *([] if fate == "lives" else [fate])])

    return measure


FIRST, SECOND = envelope("net.Socket", 1), envelope("net.Socket", 2)
SHIFTS: tuple[tuple[str, str, tuple[tuple[Any, str], ...]], ...] = (
    (
        "two-descriptors",
        "Envelope 1 with the connections A and B, envelope 2 with C",
        ((FIRST, "AB"), (SECOND, "C")),
    ),
    (
        "two-descriptors-apart",
        "Envelope 1 with A and B, a plain message 0, envelope 2 with C",
        ((FIRST, "AB"), (0, ""), (SECOND, "C")),
    ),
    ("stray-before", "A plain message 0 with A, envelope 1 with B", ((0, "A"), (FIRST, "B"))),
    ("two-strays-before", "A plain message 0 with A and B, envelope 1 with C", ((0, "AB"), (FIRST, "C"))),
    (
        "strays-apart",
        "A plain message 0 with A, the same with B, envelope 1 with C",
        ((0, "A"), (0, "B"), (FIRST, "C")),
    ),
)
for id_, question, writes in SHIFTS:
    row(f"hnd-{id_}", "HND", question, _which(*writes))


@observe(
    "hnd-two-in-one-kept", "HND", "Two envelopes and two descriptors in one write: descriptors that stay open"
)
def _two_in_one_kept(start: Start) -> str:
    with start() as peer, made("tcp") as one, made("tcp") as two:
        peer.settle()
        before = _descriptors(peer)
        peer.write(line(envelope("net.Socket", 1)) + line(envelope("net.Socket", 2)), one, two)
        peer.settle()
        return str(_descriptors(peer) - before)


@observe("hnd-stray-ack-error", "HND", "The error that an acknowledgement which is not owed causes")
def _stray_ack_error(start: Start) -> str:
    with start(
        "process.on('uncaughtException', (e) => say(e.code || e.name)); echo(open()); say('ready')"
    ) as peer:
        peer.fact()
        peer.write(ACK)
        return str(peer.fact(SILENCE) or "none")


@observe("hnd-untaken", "HND", "A connection that the program does not take")
def _untaken(start: Start) -> str:
    program = "const c = open(); c.on('message', (m) => { if (m.probe) c.send(m); })"
    with start(program) as peer, connection() as (one, other):
        peer.write(envelope("net.Socket"), one.fileno())
        peer.settle()
        one.close()
        peer.settle()
        return "is closed" if select.select([other], [], [], SILENCE)[0] else "stays open"


@observe("hnd-no-listener", "HND", "A handle arrives and the program has no listener")
def _no_listener(start: Start) -> str:
    with start("setInterval(() => {}, 1000); open().channel; say('ready')") as peer, made("tcp") as number:
        peer.fact()
        peer.write(envelope("net.Socket"), number)
        found = peer.line(SILENCE)
        return word(found) if found is not None else "no answer"


@observe("hnd-nobody-touches", "HND", "A handle arrives and the program never touches the channel")
def _nobody_touches(start: Start) -> str:
    with start("setInterval(() => {}, 1000); say('ready')") as peer, made("tcp") as number:
        peer.fact()
        peer.write(envelope("net.Socket"), number)
        found = peer.line(SILENCE)
        return word(found) if found is not None else "no answer"


@observe(
    "hnd-blocking-stops",
    "HND",
    "The program writes 8 MiB to a received blocking connection that is not read: its event loop",
)
def _blocking_stops(start: Start) -> str:
    program = """const c = open(); c.on('message', (m, h) => { h.on('error', () => {}); h.write(Buffer.alloc(1 << 23));
        setTimeout(() => say('goes on'), 200); })"""
    with start(program) as peer, connection() as (one, _):
        one.setblocking(True)
        peer.write(envelope("net.Socket"), one.fileno())
        return str(peer.fact(SILENCE * 2) or "stops")


@observe(
    "hnd-blocking-server", "HND", "A blocking server is received and one client connects: the event loop"
)
def _blocking_server(start: Start) -> str:
    program = "const c = open(); c.on('message', (m, h) => h.on('connection', () => setTimeout(() => say('goes on'), 200)))"
    with start(program) as peer, listening() as server:
        server.setblocking(True)
        peer.write(envelope("net.Server"), server.fileno())
        with socket.create_connection(server.getsockname()):
            return str(peer.fact(SILENCE * 2) or "stops")


def _queue(server: socket.socket) -> tuple[int, int]:
    """Return how many connections wait in the kernel to be accepted, and how many may."""
    waiting, room = struct.unpack_from("II", server.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 104), 24)
    return waiting, room


@observe("hnd-server-backlog", "HND", "Backlog of a server, 7, after it was received")
def _server_backlog(start: Start) -> str:
    with start() as peer, listening(backlog=7) as server:
        peer.write(envelope("net.Server"), server.fileno())
        peer.settle()
        time.sleep(0.2)
        return str(_queue(server)[1])


@observe("hnd-server-untaken", "HND", "A server that the program does not take: a connection to it")
def _server_untaken(start: Start) -> str:
    program = "const c = open(); c.on('message', (m) => { if (m.probe) c.send(m); })"
    with start(program) as peer, listening() as server:
        peer.write(envelope("net.Server"), server.fileno())
        peer.settle()
        with socket.create_connection(server.getsockname()):
            time.sleep(0.3)
            return "waits in the kernel" if _queue(server)[0] else "is accepted"


NESTED: tuple[tuple[str, str, dict[str, Any]], ...] = (
    ("triple", "Three envelopes inside each other, with one descriptor", envelope("net.Native", envelope("net.Native", INNER))),
    ("outer-unknown", "An envelope inside one of type `net.Future`, with one descriptor", envelope("net.Future", INNER)),
    ("inner-unknown", "An envelope of type `net.Future` inside one, with one descriptor",
     envelope("net.Native", envelope("net.Future", "inner"))),
)  # fmt: skip
for id_, question, message in NESTED:
    row(f"hnd-{id_}", "HND", question, with_connection(message))


@observe("hnd-outer-key", "HND", "An envelope inside one with a `key`: connections that count under this key")
def _outer_key(start: Start) -> str:
    with start() as peer, made("tcp") as number:
        peer.write(envelope("net.Native", INNER, key="K"), number)
        peer.settle()
        peer.write({"cmd": "NODE_SOCKET_GET_COUNT", "key": "K"})
        lines, fate = peer.settle()
        return words(lines, fate, quiet="no list")
