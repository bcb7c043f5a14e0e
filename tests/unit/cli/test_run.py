"""The command `nodechannel run`. Trees that end with their parent are in `tests/interop/test_lifeline.py`."""

from __future__ import annotations

import os
import socket
import subprocess
import sys

import pytest

from nodechannel._cli.run import CANNOT_RUN, NOT_FOUND, USAGE

pytestmark = pytest.mark.skipif(not hasattr(os, "pidfd_open"), reason="Linux alone has pidfds")


def run(*command: str, fds: tuple[int, ...] = (), **env: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "nodechannel", "run", "--", *command],
        capture_output=True, text=True, check=False, timeout=30, process_group=0, pass_fds=fds,
        env={**os.environ, **env},
    )  # fmt: skip


def test_it_becomes_the_command():
    found = run("sh", "-c", "echo $PPID; exit 3")
    assert (found.returncode, found.stdout) == (3, f"{os.getpid()}\n"), found.stderr


def test_the_channel_stays_untouched():
    program = "import os; fd = int(os.environ['NODE_CHANNEL_FD']); os.write(fd, b'hello'); print(fd)"
    ours, theirs = socket.socketpair()
    ours.settimeout(20)
    with ours, theirs:
        number = theirs.fileno()
        found = run(sys.executable, "-c", program, fds=(number,), NODE_CHANNEL_FD=str(number))
        assert (found.stdout, ours.recv(100)) == (f"{number}\n", b"hello"), found.stderr


def test_the_statuses_are_those_of_a_shell(tmp_path):
    file = tmp_path / "f"
    file.write_text("")
    assert run("no-such-command-4711").returncode == NOT_FOUND
    found = run(str(file))
    assert (found.returncode, found.stderr) == (CANNOT_RUN, f"nodechannel: {file}: Permission denied\n")
    assert run().returncode == USAGE


def test_a_channel_that_cannot_be_is_left_to_the_command():
    found = run("sh", "-c", "echo $NODE_CHANNEL_FD", NODE_CHANNEL_FD="77")
    assert (found.returncode, found.stdout) == (0, "77\n"), found.stderr
