"""The command line, as a process."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest


def run(*arguments: str, **environ: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "nodechannel", *arguments],
        capture_output=True,
        text=True,
        timeout=30,
        process_group=0,
        check=False,
        env={**os.environ, **environ},
    )


@pytest.mark.parametrize("options", [(), ("--asyncio",)])
@pytest.mark.parametrize("value", ["", "77", "abc"])
def test_echo_without_a_usable_channel_says_why(options, value):
    result = run("echo", *options, NODE_CHANNEL_FD=value)
    assert result.returncode == 2
    assert result.stderr.startswith("nodechannel: NODE_CHANNEL_FD")
    assert "Traceback" not in result.stderr


@pytest.mark.parametrize("options", [(), ("--asyncio",)])
def test_echo_answers_reports_bad_lines_and_ends_with_the_channel(options):
    ours, theirs = socket.socketpair()
    with ours, theirs:
        process = subprocess.Popen(
            [sys.executable, "-m", "nodechannel", "echo", *options],
            pass_fds=(theirs.fileno(),),
            env={**os.environ, "NODE_CHANNEL_FD": str(theirs.fileno())},
            stderr=subprocess.PIPE,
            text=True,
            process_group=0,
        )
        theirs.close()
        ours.settimeout(20)
        ours.sendall(b'{"a":1}\nnonsense\n9007199254740993\n')
        expected = b'{"echo":{"a":1}}\n{"echo":9007199254740993}\n'
        data = b""
        while len(data) < len(expected):
            data += ours.recv(1000)
        assert data == expected
        ours.shutdown(socket.SHUT_WR)
        _, errors = process.communicate(timeout=20)
        assert process.returncode == 0
        assert errors.count("NC_INVALID_JSON") == 1


def test_doctor_says_what_it_finds():
    result = run("doctor", NODE_CHANNEL_FD="")
    assert result.returncode == 0
    assert "none: NODE_CHANNEL_FD is not set" in result.stdout
    assert f"python         {sys.version.split()[0]}" in result.stdout
    assert "unusable: NODE_CHANNEL_FD='77'" in run("doctor", NODE_CHANNEL_FD="77").stdout


def test_no_command_is_wrong_usage():
    assert run().returncode == 2
    assert run("unheard-of").returncode == 2


def test_hop_prints_the_path_of_the_file():
    result = run("hop", "--print-path")
    assert result.returncode == 0
    assert Path(result.stdout.strip()).read_text().startswith("#!/usr/bin/env node")
    assert run("hop").returncode == 2
