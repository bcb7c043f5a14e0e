"""The rows of chapter 65: each question, and the function that finds its answer."""

from __future__ import annotations

import sys

assert sys.platform == "win32"

import json
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

from measure.windows.pipe import (
    CONNECTION,
    DATA,
    DISCONNECTED,
    PATIENCE,
    SOCKET,
    Peer,
    connection,
    framed,
    head,
    line,
    read_all,
    shared,
)

Measure = Callable[[str], str]
ROWS: list[tuple[str, str, Measure]] = []
M = line({"n": 1})
CHILD = Path(__file__).with_name("child.py")


def row(id_: str, question: str) -> Callable[[Measure], Measure]:
    """Register a function as a row."""

    def register(measure: Measure) -> Measure:
        ROWS.append((id_, question, measure))
        return measure

    return register


def word(found: Any) -> str:
    """Return the word for a line."""
    if found.get("cmd", "").startswith("NODE_HANDLE_"):
        return str(found["cmd"]).removeprefix("NODE_HANDLE_")
    handle = found.get("handle")
    return f"`{json.dumps(found['got'], separators=(',', ':'))}`" + (f" with {handle}" if handle else "")


def words(lines: list[Any], fate: str) -> str:
    """Return the words for all that was seen until a probe came back or Node was gone."""
    return ", ".join([*map(word, lines), *([] if fate == "lives" else [fate])]) or "ignored"


def arrives(id_: str, question: str, *parts: bytes) -> None:
    """A row: these parts arrive, each in a read of its own; then a probe."""

    def measure(node: str) -> str:
        with Peer(node) as peer:
            peer.write(*parts)
            return words(*peer.settle())

    ROWS.append((id_, question, measure))


arrives("win-several-headers", "two headers with their data in one write", framed(M) + framed(line({"n": 2})))
arrives(
    "win-header-cut",
    "a header in parts of 1, 6, 8 and 1 byte",
    *(framed(M)[a:b] for a, b in ((0, 1), (1, 7), (7, 15), (15, None))),
)
arrives("win-data-cut", "data in two parts", framed(M)[:20], framed(M)[20:])
arrives("win-line-over-headers", "a line behind two headers", framed(M[:4]), framed(M[4:]))
arrives("win-two-lines", "two lines behind one header", framed(M + line({"n": 2})))
arrives("win-first-reserved", "the first reserved word is 0xdeadbeef", head(DATA, len(M), 0xDEADBEEF) + M)
arrives("win-empty", "flags 0 and length 0, then a message", head(0, 0), framed(M))
arrives("win-empty-flagged", "flags 1 and length 0, then a message", head(DATA, 0), framed(M))
arrives("win-second-reserved", "the second reserved word is 1", head(DATA, len(M), 0, 1) + M)
arrives("win-unknown-flag", "flags 9", head(9, len(M)) + M)
arrives("win-connection-flag-alone", "flags 5", head(DATA | CONNECTION, len(M)) + M)
arrives("win-length-without-flag", "flags 0 with a length", head(0, len(M)) + M)
arrives("win-no-header", "two lines without a header", M * 4)
arrives(
    "win-good-then-bad",
    "a good header with a message, and a bad header behind it in one write",
    framed(M) + head(9, len(M)) + M,
)
arrives("win-not-json", "a line that is not JSON", framed(b"{bad\n"))


@row("win-short-data", "less data than announced, with a whole line in them, then the end")
def _(node: str) -> str:
    with Peer(node) as peer:
        peer.write(head(DATA, 100) + M)
        found = peer.line()
        peer.close()
        return words([found] if found else [], peer.fate())


@row("win-short-header", "nine bytes of a header, then the end")
def _(node: str) -> str:
    with Peer(node) as peer:
        peer.settle()
        peer.write(head(DATA, 10)[:9])
        peer.close()
        return peer.fate()


