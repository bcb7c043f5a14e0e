"""Rung C: codecs as filters, correct filters and liars."""

from __future__ import annotations

import shlex
import sys
from typing import TYPE_CHECKING

import pytest

from channelkit.catalogue.loading import shipped
from channelkit.cli.main import main
from channelkit.judge.codec import direction
from channelkit.judge.runner import Options, pairs, run
from channelkit.judge.subjects import from_path
from channelkit.limits import Limits
from channelkit.resources import find

if TYPE_CHECKING:
    from pathlib import Path

CASES = shipped()
RIGHT = """
import json, sys
def event(line):
    value = json.loads(line.decode("utf-8", "replace"), parse_constant=float.fromhex)
    internal = isinstance(value, dict) and str(value.get("cmd")).startswith("NODE_") and len(value["cmd"]) > 5
    return json.dumps({"event": "internal" if internal else "message", "message": value}).encode() + b"\\n"
def decode():
    for line in sys.stdin.buffer.read().split(b"\\n")[:-1]:
        sys.stdout.buffer.write(event(line))
        sys.stdout.buffer.flush()
def encode():
    for line in sys.stdin.buffer:
        value = json.loads(line)
        sys.stdout.buffer.write(json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode() + b"\\n")
status = 0
try:
    {"decode": decode, "encode": encode}[sys.argv[1]]()
except ValueError:
    status = 1
sys.exit(status)
"""


def judge(folder: Path, pattern: str, old: str = "", new: str = "", *words: str) -> int:
    program = folder / "filter.py"
    assert old in RIGHT
    program.write_text(RIGHT.replace(old, new), "utf-8")
    command = shlex.join([sys.executable, "-I", "-S", str(program)])
    return main(["run", "--codec", command, "-k", pattern, *words])


def came(capsys: pytest.CaptureFixture[str]) -> str:
    """The line of the report with the wrong answer of the filter."""
    lines = capsys.readouterr().out.splitlines()
    return next(line for line in lines if line.startswith("  came: ")).removeprefix("  came: ").strip()


def test_the_catalogue_has_cases_for_both_directions() -> None:
    found = [direction(case) for case in CASES]
    assert found.count("decode") > 60
    assert found.count("encode") > 15


@pytest.mark.parametrize(
    "pattern",
    [
        "frm-one",
        "frm-good-before-bad",
        "cls-user-prefix-alone",
        "jsn-send-string",
        "jsn-send-empty-containers",
    ],
)
def test_a_right_filter_passes(pattern: str, tmp_path: Path) -> None:
    assert judge(tmp_path, pattern) == 0


@pytest.mark.parametrize(
    ("pattern", "old", "new", "outcome", "words"),
    [
        ("frm-good-before-bad", "status = 1", "status = 2", "died", "the filter ended with exit status 2"),
        (
            "frm-good-before-bad",
            "status = 1",
            "import os; os.abort()",
            "died",
            "the filter ended with SIGABRT",
        ),
        ("frm-one", "status = 0", "status = 1", "refused", "the filter rejected a good line"),
        ("frm-unterminated-end", "[:-1]", "", "unexpected", "the filter delivered"),
        ("frm-unterminated-number", "[:-1]", "", "unexpected", "the filter delivered"),
        ("frm-many-in-one-write", "[:-1]", "[:1]", "silent", "nothing more was delivered"),
        ("cls-user-prefix-alone", "> 5", "> 4", "silent", "nothing more was delivered"),
        ("cls-unknown-internal", "len(value", "1 > len(value", "unexpected", "the filter delivered"),
        ("jsn-send-string", 'b"\\n")\nstatus', 'b"")\nstatus', "unexpected", "no complete frame"),
        ("jsn-send-string", ".encode() +", ".encode()[:-1] +", "unexpected", "the filter wrote"),
        ("jsn-send-string", "status = 0", "status = 1", "refused", "the filter refused a message"),
    ],
)
def test_a_liar_fails(
    pattern: str,
    old: str,
    new: str,
    outcome: str,
    words: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert judge(tmp_path, pattern, old, new) == 1
    assert f"(outcome {outcome})" in (line := came(capsys))
    assert words in line


def test_what_is_declared_unsupported_is_no_failure(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert judge(tmp_path, "jsn-send-string", "status = 0", "sys.exit(3)") == 0
    assert "codec: conformant: 1 unsupported" in capsys.readouterr().out


def test_a_filter_that_writes_no_events_is_inconclusive(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert judge(tmp_path, "frm-one", '"message": value}', '"massage": value}') == 3
    assert "a line that is no event" in capsys.readouterr().out


def test_a_filter_that_never_ends_is_ended(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert judge(tmp_path, "frm-one", "status = 0", "while True: pass", "--time-scale", "0.1") == 1
    assert came(capsys).startswith("the filter does not end; the first run of the case was silent")


def test_the_filters_that_ship_pass_what_they_should(capsys: pytest.CaptureFixture[str]) -> None:
    for name in ("pyref-codec", "more/javascript-codec"):
        subject = f"conformance/subjects/{name}.json"
        assert main(["run", "--subjects", subject, "-k", "frm-utf8", "--jobs", "4"]) == 0
    assert capsys.readouterr().out.count("conformant: ") == 2


def test_a_filter_of_the_mode_advanced_is_judged_by_chapter_35() -> None:
    subjects = from_path(find("subjects/more/pyref-advanced-codec.json"))
    cases = [case for case in CASES if case.id.startswith(("adv-read-5", "adv-send-5", "adv-refused-5"))]
    results = list(run(pairs(subjects, cases), Options(4, Limits(2))))
    assert {result.judgement.verdict for result in results} == {"pass"}
    assert len(results) > 30
