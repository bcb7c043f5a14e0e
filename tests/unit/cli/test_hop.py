"""The command `nodechannel hop`."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "nodechannel", "hop", *arguments],
        capture_output=True, text=True, check=False, timeout=30, process_group=0,
    )  # fmt: skip


def test_the_path_is_printed_and_leads_to_the_stand_in():
    found = run("--print-path")
    path = Path(found.stdout.rstrip("\n"))
    assert (found.returncode, path.name) == (0, "hop.cjs")
    assert "NODE_CHANNEL_FD" in path.read_text()


def test_without_its_option_it_says_what_is_missing():
    found = run()
    assert (found.returncode, found.stdout) == (2, "")
    assert "--print-path" in found.stderr
