"""Chapter 20: bytes to lines."""

from __future__ import annotations

import fcntl
import os
import signal
import socket
import struct
import termios
import time
from typing import TYPE_CHECKING

from measure.peer import SILENCE
from measure.table import Start, observe, row
from measure.ways import arrives
from measure.words import word

if TYPE_CHECKING:
    from collections.abc import Callable

row("frm-blank", "FRM", "A blank line arrives at a child", arrives(b"\n"))
row("frm-blank-parent", "FRM", "A blank line arrives at a parent", arrives(b"\n", role="parent"))
row("frm-blanks", "FRM", "A line of three blanks arrives", arrives(b"   \n"))
row("frm-not-json", "FRM", "The line `ready` arrives", arrives(b"ready\n"))
row("frm-bom", "FRM", "A byte order mark before a message", arrives(b"\xef\xbb\xbf1\n"))
row("frm-nul", "FRM", "A byte 0x00 between two messages", arrives(b"\x001\n"))
row("frm-cr", "FRM", "A line that ends with CR LF", arrives(b"1\r\n"))
row("frm-split", "FRM", "A character whose bytes arrive in two reads", arrives(b'"\xc3', b'\xa9"\n'))
row("frm-invalid", "FRM", "Bytes FF FE in a string", arrives(b'"\xff\xfe"\n'))
row("frm-overlong", "FRM", "Bytes C0 AF in a string", arrives(b'"\xc0\xaf"\n'))
row("frm-surrogate-bytes", "FRM", "Bytes ED A0 80 in a string", arrives(b'"\xed\xa0\x80"\n'))
row("frm-truncated-char", "FRM", "Bytes E2 82 at the end of a string", arrives(b'"\xe2\x82"\n'))
row("frm-truncated-four", "FRM", "Bytes F0 9F 98 at the end of a string", arrives(b'"\xf0\x9f\x98"\n'))
row("frm-beyond", "FRM", "Bytes F4 90 80 80 in a string", arrives(b'"\xf4\x90\x80\x80"\n'))
row("frm-utf16", "FRM", "A line of UTF-16", arrives('"m"\n'.encode("utf-16-le")))
row("frm-good-then-bad", "FRM", "A message and then a bad line in one read", arrives(b"1\nbad\n"))


@observe("frm-unterminated", "FRM", "`12` without a line feed, then the end")
def _unterminated(start: Start) -> str:
    program = """const c = open(); c.on('message', (m) => say('delivers ' + text(m)));
        c.on('error', (e) => say('error')); c.on('disconnect', () => say('dropped'));say(0)"""
    with start(program) as peer:
        peer.fact()
        peer.write(b"12")
        peer.end.shutdown(socket.SHUT_WR)
        return str(peer.fact() or peer.end_of_it())


@observe("frm-long", "FRM", "A line of 16 MiB")
def _long(start: Start) -> str:
    with start("const c = open(); c.on('message', (m) => say(m.length))") as peer:
        peer.end.settimeout(60)
        peer.write(b'"' + b"x" * (1 << 24) + b'"\n')
        return "delivered" if peer.fact(60) == 1 << 24 else peer.end_of_it()


@observe("frm-read-size", "FRM", "Bytes that one read takes, of 150000 that are there")
def _read_size(start: Start) -> str:
    program = "const c = open(); c.on('message', (m) => { if (m === 'stop') for (;;); }); say('ready');"
    with start(program, keep=True) as peer:
        peer.fact()
        total = 150_000
        os.kill(peer.process.pid, signal.SIGSTOP)
        peer.write(b'"stop"\n' + b" " * (total - 7))
        os.kill(peer.process.pid, signal.SIGCONT)
        time.sleep(SILENCE)
        assert peer.theirs is not None
        unread: int = struct.unpack("i", fcntl.ioctl(peer.theirs, termios.FIONREAD, bytes(4)))[0]
        return str(total - unread)


@observe(
    "frm-limit", "FRM", "A line that grows without end: the MiB after which the runtime is gone, and how"
)
def _limit(start: Start) -> str:
    mebi = b"x" * (1 << 20)
    with start("const c = open(); c.on('message', () => {})") as peer:
        peer.end.settimeout(60)
        peer.write(b'"')
        for count in range(1 << 11):
            try:
                peer.end.sendall(mebi)
            except OSError:
                # The kernel and the reading buffer hold less than one more.
                return f"{count}, {peer.end_of_it(60)}"
        return "more than 2048"


def _after_a_bad_line(*parts: bytes) -> Callable[[Start], str]:
    """A runtime whose program catches every exception gets a bad line, then two messages in reads of their own."""
    program = "process.on('uncaughtException', () => say('caught')); echo(open()); say('ready')"

    def measure(start: Start) -> str:
        with start(program) as peer:
            peer.fact()
            peer.pieces(*parts)
            time.sleep(0.2)
            peer.write(2)
            found = peer.line(SILENCE)
            return word(found) if found is not None else peer.end_of_it()

    return measure


row(
    "frm-caught",
    "FRM",
    "With a handler of uncaught exceptions: a bad line and `1` in one read, then `2`",
    _after_a_bad_line(b"bad\n1\n"),
)
row(
    "frm-caught-split",
    "FRM",
    "With a handler of uncaught exceptions: a bad line that began in an earlier read, then `2`",
    _after_a_bad_line(b"ba", b"d\n"),
)
