"""`python -m carrierfaults`: all kinds with many messages; prints the figures, and fails when a promised message is lost."""

from __future__ import annotations

import argparse
import sys

from carrierfaults.faults import run
from carrierfaults.kinds import KINDS
from support.node import ROOT

REPORT = ROOT / "build" / "carrier-faults.md"


def main() -> int:
    """Run; return the exit status."""
    found = argparse.ArgumentParser(prog="carrierfaults", description=__doc__)
    found.add_argument("--messages", type=int, default=100_000, help="messages of a run; 100,000")
    found.add_argument("--pause", type=float, default=1.0, help="seconds between two faults; 1")
    found.add_argument("--seed", type=int, default=1, help="of the choice of faults; 1")
    found.add_argument("--kinds", nargs="+", default=list(KINDS), help=f"of {', '.join(KINDS)}")
    options = found.parse_args()
    lines = [
        "| kind | promised | sent | lost | twice | gaps told | faults | seconds |",
        "| --- | --- | ---: | ---: | ---: | ---: | --- | ---: |",
    ]
    broken = 0
    for kind in options.kinds:
        result = run(kind, options.messages, options.pause, options.seed)
        faults = ", ".join(f"{name} {count}×" for name, count in sorted(result.faults.items()))
        promised = "all" if result.promise else "none"
        lines.append(
            f"| {kind} | {promised} | {result.sent:,} | {result.lost} | {result.twice} | {result.gaps} | {faults} "
            f"| {result.seconds:.0f} |"
        )
        print(lines[-1], flush=True)
        broken += result.lost if result.promise else 0
    REPORT.parent.mkdir(exist_ok=True)
    REPORT.write_text("\n".join(lines) + "\n")
    return bool(broken)


if __name__ == "__main__":
    sys.exit(main())
