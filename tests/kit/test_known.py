"""Known failures: listed failures, new failures, fixed failures."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path

import pytest

from channelkit.catalogue.verdict import Seen, judge, with_known
from channelkit.cli.known import listing
from channelkit.cli.main import main
from channelkit.errors import UsageError
from channelkit.judge.known import read
from support.kit import CASES

HERE = Path(__file__).resolve().parent
CASE = CASES["sample-blank"]
PASSED = judge(CASE, Seen("whole", "silent", "clean"))
FAILED = judge(CASE, Seen("whole", "unexpected", "clean"))
HUNG = judge(CASE, Seen("whole", "silent", "hung"))


def test_the_listed_outcome_is_known() -> None:
    assert with_known(FAILED, "unexpected", CASE).verdict == "known"
    assert with_known(HUNG, "silent/hung", CASE).verdict == "known"


def test_a_different_wrong_outcome_is_a_new_failure() -> None:
    assert with_known(FAILED, "closed", CASE).verdict == "fail"
    assert with_known(HUNG, "silent", CASE).verdict == "fail"


def test_what_is_listed_and_passes_is_an_error() -> None:
    assert with_known(PASSED, "unexpected", CASE).verdict == "fixed"


def test_what_is_not_listed_stays_as_it_is() -> None:
    assert with_known(FAILED, None, CASE) == FAILED


def test_reading(tmp_path: Path) -> None:
    file = tmp_path / "known.txt"
    file.write_text("# comment\n\nfrm-a  died # reason one\nfrm-b ok/hung# two\n", "utf-8")
    assert {name: (one.outcome, one.reason) for name, one in read(file).items()} == {
        "frm-a": ("died", "reason one"),
        "frm-b": ("ok/hung", "two"),
    }


def test_what_varies_and_what_stays_is_declared(tmp_path: Path) -> None:
    file = tmp_path / "known.txt"
    file.write_text("frm-a died # one\nfrm-b ok|died # two\nfrm-c died wontfix # three\n", "utf-8")
    assert [one.kind for one in read(file).values()] == ["known", "flaky", "wontfix"]
    assert [one.outcome for one in read(file).values()] == ["died", "ok|died", "died"]


def test_a_list_that_is_written_anew_keeps_reasons_and_what_stays(tmp_path: Path) -> None:
    file = tmp_path / "known.txt"
    file.write_text("frm-a died wontfix # as it is\nfrm-z died # gone\n", "utf-8")
    entries = [{"case": "frm-a", "signature": "hung"}, {"case": "frm-b", "signature": "died"}]
    assert (
        listing(entries, file)
        == "frm-a  hung wontfix  # as it is\nfrm-b  died          # reason not given yet\n"
    )


@pytest.mark.parametrize(
    "text", ["frm-a died", "frm-a # reason", "frm-a died more # reason", "a b # c\na d # e"]
)
def test_bad_lines_are_named(tmp_path: Path, text: str) -> None:
    file = tmp_path / "known.txt"
    file.write_text(text, "utf-8")
    with pytest.raises(UsageError, match=r"known\.txt:\d"):
        read(file)


@pytest.mark.parametrize(
    ("listed", "told"),
    [
        ("sample-echo unexpected # a reason\n", "| not conformant: 1 known deviation |"),
        ("", "| **not conformant** |"),
    ],
)
def test_a_subject_with_known_deviations_is_not_called_conformant(
    listed: str, told: str, tmp_path: Path
) -> None:
    known, report = tmp_path / "known.txt", tmp_path / "report.md"
    known.write_text(listed, "utf-8")
    command = shlex.join([sys.executable, str(HERE / "miniatures" / "wrong_echo.py")])
    words = ["--cases", str(HERE / "sample.json"), "-k", "sample-echo", "--known", str(known)]
    status = main(["run", "--child", command, *words, "--report", f"md={report}"])
    assert status == (0 if listed else 1)
    assert told in report.read_text("utf-8")
