"""A case that ran out of time runs once more. Real silence stays a failure, and a mute subject takes little longer."""

from __future__ import annotations

import dataclasses
from contextlib import closing
from typing import TYPE_CHECKING

from channelkit.cli.main import main
from channelkit.judge.again import MOST
from channelkit.judge.runner import Options, run
from channelkit.judge.subjects import Description
from channelkit.limits import Limits
from support.kit import CASES, SAMPLE, command

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

    from channelkit.judge.execute import CaseResult

ECHO = dataclasses.replace(CASES["sample-echo"], segment="none")


def _run(name: str, *words: str, cases: int = 1) -> list[CaseResult]:
    subject = Description(name, "child", 0, command(name, *words), "")
    work = [(dataclasses.replace(ECHO, id=f"sample-{number}"), subject) for number in range(cases)]
    with closing(run(work, Options(4, Limits(0.2), isolate=True))) as results:
        return list(results)


def test_a_single_silence_is_told_and_no_failure(tmp_path: Path) -> None:
    (result,) = _run("silent_for_a_time", str(tmp_path / "processes"), "1", "1")
    assert (result.judgement.verdict, result.first) == ("pass", "silent")
    assert "first run of the case was silent" in result.judgement.seen.text


def test_a_second_silence_is_a_failure(tmp_path: Path) -> None:
    processes = tmp_path / "processes"
    (result,) = _run("silent_for_a_time", str(processes), "1", "9")
    assert (result.judgement.verdict, result.judgement.seen.outcome, result.first) == (
        "fail",
        "silent",
        "silent",
    )
    assert processes.read_text("utf-8").count("process") == 2


def test_a_mute_subject_has_few_second_runs(tmp_path: Path) -> None:
    processes = tmp_path / "processes"
    results = _run("silent_for_a_time", str(processes), "1", "99", cases=MOST + 4)
    assert {result.judgement.seen.outcome for result in results} == {"silent"}
    assert sum(bool(result.first) for result in results) == MOST
    assert processes.read_text("utf-8").count("process") == len(results) + MOST


def test_a_wrong_answer_has_no_second_run() -> None:
    (result,) = _run("wrong_echo")
    assert (result.judgement.seen.outcome, result.first) == ("unexpected", "")


def test_the_summary_names_the_case(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    # The first process is asked whether it answers at all, and the second runs the case for the first time.
    program = " ".join(command("silent_for_a_time", str(tmp_path / "processes"), "2", "2"))
    words = ["--time-scale", "0.2", "--isolate", "-k", "sample-echo:whole", "--child", program]
    assert main(["run", "--cases", str(SAMPLE), *words]) == 0
    assert "second run  child: 1 case: sample-echo (silent at first)" in capsys.readouterr().out
