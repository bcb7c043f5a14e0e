"""The adapters that ship as a start: each passes, written out by ``init-adapter`` and judged by the kit."""

from __future__ import annotations

import shlex
import shutil
import subprocess
from pathlib import Path

import pytest

from channelkit.cli.init import COMPILERS, STARTS
from channelkit.cli.main import main
from support.node import node

ROOT = Path(__file__).resolve().parents[2] / "conformance" / "adapters"
PROGRAMS = {
    "bash": "bash",
    "c": "cc",
    "node": "",
    "perl": "perl",
    "python": "python3",
    "rust": "rustc",
    "tcl": "tclsh",
}
FLAGS = {
    "c": ["cc", "-std=c99", "-D_POSIX_C_SOURCE=200809L", "-O2", "-Wall", "-Wextra", "-Werror", "-x", "c"],
    "rust": ["rustc", "--edition", "2021", "-D", "warnings"],
}


@pytest.mark.parametrize("language", STARTS)
def test_a_start_passes(language: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    program = PROGRAMS[language]
    if program and shutil.which(program) is None:
        pytest.skip(f"no {program} here")
    source = tmp_path / "echo"
    assert main(["init-adapter", language, str(source)]) == 0
    words = ["bash" if language == "tcl" else program or node(), str(source)]
    if language in COMPILERS:
        words = [str(tmp_path / "program")]
        subprocess.run(
            [*FLAGS[language], "-o", words[0], str(source)], check=True, timeout=60, process_group=0
        )
    if language == "node":
        source = source.rename(tmp_path / "echo.cjs")
        words[1] = str(source)
    assert main(["doctor", "--child", shlex.join(words)]) == 0
    # The start in bash takes half a minute for all cases. `make conformance` and the tour of the README judge it by all of them.
    some = ["-k", "c*"] if language == "bash" else []
    assert main(["run", "--child", shlex.join(words), "--jobs", "4", *some]) == 0
    assert "child: conformant" in capsys.readouterr().out


def test_the_driven_adapter_in_c_passes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    if shutil.which("cc") is None:
        pytest.skip("no cc here")
    source = ROOT / "c" / "driven.c"
    program = str(tmp_path / "driven")
    subprocess.run([*FLAGS["c"], "-o", program, str(source), "-lm"], check=True, timeout=60, process_group=0)
    assert main(["run", "--child", program, "--profile", "child", "--validate", "--jobs", "4"]) == 0
    assert "child (driven.c 1): conformant" in capsys.readouterr().out


def test_nothing_is_written_over(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    target = tmp_path / "echo.sh"
    target.write_text("mine", "utf-8")
    assert main(["init-adapter", "bash", str(target)]) == 2
    assert target.read_text("utf-8") == "mine"
    assert "exists already" in capsys.readouterr().err


LONGEST = {"c": 100, "rust": 50, "python": 25, "tcl": 25}
"""Lines of a start where they are more than fifteen: C, Rust and Tcl have no JSON, and read the object for its `cmd` themselves."""


@pytest.mark.parametrize("language", STARTS)
def test_a_start_takes_an_afternoon_and_not_a_week(language: str) -> None:
    lines = (ROOT / STARTS[language][0]).read_text("utf-8").splitlines()
    assert len(lines) < LONGEST.get(language, 15)