@row("win-two-messages", "the bytes of two calls of `send`")
def _(node: str) -> str:
    with Peer(node) as peer:
        peer.send({"run": "process.send({n:1}); process.send({n:2})"})
        peer.line()
        peer.line()
        return "; ".join(
            f"{flags} {first} {length} {second} `{data.decode().strip()}`"
            for flags, first, length, second, _b, data in peer.raw
        )


@row("win-long-message", "the headers of a message of a megabyte")
def _(node: str) -> str:
    with Peer(node) as peer:
        peer.send({"run": "process.send({got: 'y'.repeat(1e6)})"})
        peer.line()
        return "; ".join(
            f"{flags} {first} {length} {second}" for flags, first, length, second, _b, _data in peer.raw
        )


def sends(id_: str, question: str, run: str) -> None:
    """A row: Node runs this, which sends a socket; the cell is the header and the envelope."""

    def measure(node: str) -> str:
        with Peer(node) as peer:
            peer.send({"run": run})
            found = peer.line()
            if found is None or "cmd" not in found:
                return words([found] if found else [], peer.fate() if found is None else "lives")
            flags, first, length, second, block, data = peer.raw[0]
            assert length == len(data)
            text = json.dumps(
                {**found, "key": "…"} if "key" in found else found, separators=(",", ":"), ensure_ascii=False
            )
            whole = (
                "628 bytes of a socket and 0"
                if len(block) == 632 and not any(block[628:])
                else f"{len(block)} bytes"
            )
            return f"{flags} {first} … {second}, {whole}, `{text}`"

    ROWS.append((id_, question, measure))


LISTEN = "const s = net.createServer().listen(0, '127.0.0.1', () => "
sends("win-send-server", "the bytes of a server", LISTEN + "process.send('s', s))")
sends(
    "win-send-connection",
    "the bytes of a connection",
    "const s = net.createServer((c) => process.send('c', c)).listen(0, '127.0.0.1', () => net.connect(s.address().port, '127.0.0.1'))",
)
sends(
    "win-send-udp",
    "a UDP socket is sent",
    "const u = dgram.createSocket('udp4').bind(0, '127.0.0.1', () => { try { process.send('u', u, (e) => process.send({got: 'callback ' + "
    "(e && e.code)})) } catch (e) { process.send({got: 'throws ' + e.code}) } })",
)


def envelope(kind: str) -> bytes:
    """Return the envelope of a handle."""
    return line({"cmd": "NODE_HANDLE", "type": kind, "msg": "m"})


def handed(
    id_: str, question: str, write: Callable[[Peer, socket.socket], tuple[bytes, ...]], kind: str = "tcp"
) -> None:
    """A row: a socket arrives, and a peer of it is asked whether it is served."""

    def measure(node: str) -> str:
        with Peer(node) as peer:
            peer.settle()
            if kind == "tcp":
                own, other = connection()
            else:
                own, other = socket.socket(), socket.socket()
                own.bind(("127.0.0.1", 0))
                if kind == "server":
                    own.listen()
            with closing(own), closing(other):
                peer.write(*write(peer, own))
                lines, fate = peer.settle()
                address = own.getsockname()
                own.close()
                return words(lines, fate) + (_served(kind, address, other) if fate == "lives" else "")

    ROWS.append((id_, question, measure))


def _served(kind: str, address: tuple[str, int], other: socket.socket) -> str:
    try:
        if kind != "tcp":
            other.settimeout(PATIENCE)
            other.connect(address)
        found = read_all(other)
    except OSError:
        return ", refuses connections"
    return ", serves" if found == b"served" else ", closed"


