"""A pair of processes that runs: gives it orders, reads its clocks."""

from __future__ import annotations

import contextlib
import json
import os
import re
import select
import signal
import socket
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bench.plan import BATCH, BATCH_BYTES, ENDS, End, Pair, Scenario

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

PEERS = Path(__file__).parent / "peers"

# Seconds until a pair is given up: for the first message, which shows whether it works at all, and for a pass.
FIRST = 20.0
PASS = 60.0

COLOURS = re.compile(r"\x1b\[[\d;]*m")


class PairFailed(Exception):
    """A pair does not do the scenario's task; the text is its output."""


@dataclass
class Taken:
    """The cost of a pass.

    Attributes:
        seconds: by the parent's clock, from the first message until the last is known to have arrived.
        cpu: seconds of processor time of the parent and of the child, all threads.
    """

    seconds: float
    cpu: tuple[float, float]


@dataclass
class Series:
    """All passes of a pair in a scenario.

    Attributes:
        count: messages of each pass.
        passes: the cost of each.
        before, peak: bytes of resident memory of the parent and of the child, before the first message and at most.
    """

    count: int = 0
    passes: list[Taken] = field(default_factory=list)
    before: tuple[int, int] = (0, 0)
    peak: tuple[int, int] = (0, 0)


def share_one_processor(pids: Iterable[int]) -> None:
    """Keep all threads of some processes on the last processor that there is."""
    last = {max(os.sched_getaffinity(0))}
    for pid in pids:
        for thread in os.listdir(f"/proc/{pid}/task"):  # noqa: PTH208
            os.sched_setaffinity(int(thread), last)


class Running:
    """A pair in a scenario, from the start of the parent to the end of both.

    Args:
        pair, scenario: the pair to run, and its task.
        commands: the command line of each runtime.
        payload: the file with the message.
    """

    def __init__(
        self, pair: Pair, scenario: Scenario, commands: Mapping[str, list[str]], payload: Path | None
    ) -> None:
        self.pair = pair
        self.scenario = scenario
        self.series = Series()
        job = {"kind": scenario.kind, "handles": scenario.handles, "payload": payload and str(payload)}
        job["serialization"] = scenario.serialization
        job["batch"] = _batch(payload) if pair.many else 1
        self._recordings = tempfile.TemporaryDirectory()
        tap = _tap(self._recordings.name) if ENDS[pair.child].tapped else []
        child = [*tap, *_child_command(ENDS[pair.child], job, commands)]
        parent = _command(ENDS[pair.parent], "parent", job | {"child": child}, commands)
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115 (closed with the process)
        self._process = subprocess.Popen(
            parent,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            env=environment(),
            process_group=0,
        )
        try:
            ready = self._answer(FIRST)
            self._pids = (self._process.pid, int(ready["pid"]))
            self._port = int(ready.get("port", 0))
            if scenario.one_processor:
                share_one_processor((*self._pids, *holders(self._recordings.name)))
            self.series.before = self._memory("VmRSS")
        except BaseException:
            self.kill()
            raise

    def run(self, count: int, limit: float = PASS) -> Taken:
        """Order a pass of `count` messages; raises `PairFailed`."""
        with contextlib.ExitStack() as clients:
            if self.scenario.kind == "socket":
                for _ in range(count):
                    clients.enter_context(socket.create_connection(("127.0.0.1", self._port), timeout=limit))
            before = self._cpu()
            assert self._process.stdin is not None
            with contextlib.suppress(BrokenPipeError):  # then there is no answer either
                self._process.stdin.write(b"%d\n" % count)
                self._process.stdin.flush()
            answer = self._answer(limit)
            after = self._cpu()
        return Taken(answer["seconds"], (after[0] - before[0], after[1] - before[1]))

    def finish(self) -> None:
        """Read the memory and end both processes."""
        self.series.peak = self._memory("VmHWM")
        assert self._process.stdin is not None
        self._process.stdin.close()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(FIRST)
        self.kill()

    def kill(self) -> None:
        """End both processes if they still run."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        for stream in (self._process.stdin, self._process.stdout, self._errors):
            if stream is not None:
                with contextlib.suppress(BrokenPipeError):
                    stream.close()
        self._recordings.cleanup()

    def _answer(self, limit: float) -> dict[str, Any]:
        out = self._process.stdout
        assert out is not None
        line = b""
        deadline = time.monotonic() + limit
        while not line.endswith(b"\n"):
            ready, _, _ = select.select([out], [], [], max(0.0, deadline - time.monotonic()))
            data = os.read(out.fileno(), 65536) if ready else b""
            if not data:
                raise PairFailed(self._complaint("ended" if ready else f"no answer in {limit:.0f} s"))
            line += data
        answer: dict[str, Any] = json.loads(line)
        return answer

    def _complaint(self, what: str) -> str:
        self._errors.seek(0)
        lines = COLOURS.sub("", self._errors.read().decode(errors="replace")).strip().splitlines()
        telling = [line for line in lines if "rror" in line] or lines[-1:]
        return f"{what}: {telling[-1].strip()[:200]}" if telling else what

    def _cpu(self) -> tuple[float, float]:
        try:
            return (
                cpu_seconds(self._pids[0]),
                cpu_seconds(self._pids[1]) if self._pids[1] else self._of_children(),
            )
        except OSError:
            raise PairFailed(self._complaint("ended")) from None

    def _of_children(self) -> float:
        """Processor time of the children that have ended; the kernel counts it in ticks."""
        fields = Path(f"/proc/{self._pids[0]}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[13]) + int(fields[14])) / os.sysconf("SC_CLK_TCK")

    def _memory(self, what: str) -> tuple[int, int]:
        return (memory(self._pids[0], what), memory(self._pids[1], what) if self._pids[1] else 0)


def cpu_seconds(pid: int) -> float:
    """Return the processor time of all threads of another process: Linux's own clock of it, see clock_getcpuclockid(3)."""
    return time.clock_gettime((~pid << 3) | 2)


