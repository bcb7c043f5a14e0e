"""The benchmarks run, and what they measure grows linearly. Nothing here is timed against a clock."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

from support.node import ROOT, node

BENCH = ROOT / "node-interop"


def bench(*arguments: str) -> str:
    """Run the benchmarks as `make bench` does."""
    done = subprocess.run(
        [sys.executable, "-m", "bench", "--offline", *arguments],
        env={**os.environ, "PYTHONPATH": str(BENCH), "NODE": node()},
        capture_output=True,
        text=True,
        timeout=55,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.skipif(
    sys.platform != "linux", reason="reads the kernel's clocks of other processes, Linux only"
)
def test_it_runs(tmp_path):
    pairs = ["node-node", "node-py", "node-aio", "py-node", "aio-node", "py-py", "pipe-pipe", "json-json"]
    printed = bench("--short", "--output", str(tmp_path), "--pairs", *pairs)
    results = json.loads((tmp_path / "results.json").read_text())
    measured = results["scenarios"]
    assert set(measured["oneway-64-up"]["pairs"]) == set(pairs)
    assert not any(scenario["failed"] for scenario in measured.values())
    for scenario in measured.values():
        for pair in scenario["pairs"].values():
            assert pair["rate"] > 0
            assert min(pair["before"]) >= 0 < pair["peak"][0]
    assert measured["oneway-64-up"]["pairs"]["node-node"]["times"] == 1
    assert "| Node → Python " in printed
    assert any(target["measure"].startswith("round trip 64 B") for target in results["targets"])
