"""`python -m nodechannel`."""

from __future__ import annotations

import subprocess
import sys

import nodechannel


def test_it_is_the_command_and_its_status_is_the_status_of_the_process():
    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "nodechannel", *arguments],
            capture_output=True, text=True, check=False, timeout=30, process_group=0,
        )  # fmt: skip

    good, bad = run("--version"), run("no-such-command")
    assert (good.returncode, good.stdout) == (0, f"nodechannel {nodechannel.__version__}\n")
    assert (bad.returncode, bad.stdout) == (2, "")
