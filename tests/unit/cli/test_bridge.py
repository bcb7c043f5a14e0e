"""The command `nodechannel bridge`: its words."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest


@pytest.mark.parametrize(
    ("words", "text"),
    [
        (["stdio"], "usage"),
        (["stdio", "--"], "usage"),
        (["redis://x", "--", "true"], "the source is"),
        (["node-ipc", "x" * 200, "--", "true"], "107 bytes"),
        (["odd", "key", "--", "true"], "the source is"),
    ],
)
def test_wrong_use_says_what_to_do(words, text):
    run = subprocess.run(
        [sys.executable, "-m", "nodechannel", "bridge", *words],
        capture_output=True,
        text=True,
        timeout=50,
        check=False,
        process_group=0,
        stdin=subprocess.DEVNULL,
    )
    assert (run.returncode, text in run.stderr) == (2, True), run.stderr


def test_a_command_that_is_not_there(tmp_path):
    run = subprocess.run(
        [sys.executable, "-m", "nodechannel", "bridge", "stdio", "--", str(tmp_path / "absent")],
        input=json.dumps(1) + "\n",
        capture_output=True,
        text=True,
        timeout=50,
        check=False,
        process_group=0,
    )
    assert run.returncode == 1
    assert "absent" in run.stderr
