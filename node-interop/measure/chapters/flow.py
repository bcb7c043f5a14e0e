"""Chapter 45: order and back-pressure."""

from __future__ import annotations

import fcntl
import struct
import termios
from typing import Any

from measure.table import Start, observe
from measure.ways import SERVER, sending


@observe("flo-return", "FLO", "Twelve messages of 64 KiB to a peer that does not read: `send` returns")
def _returns(start: Start) -> str:
    program = """const c = echo(open()); const all = [];
        for (let i = 0; i < 12; i++) all.push(String(c.send('x'.repeat(65536)))); say(all);"""
    with start(program) as peer:
        told = peer.fact(3)
        if told is None:
            return "blocks"
        parts: list[list[Any]] = []
        for value in told:
            if parts and parts[-1][0] == value:
                parts[-1][1] += 1
            else:
                parts.append([value, 1])
        return ", ".join(f"{value} x {count}" for value, count in parts)


@observe("flo-limit", "FLO", "`send` returns `false` when so many bytes wait in the process")
def _limit(start: Start) -> str:
    def sent(length: int) -> tuple[Any, int]:
        """Send a message of this length; return the result of `send` and the number of bytes that the kernel took."""
        with start(f"say(open().send('x'.repeat({length - 3})))") as peer:
            told = peer.fact(5)
            return told, struct.unpack("i", fcntl.ioctl(peer.end, termios.FIONREAD, bytes(4)))[0]

    _, taken = sent(1 << 20)
    if taken == 1 << 20:
        return "never"
    below, _ = sent(taken + (1 << 17) - 1)
    there, _ = sent(taken + (1 << 17))
    return {(True, False): "131072", (True, True): "more than 131072"}.get(
        (below, there), "fewer than 131072"
    )


@observe(
    "flo-return-handle",
    "FLO",
    "`send` returns, while a handle is unanswered, for the handle and three messages",
)
def _with_handle(start: Start) -> str:
    body = "say([c.send('s', server), c.send(1), c.send(2), c.send(3)].join(', '));"
    with sending(start, SERVER, body) as peer:
        return str(peer.fact(3) or peer.end_of_it())


@observe("flo-promises", "FLO", "`1` and `2` arrive in one read: what runs, with a promise job made at each")
def _promises(start: Start) -> str:
    program = """const c = open(); const seen = [];
        c.on('message', (m) => { seen.push('message'); Promise.resolve().then(() => seen.push('job')); });
        setTimeout(() => say(seen.join(', ')), 700); say('ready');"""
    with start(program) as peer:
        peer.fact()
        peer.write(b"1\n2\n")
        return str(peer.fact(3) or peer.end_of_it())