S, C = DATA | SOCKET, DATA | SOCKET | CONNECTION
handed(
    "win-receive-server",
    "flags 3 and a listening socket",
    lambda p, s: (framed(envelope("net.Server"), S, shared(s, p.pid)),),
    "server",
)
handed(
    "win-receive-connection",
    "flags 7 and a connection",
    lambda p, s: (framed(envelope("net.Socket"), C, shared(s, p.pid)),),
)
handed(
    "win-socket-alone",
    "flags 6 with a connection, then the envelope",
    lambda p, s: (head(SOCKET | CONNECTION, 0) + shared(s, p.pid), framed(envelope("net.Socket"))),
)
handed(
    "win-envelope-first",
    "the envelope, then flags 6 with a connection",
    lambda p, s: (framed(envelope("net.Socket")), head(SOCKET | CONNECTION, 0) + shared(s, p.pid)),
)
handed("win-stray", "a connection with a plain message", lambda p, s: (framed(M, C, shared(s, p.pid)),))
handed(
    "win-bound",
    "a socket that is bound and does not listen, as `net.Server`",
    lambda p, s: (framed(envelope("net.Server"), S, shared(s, p.pid)),),
    "bound",
)
handed(
    "win-server-as-connection",
    "flags 7 with a listening socket",
    lambda p, s: (framed(envelope("net.Server"), C, shared(s, p.pid)),),
    "server",
)
handed(
    "win-zeros",
    "flags 7 with 632 bytes of zero",
    lambda _p, _s: (framed(envelope("net.Socket"), C, bytes(632)),),
)


@row("win-wrong-process", "a connection that was made for another process")
def _(node: str) -> str:
    with Peer(node) as peer, Peer(node) as another:
        peer.settle()
        own, other = connection()
        with closing(own), closing(other):
            peer.write(framed(envelope("net.Socket"), C, shared(own, another.pid)))
            return words(*peer.settle())


@row(
    "win-burst",
    "2000 messages and `process.exit`: the messages that arrive, and the errors of the next read and of a write",
)
def _(node: str) -> str:
    with Peer(node) as peer:
        peer.send(
            {"run": f"for (let i = 0; i < 2000; i++) process.send({{got: i}}); process.exit({DISCONNECTED})"}
        )
        count = 0
        while peer.line() is not None:
            count += 1
        read, peer.ended_with = peer.ended_with, 0
        peer.send(1)
        return f"{count}; {read}; {peer.ended_with}"


@row("win-write-after-disconnect", "the errors of a write and of a read after `disconnect`")
def _(node: str) -> str:
    with Peer(node) as peer:
        peer.send(
            {
                "run": "process.removeAllListeners('disconnect'); process.disconnect(); setInterval(() => {}, 1000)"
            }
        )
        until = time.monotonic() + PATIENCE
        while not peer.ended_with and time.monotonic() < until:
            peer.send(1)
            time.sleep(0.05)
        write, peer.ended_with = peer.ended_with, 0
        peer.read(PATIENCE)
        return f"{write}; {peer.ended_with}"


def facts_of_a_child(node: str, python: str = sys.executable) -> dict[str, Any]:
    """Return the facts that a child of Node finds about its channel."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        facts = Path(folder) / "facts"
        words = ", ".join(json.dumps(one) for one in (python, [str(CHILD), str(facts)]))
        streams = "{stdio: ['ignore', 'ignore', 'ignore', 'ipc']}"
        program = f"require('child_process').spawn({words}, {streams})"
        subprocess.run([node, "-e", program], check=True, timeout=2 * PATIENCE, stdin=subprocess.DEVNULL)
        found: dict[str, Any] = json.loads(facts.read_text("utf-8"))
        return found


@row(
    "win-descriptor",
    "`NODE_CHANNEL_FD`, and whether a child finds a descriptor of the C runtime or a handle of that number",
)
def _(node: str) -> str:
    found = facts_of_a_child(node)
    descriptor = "a descriptor" if found["descriptor"] else "no descriptor"
    handle = "a handle" if found["handle"] == found["variable"] else "no handle"
    return f"{found['variable']}, {descriptor}, {handle}"


@row(
    "win-pipe",
    "the type of the pipe, and the processes that the child is told to be its server and its client",
)
def _(node: str) -> str:
    found = facts_of_a_child(node)
    return f"{found['type']}, {found['server']}, {found['client']}"
