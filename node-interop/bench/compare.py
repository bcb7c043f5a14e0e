"""`python -m bench.compare BASE`, which is `make bench-compare BASE=REV`: what this checkout costs beside another revision.

Two processes do the same work, one with each revision, in turn and for a few hundredths of a second each. A row is the median of their
ratios, so other load on the machine hits both. The bytecodes of `nodechannel` are counted besides; their number hardly varies.
"""

from __future__ import annotations

import argparse
import contextlib
import statistics
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from bench.alone import ROOT, Alone

if TYPE_CHECKING:
    from collections.abc import Iterator

# The works of a comparison, names of `peers/alone.py`.
ROWS = (
    "send",
    "receive",
    "round-trip",
    "round-trip-object",
    "round-trip-advanced",
    "round-trip-64k",
    "receive-64k-buffer",
    "receive-1m-buffer",
    "send-64k-buffer",
    "send-1m-buffer",
    "batches",
    "hand-overs",
    "asyncio-hand-overs",
    "asyncio-flood",
    "awaited-1",
    "awaited-1-uvloop",
    "awaited-1000",
    "called-1000",
    "import",
    "import-asyncio",
)

# More of either than this times what the base costs is a failure.
LIMIT = 1.10
# Seconds of processor time of a pass, and passes of each revision; a row that fails gets more of them before it counts.
PASS = 0.03
PASSES = 20
MOST_PASSES = 100


@dataclass(frozen=True)
class Row:
    """How much more this checkout needs than the base.

    Attributes:
        seconds: the processor time of an operation, of the base and of this checkout.
        ratio: the median ratio of the two.
        bytecodes: those of an operation, of the base and of this checkout; None where they are not counted.
    """

    work: str
    seconds: tuple[float, float]
    ratio: float
    bytecodes: tuple[float, float] | None

    @property
    def failed(self) -> bool:
        """Whether the checkout needs too much more."""
        more = 0.0 if self.bytecodes is None else self.bytecodes[1] / self.bytecodes[0]
        return max(self.ratio, more) > LIMIT

    def __str__(self) -> str:
        counted = "" if self.bytecodes is None else f"{self.bytecodes[0]:.0f} → {self.bytecodes[1]:.0f}"
        times = f"{1e6 * self.seconds[0]:.1f} → {1e6 * self.seconds[1]:.1f} µs"
        verdict = "FAILED" if self.failed else ""
        return f"{self.work:22} {self.ratio:6.2f} ×  {times:26} {counted:16} {verdict}".rstrip()


def compare(work: str, base: Path, head: Path = ROOT) -> Row | None:
    """Measure a row; None where one of the revisions cannot do the work."""
    with Alone(work, base) as before, Alone(work, head) as after:
        if before.absent or after.absent:
            return None
        count = min(_operations(one) for one in (before, after))
        costs: list[tuple[float, float]] = []
        while not _enough(costs):
            costs.append((before.cost(count), after.cost(count)))
        counted = before.bytecodes(), after.bytecodes()
    bytecodes = None if counted[0] is None or counted[1] is None else (counted[0], counted[1])
    seconds = statistics.median(one[0] for one in costs), statistics.median(one[1] for one in costs)
    return Row(work, seconds, _ratio(costs), bytecodes)


def _operations(one: Alone) -> int:
    """Return how many operations take a pass, once the code is warm."""
    count = 1
    for _ in range(3):
        count = max(1, int(PASS / one.cost(count)))
    return count


def _ratio(costs: list[tuple[float, float]]) -> float:
    return statistics.median(after / before for before, after in costs)


def _enough(costs: list[tuple[float, float]]) -> bool:
    if len(costs) < PASSES:
        return False
    return _ratio(costs) <= LIMIT or len(costs) >= MOST_PASSES


@contextlib.contextmanager
def checkout(revision: str) -> Iterator[Path]:
    """Give the files of a revision, for the time of the block."""
    with tempfile.TemporaryDirectory() as folder:
        tree = Path(folder) / "base"
        _git("worktree", "add", "--quiet", "--detach", str(tree), revision)
        try:
            yield tree
        finally:
            _git("worktree", "remove", "--force", str(tree))


def _git(*words: str) -> None:
    subprocess.run(["git", "-C", str(ROOT), *words], check=True)


def main() -> None:
    """Run the command line; the exit status is 1 when a row has failed."""
    parser = argparse.ArgumentParser(
        prog="bench.compare", description="compares this checkout with another revision"
    )
    parser.add_argument("base", help="the revision to compare with, such as HEAD or a branch")
    parser.add_argument(
        "--only", nargs="+", default=list(ROWS), metavar="WORK", help="works of peers/alone.py"
    )
    options = parser.parse_args()
    failed = []
    with checkout(options.base) as base:
        for work in options.only:
            row = compare(work, base)
            print(row or f"{work:22} absent", flush=True)
            if row is not None and row.failed:
                failed.append(work)
    if failed:
        sys.exit(f"more than {100 * (LIMIT - 1):.0f} % in: {', '.join(failed)}")


if __name__ == "__main__":
    main()
