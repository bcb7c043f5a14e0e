"""Figures of the tap beside those of pairs: the memory of a relay, and the time in which a long recording is checked."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

from bench.running import environment, holders, memory
from bench.targets import Verdict, at_most
from channelkit.tap.record import DOWN, UP, Entry, Writer

if TYPE_CHECKING:
    from collections.abc import Iterator

MILLION = 1_000_000
MEGABYTE = 1 << 20
_READER = "import os, socket; end = socket.socket(fileno=int(os.environ['NODE_CHANNEL_FD']))\nwhile end.recv(65536): pass"
_HEADER = {
    "command": ["child"],
    "mode": "json",
    "modes": ["json"],
    "number": ["3"],
    "socket": {"family": "AF_UNIX", "type": "SOCK_STREAM", "connected": True, "blocking": True},
}


def verdicts(messages: int = MILLION, megabytes: int = 200) -> Iterator[Verdict]:
    """Yield the verdicts; the time is scaled to a million messages."""
    with tempfile.TemporaryDirectory() as folder:
        seconds, cpu = _check(Path(folder) / "long.ctap", messages)
        scale = MILLION / messages
        yield from at_most(
            30, "a million recorded messages checked", "s", seconds * scale, by_cpu=cpu * scale
        )
        yield from at_most(
            1, f"memory of a relay, growth over {megabytes} MB", "MB", _growth(folder, megabytes)
        )


def _check(path: Path, messages: int) -> tuple[float, float]:
    """Return the seconds of `channelkit lint` for a recording of so many messages, and those of its processor."""
    writer = Writer(path, _HEADER)
    for number in range(messages):
        value = {"id": number, "method": "work", "args": ["x" * 40, [1, 2.5, True, None]]}
        data = json.dumps(value, separators=(",", ":")).encode() + b"\n"
        writer.add(Entry(number * 100, (DOWN, UP)[number % 2], data))
    writer.close()
    began = time.perf_counter()
    process = subprocess.Popen(
        [sys.executable, "-m", "channelkit", "lint", str(path)], stdout=subprocess.DEVNULL
    )
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise RuntimeError(f"the recording breaks rules: exit status {process.returncode}")
    return time.perf_counter() - began, usage.ru_utime + usage.ru_stime


def _growth(folder: str, megabytes: int) -> float:
    """Return how many MB a relay grew while it carried so many of them."""
    parent, child = socket.socketpair()
    with parent:
        with child:
            options = ["--limit", "16M", "--keep", "2", "-o", f"{folder}/relay/"]
            process = subprocess.Popen(
                [sys.executable, "-m", "channelkit", "tap", *options, "--", sys.executable, "-c", _READER],
                env={**environment(), "NODE_CHANNEL_FD": str(child.fileno())},
                pass_fds=[child.fileno()],
            )
        block = (b'"' + b"x" * 61 + b'"\n') * (MEGABYTE // 64)
        parent.sendall(block)
        [relay] = holders(f"{folder}/relay/")
        before = memory(relay, "VmRSS")
        for _ in range(megabytes):
            parent.sendall(block)
        grown = memory(relay, "VmHWM") - before
    process.wait()
    return grown / MEGABYTE
