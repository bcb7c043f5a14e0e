"""`python -m carrierbench`, which is `make carrier-bench`: a table of messages a second; also written to build/carrier-bench.md."""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import threading
from collections import defaultdict
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from support.node import ROOT, node
from support.packages import packages
from support.redis import Redis

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

HERE = Path(__file__).parent
REPORT = ROOT / "build" / "carrier-bench.md"

# Messages of a run, as many as take about a second.
COUNTS = {"stdio": 200_000, "node-ipc": 100_000, "channel": 30_000, "stream": 30_000, "rsmq": 3_000}
OVER_REDIS = ("channel", "stream", "rsmq")

# The sender and the receiver.
PAIRS = (("node", "node"), ("node", "py"), ("py", "node"), ("py", "py"))
LIMIT = 120.0


def commands() -> dict[str, list[str]]:
    """Return the command of an end in each language."""
    return {
        "node": [node(), str(HERE / "peer.mjs")],
        "py": [sys.executable, str(HERE / "peer.py")],
    }


def measure(carrier: str, sender: str, receiver: str, count: int) -> int:
    """Return the messages a second of a run."""
    found = commands()
    with tempfile.TemporaryDirectory() as folder:
        if carrier == "stdio":
            place = " ".join(found[sender])
            return _run(carrier, found[receiver], None, place, count)
        if carrier not in OVER_REDIS:
            return _run(carrier, found[receiver], found[sender], f"{folder}/s", count)
        with Redis() as server:
            place = f"redis://127.0.0.1:{server.port}"
            return _run(carrier, found[receiver], found[sender], place, count)


def _run(carrier: str, receiver: list[str], sender: list[str] | None, place: str, count: int) -> int:
    with _end([*receiver, carrier, "receive", place, str(count)], subprocess.PIPE) as taking:
        assert taking.stdout is not None
        watchdog = threading.Timer(LIMIT, taking.kill)
        watchdog.start()
        try:
            if sender is None:
                return int(taking.stdout.readline())
            assert taking.stdout.readline() == "ready\n"
            with _end([*sender, carrier, "send", place, str(count)], subprocess.DEVNULL):
                return int(taking.stdout.readline())
        finally:
            watchdog.cancel()


@contextmanager
def _end(command: list[str], stdout: int) -> Iterator[subprocess.Popen[str]]:
    """Run an end of a carrier, and end it at the end of the block."""
    with subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=stdout,
        text=True,
        env={**os.environ, "BENCH_PACKAGES": str(packages())},
        process_group=0,
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def table(only: Sequence[str] = tuple(COUNTS), rounds: int = 3, scale: float = 1.0) -> str:
    """Return the messages a second of each carrier and pair, the median of all rounds; the rounds of all take turns."""
    rates: dict[tuple[str, str, str], list[int]] = defaultdict(list)
    for _ in range(rounds):
        for carrier in only:
            for pair in PAIRS:
                count = max(2, int(COUNTS[carrier] * scale))
                rates[carrier, *pair].append(measure(carrier, *pair, count))
    lines = ["| carrier | from | to | messages/s | × Node's pair |", "| --- | --- | --- | ---: | ---: |"]
    for carrier in only:
        base = statistics.median(rates[carrier, "node", "node"])
        for pair in PAIRS:
            rate = statistics.median(rates[carrier, *pair])
            lines.append(f"| {carrier} | {pair[0]} | {pair[1]} | {rate:,.0f} | {rate / base:.2f} |")
    return "\n".join(lines)


def main() -> int:
    """Measure; return the exit status."""
    found = argparse.ArgumentParser(prog="carrierbench")
    found.add_argument(
        "--rounds", type=int, default=3, help="runs of each pair, of which the median counts; 3"
    )
    found.add_argument("--only", nargs="+", default=list(COUNTS), help=f"of {', '.join(COUNTS)}")
    found.add_argument("--scale", type=float, default=1.0, help="times as many messages; 1")
    options = found.parse_args()
    text = table(options.only, options.rounds, options.scale)
    print(text)
    REPORT.parent.mkdir(exist_ok=True)
    REPORT.write_text(f"{text}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
