"""The README's tour, typed as a new user would: every file it shows is written, every command is run, every output compared."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from support.node import ROOT, node

README = (ROOT / "README.md").read_text()
TOUR = README[README.index("## Five minutes") : README.index("## What it does")]
SECTIONS = dict(re.findall(r"^### (.+?)\n(.*?)(?=^### |\Z)", TOUR, re.MULTILINE | re.DOTALL))
FENCE = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def matches(expected: str, output: str) -> bool:
    """Compare as doctest does: an ellipsis stands for anything."""
    pattern = ".*".join(map(re.escape, expected.split("...")))
    return re.fullmatch(pattern, output, re.DOTALL) is not None


@pytest.fixture
def run(tmp_path):
    """Run a shell command in a folder of its own, with the interpreters of this test run."""
    tools = tmp_path / "bin"
    tools.mkdir()
    for name, target in {"python3": sys.executable, "node": node()}.items():
        # Wrappers, not links: an interpreter finds its virtual environment by its own path.
        (tools / name).write_text(f'#!/bin/sh\nexec "{target}" "$@"\n')
        (tools / name).chmod(0o755)
    path = os.pathsep.join([str(tools), str(Path(sys.executable).parent), os.environ["PATH"]])

    def start(command: str) -> str:
        result = subprocess.run(
            ["sh", "-c", command],
            cwd=tmp_path,
            env={**os.environ, "PATH": path},
            capture_output=True,
            text=True,
            timeout=55,
            process_group=0,
            check=False,
        )
        assert result.returncode == 0, result.stdout + result.stderr
        return result.stdout

    return start


@pytest.mark.parametrize("title", SECTIONS)
def test_the_tour(title, run, tmp_path):
    section = SECTIONS[title]
    ran = 0
    for fence in FENCE.finditer(section):
        language, body = fence.groups()
        if language == "console":
            command, _, expected = body.removeprefix("$ ").partition("\n")
            output = run(command)
            assert matches(expected, output), output
            ran += 1
        else:
            name = re.findall(r"`([\w.]+)`:\n\n$", section[: fence.start()])[-1]
            (tmp_path / name).write_text(body)
    assert ran, "the section runs no command"


def test_the_tour_has_the_five_stops():
    assert len(SECTIONS) == 5


def test_a_difference_would_be_seen():
    assert matches("a\n...\nz\n", "a\nb\nc\nz\n")
    assert not matches("a\n...\nz\n", "a\nb\nc\n")
