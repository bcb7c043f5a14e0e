"""The serialization `advanced`: the frames that runtimes write, and their reading of frames."""

from __future__ import annotations

import select
from typing import TYPE_CHECKING

from measure.peer import SILENCE, Peer
from measure.table import observe, row

if TYPE_CHECKING:
    from collections.abc import Callable

    from measure.table import Start

# Seconds for an answer; runtimes that give none cost them.
PATIENCE = 12.0
MODE = {"NODE_CHANNEL_SERIALIZATION_MODE": "advanced"}
LENGTH = 4

# Says each message, or that a frame was refused; goes on after that.
READER = """const util = require('util');
    process.on('uncaughtException', () => say('refuses'));
    const shown = (m) => util.inspect(m, { depth: 4, breakLength: Infinity });
    const shape = (m) => typeof m === 'object' && m ? shown(m) : text(m);
    open().on('message', (m) => say(m === 'probe' ? 'probe' : shape(m))); say('up');"""
PROBE = bytes.fromhex("00000009 ff0d 2205") + b"probe"


def frame(hexadecimal: str, version: int = 13) -> bytes:
    """Return a frame with its length."""
    body = bytes([0xFF, version]) + bytes.fromhex(hexadecimal)
    return len(body).to_bytes(LENGTH, "big") + body


def said(peer: Peer) -> list[str]:
    """Return the words of a reader until the probe came back, or its silence."""
    found = []
    while (fact := peer.fact(PATIENCE)) not in ("probe", None):
        found.append(str(fact))
    return found if fact == "probe" else [*found, "nothing more"]


def reads(*pieces: bytes) -> Callable[[Start], str]:
    """Bytes arrive, each piece in a read of its own, and then a probe; the cell has the words of the reader."""

    def measure(start: Start) -> str:
        with start(READER, env=MODE) as peer:
            peer.fact()
            try:
                for piece in pieces:
                    peer.end.sendall(piece)
                    peer.until_read()
                peer.end.sendall(PROBE)
            except BrokenPipeError:
                return "ends the channel"
            return ", ".join(said(peer)) or "nothing"

    return measure


def evaluates(expression: str) -> Callable[[Start], str]:
    """The runtime evaluates an expression; the cell is its value, or the error."""

    def measure(start: Start) -> str:
        program = f"try {{ say(String({expression})); }} catch (error) {{ say('throws ' + error.name); }}"
        with start(program) as peer:
            return str(peer.fact(PATIENCE) or peer.end_of_it())

    return measure


def writes(expression: str) -> Callable[[Start], str]:
    """The runtime sends the value of an expression; the cell is the frame behind its length."""
    program = f"open().on('message', () => {{}}); say(attempt(() => process.send({expression})));"

    def measure(start: Start) -> str:
        with start(program, env=MODE) as peer:
            told = str(peer.fact())
            if told.startswith("throws"):
                return told
            data = b""
            while select.select([peer.end], [], [], PATIENCE)[0]:
                piece = peer.end.recv(65536)
                if not piece:
                    return "ends the channel"
                data += piece
                size = int.from_bytes(data[:LENGTH])
                if len(data) >= LENGTH + size:
                    return f"`{data[LENGTH : LENGTH + size].hex(' ')}`"
            return "no frame of this form" if data else "nothing"

    return measure


def versions(start: Start) -> str:
    """Each version arrives with the value null; the cell is the list of those that are read."""
    good = []
    with start(READER, env=MODE) as peer:
        peer.fact()
        for version in (*range(13, 20), *range(13)):
            peer.end.sendall(frame("30", version))
            told = peer.fact(PATIENCE)
            if told is None:
                break
            if told == "null":
                good.append(str(version))
    return ", ".join(good) or "none"


