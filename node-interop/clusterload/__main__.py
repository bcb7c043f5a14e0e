"""``python -m clusterload``, which is ``make cluster-load``: the proof, then the table; both are written to build/cluster-load.md."""

from __future__ import annotations

import argparse
import asyncio
import platform
import subprocess
import sys
import tempfile
from pathlib import Path

from clusterload.proof import Account, prove
from clusterload.speed import measure, table
from nodechannel._start.spawn import find_node

COLUMNS = (
    "policy",
    "requests",
    "connections",
    "answered",
    "lost on killed workers",
    "sent again",
    "kills",
    "roll-overs",
    "descriptors of the primary",
    "faults",
)

OUTPUT = Path(__file__).resolve().parents[2] / "build" / "cluster-load.md"


def describe(policy: str, account: Account) -> str:
    """Return a row of the table of proofs."""
    total = account.total
    before, after = account.descriptors
    return (
        f"| {policy} | {account.requests:,} | {total['connections']:,} | {total['answered']:,} | {len(account.lost)} | {total['again']} "
        f"| {len(account.kills)} | {account.rolls} | {before} → {after} | {'; '.join(account.faults()[:3]) or 'none'} |"
    )


def main() -> int:
    """Run it; exit status 1 when a request cannot be accounted for."""
    parser = argparse.ArgumentParser(prog="clusterload")
    parser.add_argument("--requests", type=int, default=24_000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--node", default=find_node())
    options = parser.parse_args()
    version = subprocess.run(
        [options.node, "--version"], capture_output=True, text=True, check=True
    ).stdout.strip()
    lines = [
        f"Node {version}, Python {platform.python_version()}, {platform.system()} {platform.machine()}.\n",
        f"| {' | '.join(COLUMNS)} |",
        "| --- " * len(COLUMNS) + "|",
    ]
    good = True
    for policy in ("round-robin", "shared"):
        with tempfile.TemporaryDirectory() as folder:
            account = asyncio.run(prove(options.node, Path(folder), requests=options.requests, policy=policy))
        good &= not account.faults()
        lines.append(describe(policy, account))
        print(lines[-1], flush=True)
    lines += ["", table(asyncio.run(measure(options.node, rounds=options.rounds)))]
    text = "\n".join(lines)
    print(text)
    OUTPUT.parent.mkdir(exist_ok=True)
    OUTPUT.write_text(text, "utf-8")
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
