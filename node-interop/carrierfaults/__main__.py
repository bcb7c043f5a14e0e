"""`python -m carrierfaults`: both kinds with many messages; prints the figures, and fails when one is lost."""

from __future__ import annotations

import argparse
import sys

from carrierfaults.faults import run
from support.node import ROOT

REPORT = ROOT / "build" / "carrier-faults.md"


def main() -> int:
    """Run; return the exit status."""
    found = argparse.ArgumentParser(description=__doc__)
    found.add_argument("--messages", type=int, default=100_000, help="messages of a run; 100,000")
    found.add_argument("--pause", type=float, default=1.0, help="seconds between two faults; 1")
    found.add_argument("--seed", type=int, default=1, help="of the choice of faults; 1")
    found.add_argument("--kinds", nargs="+", default=["stream", "list"], help="stream and list")
    options = found.parse_args()
    lines = ["| kind | sent | lost | twice | faults | seconds |", "| --- | ---: | ---: | ---: | --- | ---: |"]
    lost = 0
    for kind in options.kinds:
        result = run(kind, options.messages, options.pause, options.seed)
        faults = ", ".join(f"{name} {count}×" for name, count in sorted(result.faults.items()))
        lines.append(
            f"| {kind} | {result.sent:,} | {result.lost} | {result.twice} | {faults} | {result.seconds:.0f} |"
        )
        print(lines[-1], flush=True)
        lost += result.lost
    REPORT.parent.mkdir(exist_ok=True)
    REPORT.write_text("\n".join(lines) + "\n")
    return bool(lost)


if __name__ == "__main__":
    sys.exit(main())