row("adv-writes", "ADV", "Frame of `null`, without its length", writes("null"))
row("adv-versions", "ADV", "Versions that are read", versions)
row(
    "adv-split",
    "ADV",
    "The four bytes of a length arrive in two reads",
    reads(frame("54")[:2], frame("54")[2:]),
)
row("adv-empty", "ADV", "A frame of no bytes, then a probe", reads(bytes(4)))
row("adv-bad", "ADV", "A frame that is no value and a good one in one read", reads(frame("7f") + frame("54")))
row("adv-trailing", "ADV", "Bytes behind the value of a frame", reads(frame("54 30 30")))
row("adv-line", "ADV", 'The line `{"a":1}` arrives', reads(b'{"a":1}\n'))
row(
    "adv-negative",
    "ADV",
    "A frame whose length is 2^31",
    reads((1 << 31).to_bytes(LENGTH, "big") + b"\xff\x0d0"),
)
row(
    "adv-wasm",
    "ADV",
    "Frame of a `WebAssembly.Module`",
    writes("new WebAssembly.Module(Buffer.from('0061736d01000000', 'hex'))"),
)
row("adv-aligned", "ADV", "Frame of `{ab: '\u20ac'}`", writes("{ab: '\\u20ac'}"))
row(
    "adv-wrong-count",
    "ADV",
    "An object of one member that says two",
    reads(frame("6f 2201 61 54 7b 02")),
)
row(
    "adv-longest-string",
    "ADV",
    "Characters of the longest string",
    evaluates("require('buffer').constants.MAX_STRING_LENGTH"),
)
row("adv-largest-bigint", "ADV", "`1n << 2n ** 30n`", evaluates("eval('typeof (1n << 2n ** 30n)')"))
row("adv-unaligned", "ADV", "Two-byte characters at an odd position", reads(frame("00 63 02 ac20")))
row(
    "adv-tags",
    "ADV",
    "Tags of shared memory and WebAssembly: `u`, `m`, `W`",
    reads(frame("75 00"), frame("6d 00"), frame("57 00")),
)
row("adv-number-name", "ADV", "Frame of `{1: 'x'}`", writes("{1: 'x'}"))
row("adv-twice", "ADV", "A name twice in an object", reads(frame("6f 2201 61 54 2201 61 46 7b 02")))
row("adv-filled", "ADV", "Frame of `Array(2).fill(1)`", writes("Array(2).fill(1)"))
row("adv-buffer", "ADV", "Frame of `Buffer.from('a')`", writes("Buffer.from('a')"))
row("adv-native-view", "ADV", "A view in V8's own form", reads(frame("42 02 0102 56 42 01 01")))
row(
    "adv-bigint-array",
    "ADV",
    "A BigInt64Array",
    reads(frame("5c 00 0b 08 feffffffffffffff")),
)
row(
    "adv-port",
    "ADV",
    "Frame of a `MessagePort`",
    writes("new (require('worker_threads').MessageChannel)().port1"),
)
row(
    "adv-error",
    "ADV",
    "Frame of an error with a cause",
    writes("(() => { const e = new Error('m', { cause: 1 }); e.stack = 'S'; return e; })()"),
)
row(
    "adv-cause-first",
    "ADV",
    "An error whose cause stands before its stack",
    reads(frame("72 6d 2201 6d 63 49 02 73 2201 53 2e")),
)
row(
    "adv-cause-last",
    "ADV",
    "An error whose cause stands behind its stack",
    reads(frame("72 6d 2201 6d 73 2201 53 63 49 02 2e")),
)
row(
    "adv-own-cause",
    "ADV",
    "Frame of an error whose cause is itself",
    writes("(() => { const e = new Error('m', { cause: 1 }); e.stack = 'S'; e.cause = e; return e; })()"),
)
row(
    "adv-own-cause-first",
    "ADV",
    "An error whose cause, before its stack, is itself",
    reads(frame("72 6d 2201 6d 63 5e 00 73 2201 53 2e")),
)
row(
    "adv-own-cause-last",
    "ADV",
    "An error whose cause, behind its stack, is itself",
    reads(frame("72 6d 2201 6d 73 2201 53 63 5e 00 2e")),
)
row(
    "adv-own-cause-inside",
    "ADV",
    "An error whose cause, before its stack, is an object with that error",
    reads(frame("72 6d 2201 6d 63 6f 2201 65 5e 00 7b 01 73 2201 53 2e")),
)
row("adv-error-reference", "ADV", "`[error, {z: 1}, {q: 1}, the second again]`",
    reads(frame("41 04 72 6d 2201 6d 73 2201 53 2e 6f 2201 7a 49 02 7b 01 6f 2201 71 49 02 7b 01 5e 02 24 00 04")))  # fmt: skip
row("adv-pattern", "ADV", "A RegExp that cannot be compiled", reads(frame("52 2201 28 00")))
row("adv-flag-d", "ADV", "A RegExp with the flag `d`", reads(frame("52 2201 61 8001")))
row("adv-flag-v", "ADV", "A RegExp with the flag `v`", reads(frame("52 2201 61 8002")))


@observe("adv-depth", "ADV", "Objects in each other that are refused, by hundreds")
def _depth(start: Start) -> str:
    with start(READER, env=MODE) as peer:
        peer.fact()
        peer.end.settimeout(SILENCE * 5)
        for levels in range(1000, 10_000, 100):
            peer.end.sendall(frame("6f220161" * levels + "30" + "7b01" * levels))
            told = peer.fact(SILENCE * 5)
            if told is None or told == "refuses":
                return str(levels) if told else "silent"
        return "none"


@observe("adv-query", "ADV", "A worker's question has a member `fd`")
def _query(start: Start) -> str:
    program = """const cluster = require('cluster'); open();
        require('net').createServer().listen(0, '127.0.0.1'); say('up');"""
    with start(program, env={**MODE, "NODE_UNIQUE_ID": "1"}) as peer:
        data = b""
        while select.select([peer.end], [], [], PATIENCE)[0]:
            piece = peer.end.recv(65536)
            if not piece:
                break
            data += piece
            if b"queryServer" in data and b"\x22\x03seq" in data.partition(b"queryServer")[2]:
                return "`undefined`" if b"\x22\x02fd_" in data else "no"
        return "no frame of this form" if data else "nothing"
