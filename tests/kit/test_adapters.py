"""The adapters that ship as a start: each passes, written out by ``init-adapter`` and judged by the kit."""

from __future__ import annotations

import shlex
import shutil
import subprocess
from pathlib import Path

import pytest

from channelkit.cli import main
from channelkit.initcli import STARTS
from support.node import node

PROGRAMS = {"bash": "bash", "c": "cc", "node": "", "perl": "perl", "python": "python3"}
FLAGS = ["-std=c99", "-D_POSIX_C_SOURCE=200809L", "-O2", "-Wall", "-Wextra", "-Werror"]


@pytest.mark.parametrize("language", STARTS)
def test_a_start_passes(language: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    program = PROGRAMS[language]
    if program and shutil.which(program) is None:
        pytest.skip(f"no {program} here")
    source = tmp_path / "echo"
    assert main(["init-adapter", language, str(source)]) == 0
    words = [program or node(), str(source)]
    if language == "c":
        words = [str(tmp_path / "program")]
        subprocess.run(
            ["cc", *FLAGS, "-x", "c", "-o", words[0], str(source)], check=True, timeout=60, process_group=0
        )
    if language == "node":
        source = source.rename(tmp_path / "echo.cjs")
        words[1] = str(source)
    assert main(["doctor", "--child", shlex.join(words)]) == 0
    assert main(["run", "--child", shlex.join(words), "--jobs", "4"]) == 0
    assert "child: conformant" in capsys.readouterr().out


def test_nothing_is_written_over(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    target = tmp_path / "echo.sh"
    target.write_text("mine", "utf-8")
    assert main(["init-adapter", "bash", str(target)]) == 2
    assert target.read_text("utf-8") == "mine"
    assert "exists already" in capsys.readouterr().err


@pytest.mark.parametrize("language", STARTS)
def test_a_start_takes_an_afternoon_and_not_a_week(language: str) -> None:
    root = Path(__file__).resolve().parents[2] / "conformance" / "adapters"
    lines = (root / STARTS[language][0]).read_text("utf-8").splitlines()
    assert len(lines) < (100 if language == "c" else 25)
