"""Chapter 50: a runtime sends a handle."""

from __future__ import annotations

import socket
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from measure.peer import SILENCE, line
from measure.sockets import made
from measure.table import Start, observe, row
from measure.ways import ACCEPT, SERVER, envelope, sending, written
from measure.words import ACK, NACK, word, words

if TYPE_CHECKING:
    from collections.abc import Callable

row(
    "hnd-send-server", "HND", "Line and descriptors of a sent server", written(SERVER, "c.send('s', server);")
)
row(
    "hnd-send-socket",
    "HND",
    "Line and descriptors of a sent connection",
    written(ACCEPT, "c.send('s', socket);"),
)
row("hnd-send-udp", "HND", "Line and descriptors of a sent UDP socket", written(
    SERVER, "const udp = dgram.createSocket('udp4'); udp.bind(0, () => c.send('u', udp));"))  # fmt: skip
row("hnd-send-closed", "HND", "Line and descriptors of a server that is not listening", written(
    SERVER, "c.send('s', net.createServer());"))  # fmt: skip


@observe("hnd-send-bound", "HND", "Line and descriptors of a sent `net.BoundSocket`")
def _send_bound(start: Start) -> str:
    body = """if (!net.BoundSocket) { say('unknown'); return; }
        say('known'); const bound = new net.BoundSocket({ port: 0, host: '127.0.0.1' }); say(attempt(() => c.send('b', bound)));"""
    with sending(start, SERVER, body) as peer:
        if peer.fact() != "known":
            return "no such class"
        found = peer.raw_line(3)
        return (
            f"`{found.decode()}` + {len(peer.descriptors)}"
            if found
            else str(peer.fact(0.2) or peer.end_of_it())
        )


@observe("hnd-held", "HND", "`send(server); send(1)`: what is written before the acknowledgement")
def _held(start: Start) -> str:
    with sending(start, SERVER, "c.send('s', server); c.send(1);") as peer:
        peer.line()
        early = peer.line(SILENCE)
        peer.write(ACK)
        if early is not None:
            return "both"
        return "only the server" if peer.line() == 1 else "only the server, for ever"


def _refused(setup: str, body: str) -> Callable[[Start], str]:
    def measure(start: Start) -> str:
        with sending(start, setup, body + " c.send('next');") as peer:
            first = peer.line()
            peer.write(NACK)
            found = peer.line(3)
            if not (isinstance(found, dict) and found.get("cmd") == "NODE_HANDLE"):
                return "given up" if found == "next" else f"{word(found)}" if found else peer.end_of_it()
            if found == first:
                return "the same line again"
            return "wrapped once more" if found["msg"] == first else "another line"

    return measure


row("hnd-refused-socket", "HND", "A refusal of a sent connection", _refused(ACCEPT, "c.send('s', socket);"))
row("hnd-refused-server", "HND", "A refusal of a sent server", _refused(SERVER, "c.send('s', server);"))
row(
    "hnd-refused-udp",
    "HND",
    "A refusal of a sent UDP socket",
    _refused(
        SERVER.replace(
            "net.createServer().listen(0, '127.0.0.1', () => {", "dgram.createSocket('udp4').bind(0, () => {"
        ),
        "c.send('u', server);",
    ),
)
row(
    "hnd-refused-kept",
    "HND",
    "A refusal of a connection sent with `keepOpen`",
    _refused(ACCEPT, "c.send('s', socket, { keepOpen: true });"),
)


@observe("hnd-refusals", "HND", "Refusals of a connection until it is given up")
def _refusals(start: Start) -> str:
    with sending(start, ACCEPT, "c.send('s', socket); c.send('next');") as peer:
        peer.line()
        for count in range(1, 8):
            peer.write(NACK)
            found = peer.line(3)
            if found == "next":
                return str(count)
            if found is None:
                return peer.end_of_it()
        return "more than 7"


@observe("hnd-second-ack", "HND", "Two acknowledgements of a retransmitted connection")
def _second_ack(start: Start) -> str:
    with sending(start, ACCEPT, "c.send('s', socket);") as peer:
        peer.line()
        peer.write(NACK)
        peer.line(SILENCE)
        peer.write(line(ACK) + line(ACK))
        return words(*peer.settle(), quiet="lives")