def memory(pid: int, what: str) -> int:
    """Return bytes of resident memory of another process: now (``VmRSS``) or at most (``VmHWM``)."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith(what):
            return int(line.split()[1]) * 1024
    return 0


def _batch(payload: Path | None) -> int:
    return max(1, min(BATCH, BATCH_BYTES // payload.stat().st_size)) if payload else 1


def holders(folder: str) -> Iterator[int]:
    """Yield the processes that have a file of a folder open, such as the relay of a tap."""
    for process in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if any(str(link.readlink()).startswith(folder) for link in (process / "fd").iterdir()):
                yield int(process.name)


def _tap(folder: str) -> list[str]:
    """The words of a tap that keeps the beginning and the last part of what passes."""
    limits = ["--limit", "64M", "--keep", "2", "--quiet"]
    return [sys.executable, "-m", "channelkit", "tap", *limits, "-o", f"{folder}/", "--"]


def _command(end: End, role: str, job: dict[str, Any], commands: Mapping[str, list[str]]) -> list[str]:
    told = job | {"floor": end.floor, "uvloop": end.runtime == "uvloop"}
    return [*commands[end.runtime], str(PEERS / end.peer), role, json.dumps(told)]


def _child_command(end: End, job: dict[str, Any], commands: Mapping[str, list[str]]) -> list[str]:
    if job["kind"] != "start":
        return _command(end, "child", job | {"child": None}, commands)
    return [*commands[end.runtime], str(PEERS / end.hello), *(["uvloop"] if end.runtime == "uvloop" else [])]


_UNUSUAL = ("PYTHONDONTWRITEBYTECODE", "NODE_EXTRA_CA_CERTS")
"""Each of these makes a start much slower: Node up to 20 reads all the certificates before anything else."""


def environment() -> dict[str, str]:
    """Return the environment of a user: Python keeps its compiled modules, and Node starts without extra certificates."""
    return {name: value for name, value in os.environ.items() if name not in _UNUSUAL}
