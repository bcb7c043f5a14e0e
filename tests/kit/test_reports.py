"""Formats of reports, lists made from them, and the matrix."""

from __future__ import annotations

import json
import shlex
import xml.etree.ElementTree as ET
from typing import TYPE_CHECKING

from channelkit.cli import matrix
from channelkit.cli.main import main
from channelkit.report.markdown import render
from channelkit.runtimes import pinned
from support.kit import SAMPLE, command

if TYPE_CHECKING:
    from pathlib import Path

    import pytest


def run(child: str, *words: str) -> int:
    return main(
        ["run", "--child", shlex.join(command(child)), "--cases", str(SAMPLE), "--time-scale", "0.3", *words]
    )


def test_every_format_at_its_place(tmp_path: Path) -> None:
    words = [f"--report={kind}={tmp_path / kind}" for kind in ("json", "junit", "md", "html")]
    assert run("wrong_echo", "-k", "sample-echo", *words) == 1
    assert json.loads((tmp_path / "json").read_text("utf-8"))["results"][0]["verdict"] == "fail"
    suite = ET.parse(tmp_path / "junit").getroot().find("testsuite")  # our own file
    assert suite is not None
    assert (suite.get("tests"), suite.get("failures")) == ("1", "1")
    failure = suite.find("testcase/failure")
    assert failure is not None
    assert "reproduce: channelkit run" in (failure.text or "")
    text = (tmp_path / "md").read_text("utf-8")
    assert "| sample-echo | MUST | **NO** |" in text
    assert "- **child**: sample-echo (unexpected)" in text
    assert (tmp_path / "html").read_text("utf-8").startswith("<!doctype html>")


def test_a_case_that_no_subject_runs_has_no_row(tmp_path: Path) -> None:
    words = ["--child", shlex.join(command("right")), "-k", "frm-one"]
    report = tmp_path / "results.json"
    assert main(["run", *words, f"--report=json={report}", f"--report=md={tmp_path / 'md'}"]) == 0
    content = json.loads(report.read_text("utf-8"))
    assert len(content["results"]) == 1
    text = (tmp_path / "md").read_text("utf-8")
    assert "| frm-one | MUST | ok |" in text
    # A matrix knows the cases of each wire; a run of one subject knows those that it chose.
    other = {"id": "win-no-data", "level": "MUST", "rules": ["WIN-027"]}
    assert "| win-no-data" not in render({**content, "cases": [*content["cases"], other]})


def test_a_list_of_known_failures_is_made_and_keeps_its_reasons(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    report = tmp_path / "results.json"
    run("wrong_echo", "-k", "sample-echo", f"--report=json={report}")
    assert main(["known", str(report), "--write", str(tmp_path)]) == 0
    written = tmp_path / "child.txt"
    assert written.read_text("utf-8") == "sample-echo  unexpected  # reason not given yet\n"
    written.write_text("sample-echo  unexpected  # wraps twice\n", "utf-8")
    assert run("wrong_echo", "-k", "sample-echo", "--known", str(written), f"--report=json={report}") == 0
    assert main(["known", str(report), "--write", str(tmp_path)]) == 0
    assert "wraps twice" in written.read_text("utf-8")
    capsys.readouterr()
    assert main(["known", str(report)]) == 0
    assert "sample-echo  unexpected" in capsys.readouterr().out


def test_several_outcomes_declare_a_subject_that_varies(tmp_path: Path) -> None:
    known = tmp_path / "known.txt"
    known.write_text("sample-echo ok|silent  # only now and then\n", "utf-8")
    assert run("right", "-k", "sample-echo", "--known", str(known)) == 0
    assert run("wrong_echo", "-k", "sample-echo", "--known", str(known)) == 1


def test_a_matrix_names_what_is_absent(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("CHANNELKIT_CACHE", str(tmp_path))
    found = matrix.subjects(None, others=False)
    # Four roles, and two of them in the mode `advanced` too.
    assert len(found) == 6 * sum(not one.historical for one in pinned.runtimes())
    assert all(one.problem for one in found)
    assert main(["matrix", "--only-runtimes"]) == 2
    printed = capsys.readouterr()
    assert "absent: node@20-child: absent" in printed.out
    assert "channelkit runtimes fetch" in printed.err
    assert main(["matrix", "--runtime", "node@7"]) == 2
