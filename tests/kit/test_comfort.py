"""The output for a person: at a terminal, in a pipe, and for a subject that ends at its start."""

from __future__ import annotations

import os
import pty
import re
import select
import shlex
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest

from channelkit.cli.main import main
from support.kit import SAMPLE, command
from support.node import ROOT

if TYPE_CHECKING:
    from pathlib import Path

DRIVEN = shlex.join(
    [sys.executable, str(ROOT / "conformance" / "adapters" / "pyref" / "adapter.py"), "blocking"]
)
LONGEST = 20.0
"""Seconds for a silent subject, on a busy machine."""


def run(
    *words: str, stdout: int | None = subprocess.PIPE, **variables: str
) -> subprocess.CompletedProcess[str]:
    argv = [sys.executable, "-m", "channelkit", *words]
    environment = {**os.environ, "TERM": "xterm", **variables}
    return subprocess.run(
        argv, stdout=stdout, stderr=subprocess.PIPE, text=True, env=environment, timeout=120, check=False
    )


def at_a_terminal(*words: str, **variables: str) -> str:
    """The output of the kit on a terminal."""
    controller, terminal = pty.openpty()
    environment = {**os.environ, "TERM": "xterm", **variables}
    argv = [sys.executable, "-m", "channelkit", *words]
    with subprocess.Popen(argv, stdin=terminal, stdout=terminal, stderr=terminal, env=environment) as kit:
        os.close(terminal)
        printed = bytearray()
        until = time.monotonic() + 120
        while time.monotonic() < until:
            if select.select([controller], [], [], 1)[0]:
                try:
                    printed += os.read(controller, 65536)
                except OSError:  # EIO: the far side is closed
                    break
        kit.wait(10)
    os.close(controller)
    return printed.decode()


def sample(*words: str, child: str = "right") -> list[str]:
    return ["run", "--child", shlex.join(command(child)), "--cases", str(SAMPLE), *words]


def test_a_terminal_has_colours_and_progress() -> None:
    printed = at_a_terminal(*sample(), NO_COLOR="")
    assert "\x1b[32mok   \x1b[0m" in printed
    assert re.search(r"\r\x1b\[K\d of 2, 0 failed", printed)


@pytest.mark.parametrize("variables", [{"NO_COLOR": "1"}, {"TERM": "dumb"}])
def test_who_wants_no_colour_gets_none(variables: dict[str, str]) -> None:
    assert "\x1b" not in at_a_terminal(*sample(), **variables)


def test_a_pipe_has_neither() -> None:
    assert "\x1b" not in run(*sample()).stdout


def test_a_terminal_without_utf8_prints_escapes() -> None:
    done = run(
        *sample("-k", "sample-echo", child="wrong_echo"), PYTHONIOENCODING="ascii", LC_ALL="C", PYTHONUTF8="0"
    )
    assert done.returncode == 1, done.stderr
    assert "\\u20ac" in done.stdout


@pytest.mark.parametrize("case", ["jsn-lone-surrogate", "jsn-send-lone-surrogate"])
def test_a_case_with_half_a_character_can_be_shown(case: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["show", case]) == 0
    assert re.search("[\ud800-\udfff]", capsys.readouterr().out) is None


@pytest.mark.parametrize(
    ("child", "rung", "told"),
    [
        ("silent", "0", "did not answer its first message"),
        ("silent", "1", "is it an echo child?"),
        ("hostile hello-then-mute", "2", "did not answer open: no reply came"),
    ],
)
def test_the_dead_and_the_mute_end_the_run(
    child: str, rung: str, told: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    started = time.monotonic()
    report = tmp_path / "report"
    words = [
        "run",
        "--child",
        shlex.join(command(*child.split())),
        "--rung",
        rung,
        "--report",
        str(report),
        "--time-scale",
        "0.3",
    ]
    assert main(words) == 1
    assert time.monotonic() - started < LONGEST
    printed = capsys.readouterr().out
    assert told in printed
    assert "child: NOT judged" in printed
    assert "was not judged" in (report / "index.html").read_text("utf-8")


def test_the_dead_say_their_last_words(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    program = tmp_path / "broken.py"
    program.write_text("import no_such_module\n", "utf-8")
    junit = tmp_path / "junit.xml"
    child = shlex.join([sys.executable, str(program)])
    assert main(["run", "--child", child, "--rung", "2", f"--report=junit={junit}"]) == 1
    assert "ModuleNotFoundError: No module named 'no_such_module'" in capsys.readouterr().out
    assert "ModuleNotFoundError" in junit.read_text("utf-8")


def test_lines_of_a_transcript_fit_on_a_wide_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    words = ["run", "--child", shlex.join(command("wrong_echo")), "-k", "frm-utf8*", "--time-scale", "0.5"]
    assert main(words) == 1
    found = [line for line in capsys.readouterr().out.splitlines() if "kit  → " in line or "kit  ← " in line]
    assert found
    assert max(map(len, found)) <= 200


def test_a_command_of_ones_own_is_either_side_of_a_pair(capsys: pytest.CaptureFixture[str]) -> None:
    for pair in ((DRIVEN, "pyref-sync"), ("pyref-sync", DRIVEN)):
        assert main(["pair", *pair, "-k", "values"]) == 0
    assert capsys.readouterr().out.count("ok     values-") == 4
    assert main(["pair", "no-such-program", "pyref-sync"]) == 2
    assert "there is no program of that name" in capsys.readouterr().err


def test_the_doctor_examines_a_codec(capsys: pytest.CaptureFixture[str]) -> None:
    codec = shlex.join([sys.executable, str(ROOT / "conformance" / "adapters" / "pyref" / "codec.py")])
    assert main(["doctor", "--codec", codec]) == 0
    assert "ok  `decode` takes a line" in capsys.readouterr().out
    assert main(["doctor", "--codec", "cat"]) == 1
    assert "says whether the rules are" not in capsys.readouterr().out