@observe("hnd-crossing", "HND", "A handle arrives while an own one is unanswered")
def _crossing(start: Start) -> str:
    with sending(start, SERVER, "c.send('s', server);") as peer, made("tcp") as number:
        peer.line()
        peer.write(envelope("net.Socket"), number)
        found = peer.line(3)
        return word(found) if found else peer.end_of_it()


def _unread(start: Start, setup: str) -> str:
    with (
        start(f"{setup}; function go(socket) {{ c.send('s', socket); }}") as peer,
        socket.create_connection(("127.0.0.1", peer.fact())) as client,
    ):
        peer.line()
        client.sendall(b"abc")
        time.sleep(0.2)
        number = peer.take_descriptor()
        if number is None:
            return "no descriptor"
        with socket.socket(fileno=number) as end:
            end.setblocking(False)
            try:
                return "are there" if end.recv(10) == b"abc" else "in part"
            except BlockingIOError:
                return "are lost"


@observe("hnd-unread-bytes", "HND", "Bytes that arrive for a sent connection before the acknowledgement")
def _unread_bytes(start: Start) -> str:
    return _unread(start, ACCEPT)


@observe("hnd-unread-paused", "HND", "The same, from a server with `pauseOnConnect`")
def _unread_paused(start: Start) -> str:
    return _unread(start, ACCEPT.replace("createServer(", "createServer({ pauseOnConnect: true }, "))


@observe("hnd-callback", "HND", "The callback of `send` with a server runs when the envelope is")
def _callback(start: Start) -> str:
    with sending(start, SERVER, "c.send('s', server, () => say('called'));") as peer:
        peer.line()
        before = peer.fact(SILENCE)
        peer.write(ACK)
        return "written" if before else "acknowledged" if peer.fact(3) else "neither"


def _warned(setup: str, body: str) -> Callable[[Start], str]:
    """Refuse a handle until it is given up; the cell has the warning that the program got."""

    def measure(start: Start) -> str:
        setup_ = setup + " process.on('warning', (warning) => say('a warning: ' + warning.name));"
        with sending(start, setup_, body + " c.send('next');") as peer:
            for _ in range(6):
                found = peer.line(3)
                if found is None:
                    return peer.end_of_it()
                if found == "next":
                    return str(peer.fact(SILENCE) or "nothing")
                peer.write(NACK)
            return "is not given up"

    return measure


row(
    "hnd-warned-socket",
    "HND",
    "A connection is given up: what the sender's program is told",
    _warned(ACCEPT, "c.send('s', socket);"),
)
row(
    "hnd-warned-server",
    "HND",
    "A server is given up: what the sender's program is told",
    _warned(SERVER, "c.send('s', server);"),
)
row("hnd-warned-kept", "HND", "A connection sent with `keepOpen` is given up: what the sender's program is told",
    _warned(ACCEPT, "c.send('s', socket, { keepOpen: true });"))  # fmt: skip


@observe(
    "hnd-callbacks", "HND", "Calls of the callback of a connection that was refused twice, then acknowledged"
)
def _callbacks(start: Start) -> str:
    with sending(start, ACCEPT, "c.send('s', socket, () => say('called'));") as peer:
        for answer in (NACK, NACK, ACK):
            if peer.line(3) is None:
                return peer.end_of_it()
            peer.write(answer)
        return str(sum(1 for _ in iter(lambda: peer.fact(SILENCE), None)))


@observe("hnd-send-twice", "HND", "Line and descriptors of a connection that was handed over before")
def _send_twice(start: Start) -> str:
    with sending(
        start,
        ACCEPT,
        "c.send('s', socket); setTimeout(() => say(attempt(() => c.send('again', socket))), 300);",
    ) as peer:
        peer.line()
        peer.write(ACK)
        peer.descriptors.clear()
        found = peer.raw_line(3)
        return (
            f"`{found.decode()}` + {len(peer.descriptors)}"
            if found
            else str(peer.fact(0.2) or peer.end_of_it())
        )


@observe("hnd-send-unbound", "HND", "Line and descriptors of a UDP socket that is not bound")
def _unbound(start: Start) -> str:
    body = "say(attempt(() => c.send('u', dgram.createSocket('udp4')))); c.send('next');"
    with sending(start, SERVER, body) as peer:
        found = peer.raw_line(3) or b""
        told = peer.fact(0.2)
        if found == b'"next"':
            return f"nothing, `send` returns {told}" if "throws" not in str(told) else str(told)
        return f"`{found.decode()}` + {len(peer.descriptors)}" if found else peer.end_of_it()


