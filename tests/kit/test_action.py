"""The script of the GitHub action, run as the action runs it."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from support.kit import command
from support.node import ROOT

SCRIPT = ROOT / "conformance" / "action" / "judge.sh"


CHILDREN = [((sys.executable, "-m", "nodechannel", "echo"), 0), (command("exits_early"), 1)]


@pytest.mark.parametrize(("child", "status"), CHILDREN, ids=["right", "wrong"])
def test_the_action_judges_writes_and_fails(child: tuple[str, ...], status: int, tmp_path: Path) -> None:
    names = {name: str(tmp_path / name.lower()) for name in ("GITHUB_OUTPUT", "GITHUB_STEP_SUMMARY")}
    environment = {
        **os.environ,
        **names,
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        "RUNNER_TEMP": str(tmp_path),
        "CHILD": shlex.join(child),
        "LEVEL": "MUST",
    }
    ended = subprocess.run(
        [str(SCRIPT)],
        env=environment,
        capture_output=True,
        text=True,
        timeout=100,
        process_group=0,
        check=False,
    )
    assert ended.returncode == status, ended.stdout + ended.stderr
    assert (tmp_path / "github_output").read_text() == f"report={tmp_path}/channelkit\n"
    assert "| child |" in (tmp_path / "github_step_summary").read_text()
    results = json.loads((tmp_path / "channelkit" / "child.json").read_text())
    assert results["subjects"][0]["conformant"] is (status == 0)
