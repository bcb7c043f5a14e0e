"""The programs behind `make carrier-faults` and `make carrier-bench`, with few messages."""

from __future__ import annotations

import subprocess
import sys

import pytest

from carrierbench.__main__ import COUNTS, measure
from carrierfaults.faults import run
from support.node import ROOT


@pytest.mark.parametrize(
    ("kind", "messages", "pause"),
    [
        ("stream", 1000, 0.05),
        ("list", 1000, 0.4),
        ("rsmq", 300, 0.2),
        ("node-ipc", 600, 0.2),
        ("node-ipc-node", 600, 0.2),
    ],
)
@pytest.mark.rule("RDS-011", "RDS-012", "RDS-020", "RDS-022", "NIP-050")
def test_nothing_is_lost_while_everything_is_killed(kind, messages, pause):
    result = run(kind, messages, pause=pause, seed=3)
    assert result.lost == 0
    assert result.faults


@pytest.mark.parametrize("carrier", COUNTS)
def test_each_carrier_has_a_speed(carrier):
    assert measure(carrier, "py", "node", 200) > 0
    assert measure(carrier, "node", "py", 200) > 0


def test_the_programs_have_help():
    for name in ("carrierbench", "carrierfaults"):
        run = subprocess.run(
            [sys.executable, "-m", name, "--help"],
            cwd=ROOT,
            env={"PYTHONPATH": "node-interop:tests:pyref:conformance"},
            check=False,
            capture_output=True,
            timeout=50,
            process_group=0,
        )
        assert run.returncode == 0, run.stderr
