"""The tutorial's commands, run in order in a directory with the tutorial's files."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

TUTORIAL = Path(__file__).resolve().parents[2] / "conformance" / "tutorial.md"
TEXT = TUTORIAL.read_text("utf-8")


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", TEXT, re.MULTILINE | re.DOTALL)


def test_every_command_says_what_the_tutorial_says(tmp_path: Path) -> None:
    if shutil.which("bash") is None:
        pytest.skip("no bash here")
    for block in blocks("bash"):
        name, _, program = block.removeprefix("# ").partition("\n")
        (tmp_path / name).write_text(program, "utf-8")
    asked = 0
    for block in blocks("console"):
        printed = ""
        for line in block.splitlines():
            if line.startswith("$ "):
                printed = run(line.removeprefix("$ "), tmp_path)
                asked += 1
            else:
                assert line in printed, f"{line!r} is not in\n{printed}"
    assert asked >= 7


def run(line: str, folder: Path) -> str:
    command, *words = shlex.split(line)
    assert command == "channelkit"
    words += ["--jobs", "4", "-k", "cls-*"] if words[0] == "run" else []  # test_adapters.py runs the rest
    environment = {**os.environ, "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}
    done = subprocess.run(
        [sys.executable, "-m", "channelkit", *words],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    assert done.returncode in (0, 1), done.stderr
    return done.stdout


@pytest.mark.parametrize("page", [TUTORIAL, TUTORIAL.parents[1] / "README.md"], ids=lambda page: page.stem)
def test_the_script_on_a_page_is_the_adapter(page: Path) -> None:
    lines = (TUTORIAL.parent / "adapters" / "bash" / "echo.sh").read_text("utf-8").splitlines(keepends=True)
    assert "".join(line for line in lines if not line.startswith("#")) in page.read_text("utf-8")


def test_what_the_tutorial_names_exists() -> None:
    for name in re.findall(r"`(adapters/[a-z/.]+)`", TEXT):
        assert (TUTORIAL.parent / name).exists(), name
