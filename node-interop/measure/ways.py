"""Ways to find an answer that many rows share."""

from __future__ import annotations

import socket
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from measure.peer import SILENCE, Peer, line
from measure.sockets import made
from measure.words import words

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from measure.table import Start


def arrives(*parts: Any, quiet: str = "ignored", role: str = "child") -> Callable[[Start], str]:
    """The parts arrive, each in a read of its own; then a probe."""

    def measure(start: Start) -> str:
        with start(role=role) as peer:
            peer.pieces(*(part if isinstance(part, bytes) else line(part) for part in parts))
            return words(*peer.settle(), quiet=quiet)

    return measure


def sends(expression: str) -> Callable[[Start], str]:
    """The runtime sends the value of an expression; the cell is the line, or how it was refused."""
    program = f"""const c = echo(open());
        c.on('error', (error) => say('error ' + (error.code || error.name)));
        say(attempt(() => c.send({expression})));"""

    def measure(start: Start) -> str:
        with start(program) as peer:
            told = peer.fact()
            lines, fate = peer.settle()
            if not lines and fate == "lives":
                later = peer.fact(0.2) if told in ("true", "false") else None
                return str(later or (told if told not in ("true", "false") else "nothing is written"))
            return words(lines, fate)

    return measure


def envelope(type_: Any, message: Any = "m", **more: Any) -> dict[str, Any]:
    """An envelope of a handle."""
    return {"cmd": "NODE_HANDLE", "type": type_, "msg": message, **more}


def handed(type_: Any, kind: str, **more: Any) -> Callable[[Start], str]:
    """An envelope arrives with a descriptor of some kind."""

    def measure(start: Start) -> str:
        with start() as peer, made(kind) as number:
            peer.write(envelope(type_, **more), number)
            lines, fate = peer.settle()
            if fate == "lives":
                time.sleep(0.3)  # some sockets cause an error only when they are used
                later, fate = peer.settle()
                lines += later
            return words(lines, fate)

    return measure


def with_connection(message: dict[str, Any]) -> Callable[[Start], str]:
    """A message arrives with a TCP connection; then a probe."""

    def measure(start: Start) -> str:
        with start() as peer, made("tcp") as number:
            peer.write(message, number)
            return words(*peer.settle())

    return measure


def said(
    program: str, act: Callable[[Peer], Any] = lambda _: None, quiet: str = "never"
) -> Callable[[Start], str]:
    """The program says a fact after an action of ours; the cell is the fact."""

    def measure(start: Start) -> str:
        with start(program) as peer:
            peer.fact()
            act(peer)
            told = peer.fact(SILENCE * 2)
            if told is not None:
                return str(told)
            return quiet if peer.process.poll() is None else peer.end_of_it()

    return measure


# Programs that send a handle.

SERVER = """const c = echo(open());
    c.on('error', (error) => say('error ' + (error.code || error.name)));
    const server = net.createServer().listen(0, '127.0.0.1', () => { say(server.address().port); go(); });"""
ACCEPT = """const c = echo(open());
    c.on('error', (error) => say('error ' + (error.code || error.name)));
    const server = net.createServer((socket) => go(socket)).listen(0, '127.0.0.1', () => say(server.address().port));"""


@contextmanager
def sending(start: Start, setup: str, body: str) -> Iterator[Peer]:
    """A runtime that sends a handle as `body` says: with a listening server, or with an accepted connection."""
    with start(f"{setup}; function go(socket) {{ {body} }}") as peer:
        port = peer.fact()
        if setup.startswith(ACCEPT) and port is not None:
            with socket.create_connection(("127.0.0.1", port)):
                yield peer
        else:
            yield peer


def written(setup: str, body: str) -> Callable[[Start], str]:
    """The first line that the program writes, and how many descriptors come with it."""

    def measure(start: Start) -> str:
        with sending(start, setup, body) as peer:
            found = peer.raw_line()
            if found is None:
                return str(peer.fact(0.2) or peer.end_of_it())
            return f"`{found.decode()}` + {len(peer.descriptors)}"

    return measure