TLS = ACCEPT + " const tls = require('tls');"


def _tls_answer(answer: dict[str, Any]) -> Callable[[Start], str]:
    body = "say(attempt(() => c.send('t', new tls.TLSSocket(socket)))); c.send('next');"

    def measure(start: Start) -> str:
        with sending(start, TLS, body) as peer:
            found = peer.raw_line(3)
            if found is None:
                return str(peer.fact(0.2) or peer.end_of_it())
            shown = f"`{found.decode()}` + {len(peer.descriptors)}"
            if b"NODE_HANDLE" not in found:
                return shown
            peer.write(answer)
            _, fate = peer.settle()
            return f"{shown}, {fate}"

    return measure


row("hnd-tls-refused", "HND", "Line and descriptors of a `TLSSocket`, then a refusal", _tls_answer(NACK))
row(
    "hnd-tls-answered",
    "HND",
    "Line and descriptors of a `TLSSocket`, then an acknowledgement",
    _tls_answer(ACK),
)
for name in ("tls", "https"):
    row(f"hnd-send-{name}-server", "HND", f"Line and descriptors of a sent `{name}.Server`", written(
        SERVER.replace("net.createServer()", f"require('{name}').createServer()"),
        "say(attempt(() => c.send('s', server)));"))  # fmt: skip


def _taken_over(start: Start, go: str, found_with: Callable[[socket.socket, socket.socket], str]) -> str:
    """Take a sent connection over as a receiver does; return the findings of a function about its end and the client."""
    with (
        start(f"{ACCEPT}; function go(socket) {{ {go} }}") as peer,
        socket.create_connection(("127.0.0.1", peer.fact())) as client,
    ):
        found = peer.line(3)
        number = peer.take_descriptor()
        if number is None:
            return f"{word(found)}, no descriptor" if found else peer.end_of_it()
        peer.write(ACK)
        peer.settle()
        with socket.socket(fileno=number) as end:
            return found_with(end, client)


@observe(
    "hnd-pending-writes",
    "HND",
    "8 MiB that the program wrote before it sent the connection, then a line of the receiver",
)
def _pending_writes(start: Start) -> str:
    size = 8 << 20

    def received(end: socket.socket, client: socket.socket) -> str:
        client.settimeout(SILENCE)
        count = 0
        with suppress(TimeoutError):
            while data := client.recv(1 << 20):
                count += len(data)
        end.setblocking(True)
        end.sendall(b"tail")
        with suppress(TimeoutError):
            count += len(client.recv(10))
        return "all, then the line" if count == size + 4 else "a part, then the line"

    return _taken_over(start, f"socket.write(Buffer.alloc({size})); c.send('s', socket);", received)


@observe("hnd-sent-lives", "HND", "Bytes both ways through a sent connection whose sender is done with it")
def _sent_lives(start: Start) -> str:
    def carry(end: socket.socket, client: socket.socket) -> str:
        for one, other in ((end, client), (client, end)):
            one.sendall(b"through")
            other.settimeout(SILENCE)
            with suppress(TimeoutError):
                if other.recv(10) != b"through":
                    return "ended"
        return "carried"

    return _taken_over(start, "c.send('s', socket);", carry)


@observe("hnd-copies", "HND", "Descriptors that come with a server and a message of 1 MiB", older=True)
def _copies(start: Start) -> str:
    with sending(start, SERVER, "c.send('x'.repeat(1 << 20), server);") as peer:
        peer.line(20)
        return str(len(peer.descriptors)) if len(peer.descriptors) < 2 else "several"


@observe("hnd-early-answer", "HND", "The acknowledgement comes while the envelope is half written")
def _early_answer(start: Start) -> str:
    with sending(start, SERVER, "c.send('x'.repeat(1 << 20), server); c.send('next');") as peer:
        peer.read(3)
        peer.write(ACK)
        peer.until_read()
        first = peer.line(5)
        second = peer.line(3)
        shown = "the rest" if isinstance(first, dict) and len(first.get("msg", "")) == 1 << 20 else "nothing"
        return f"{shown}, then {word(second) if second is not None else peer.end_of_it()}"
