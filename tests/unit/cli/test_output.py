"""Reports of the commands, when standard error has no reader."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

PROGRAM = "from nodechannel._cli.output import say\nfor number in range(3): say(f'line {number}')\nraise SystemExit(4)"


def run(**options):
    return subprocess.run(
        [sys.executable, "-c", PROGRAM], timeout=60, check=False, process_group=0, **options
    )


def test_lines():
    result = run(stderr=subprocess.PIPE, text=True)
    assert (result.returncode, result.stderr.split("\n")[0]) == (4, "nodechannel: line 0")


@pytest.mark.parametrize("kind", ["a pipe without reader", "a full disk", "closed"])
def test_a_report_that_cannot_be_written_does_not_change_the_exit_status(kind):
    if kind == "closed":
        command = ["/bin/sh", "-c", 'exec "$0" "$@" 2>&-', sys.executable, "-c", PROGRAM]
        result = subprocess.run(command, timeout=60, check=False, capture_output=True, process_group=0)
        assert (result.returncode, result.stdout) == (4, b"")
        return
    if kind == "a full disk":
        with open("/dev/full", "wb") as full:  # noqa: PTH123
            assert run(stderr=full).returncode == 4
        return
    read, write = os.pipe()
    os.close(read)
    try:
        assert run(stderr=write).returncode == 4
    finally:
        os.close(write)
