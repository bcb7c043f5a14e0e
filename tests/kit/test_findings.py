"""Every form of a report tells a cause once, with the expectation beside the event that came."""

from __future__ import annotations

import json
import shlex
import sys
import xml.etree.ElementTree as ET
from typing import TYPE_CHECKING, Any

import pytest

from channelkit.cli.main import main
from channelkit.report.findings import cause_of, count, fold, headline, shortened
from mutants.kill import BASE
from support.kit import command

if TYPE_CHECKING:
    from pathlib import Path

FORMATS = ("json", "junit", "md", "html")


@pytest.fixture(scope="module")
def hung(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The reports on an echo child that is right and never ends."""
    folder = tmp_path_factory.mktemp("hung")
    program = folder / "hangs.py"
    program.write_text(BASE.read_text("utf-8") + "\nimport time\ntime.sleep(600)\n", "utf-8")
    words = [f"--report={kind}={folder / kind}" for kind in FORMATS]
    child = shlex.join([sys.executable, "-I", "-S", str(program), "echo"])
    assert main(["run", "--child", child, "-k", "cls-user*", "--time-scale", "0.5", *words]) == 1
    return folder


def test_one_fault_is_one_finding(hung: Path) -> None:
    content = json.loads((hung / "json").read_text("utf-8"))
    assert len(content["results"]) > 3
    assert all(entry["signature"].endswith("/hung") for entry in content["results"])
    [finding] = content["findings"]
    assert (finding["rule"], len(finding["cases"])) == ("LIF-002", len(content["results"]))
    assert (finding["expected"], finding["came"]) == (
        "the ending clean",
        "the subject did not end and had to be killed",
    )


def test_every_form_tells_it_once(hung: Path) -> None:
    content = json.loads((hung / "json").read_text("utf-8"))
    [finding] = content["findings"]
    suite = ET.parse(hung / "junit").getroot().find("testsuite")
    assert suite is not None
    failures = [failure.text or "" for failure in suite.iter("failure")]
    assert sum("same cause as" in text for text in failures) == len(failures) - 1 == len(finding["cases"]) - 1
    assert float(suite.get("time") or 0) > 0
    assert (hung / "md").read_text("utf-8").count("expected the ending clean") == 1
    assert (hung / "html").read_text("utf-8").count("Expected: the ending clean") == 1


def test_the_console_tells_a_cause_once(capsys: pytest.CaptureFixture[str]) -> None:
    words = ["run", "--child", shlex.join(command("wrong_echo")), "-k", "cls-user*", "--time-scale", "0.5"]
    assert main(words) == 1
    printed = capsys.readouterr().out
    assert "same cause as cls-" in printed
    assert "  expected: the delivery of " in printed
    assert printed.count("finding  child: ") < printed.count("FAIL  child")


def _entry(case: str, **more: Any) -> dict[str, Any]:
    usual = {
        "subject": "s",
        "verdict": "fail",
        "signature": "silent",
        "ending": "clean",
        "cause": "",
        "stderr": "",
    }
    return {
        **usual,
        "case": case,
        "rules": ["FRM-001"],
        "text": "nothing came in time",
        "expected": "",
        "reproduce": "",
        **more,
    }


def test_what_differs_in_its_cause_is_told_apart() -> None:
    entries = [
        _entry("a", cause="no delivered"),
        _entry("b", cause="no event disconnect"),
        _entry("c", cause="no delivered"),
        _entry("d", cause="no delivered", subject="other"),
        _entry("e", verdict="pass"),
    ]
    assert [finding["cases"] for finding in fold(entries)] == [["a", "c"], ["b"], ["d"]]


def test_numbers_and_contents_are_no_difference() -> None:
    left = _entry("a", text='the adapter reported {"event": "error", "code": "EPIPE", "text": "17"}')
    right = _entry("b", text='the adapter reported {"event": "error", "code": "EPIPE", "text": "18"}')
    other = _entry("c", text='the adapter reported {"event": "error", "code": "EIO", "text": "17"}')
    assert cause_of(left) == cause_of(right) != cause_of(other)
    dead = {"signature": "died", "text": "the subject ended with exit status 1"}
    key, value = (
        _entry("d", stderr=f"Traceback\n{name}: 'x'\n", **dead) for name in ("KeyError", "ValueError")
    )
    assert cause_of(key) != cause_of(value)


def test_leaks_of_other_numbers_are_one_finding() -> None:
    left, right, other = (
        _entry(case, signature="leaked", cause=f"the subject holds {text}")
        for case, text in (
            ("a", "2 descriptors more: 24 -> socket:[1952474], 25 -> socket:[1952475]"),
            ("b", "2 descriptors more: 23 -> socket:[1958392], 24 -> socket:[1958393]"),
            ("c", "1 descriptor more: 23 -> socket:[1958392]"),
        )
    )
    assert cause_of(left) == cause_of(right) != cause_of(other)


def test_the_rule_is_the_one_that_its_cases_share() -> None:
    entries = [
        _entry("a", rules=["FRM-001", "JSN-020"]),
        _entry("b", rules=["JSN-020", "LIF-001"]),
        _entry("c", rules=["LIF-001", "JSN-020"]),
    ]
    assert fold(entries)[0]["rule"] == "JSN-020"
    assert headline(fold(entries)[0]) == "3 cases, JSN-020, silent"


def test_one_is_singular() -> None:
    assert [count(number, "case") for number in (0, 1, 2)] == ["0 cases", "1 case", "2 cases"]
    assert shortened("abcdefghij", 3) == "a, b, c and 7 more"
