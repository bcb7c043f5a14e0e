"""Cases that a fuzzer saves: replayed, and added to the catalogue."""

from __future__ import annotations

import json
import shlex
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from channelkit.catalogue.loading import load_file
from channelkit.cli.main import main
from support.kit import SAMPLE, command

SCHEMA = Path(__file__).resolve().parents[2] / "schemas" / "kit" / "case.json"
CASE = {
    "id": "fuzz-0123abcd",
    "title": "A message that is cut inside a character is echoed",
    "rules": ["FRM-022"],
    "level": "MUST",
    "roles": ["child"],
    "rung": 0,
    "steps": [
        {"write": [{"message": {"é": 1}}], "cut": [2, 3]},
        {"expect": {"delivered": {"é": 1}}},
        {"barrier": True},
    ],
    "outcomes": {"ok": "conform"},
}


@pytest.fixture
def finding(tmp_path: Path) -> Path:
    return save(tmp_path / "found.json", CASE)


def save(path: Path, *cases: dict[str, Any]) -> Path:
    path.write_text(json.dumps({"topic": "fuzz", "cases": list(cases)}))
    return path


def test_a_finding_is_replayed_as_often_as_wanted(finding: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["replay", str(finding), "--times", "2", "--child", shlex.join(command("right"))]) == 0
    assert capsys.readouterr().out.count("pass, ok") == 2


def test_a_finding_that_fails_is_1(finding: Path, capsys: pytest.CaptureFixture[str]) -> None:
    child = shlex.join(command("wrong_echo"))
    assert main(["replay", str(finding), "--times", "1", "--child", child]) == 1
    assert "run 1: fail, unexpected" in capsys.readouterr().out


def test_a_case_of_the_catalogue_is_replayed(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["replay", "frm-one", "--times", "1", "--child", shlex.join(command("right"))]) == 0


@pytest.mark.parametrize("what", ["no-such-case", "boo-mode-json"])
def test_what_cannot_be_replayed_is_wrong_usage(what: str) -> None:
    assert main(["replay", what, "--child", shlex.join(command("right"))]) == 2


def test_a_promoted_case_is_one_of_the_catalogue(finding: Path, tmp_path: Path) -> None:
    folder = tmp_path / "cases"
    folder.mkdir()
    words = ["promote", str(finding), "--cases", str(folder)]
    assert main([*words, "--guards", "It was cut."]) == 0
    assert main([*words, "--id", "fuzz-second"]) == 0
    content = json.loads((folder / "fuzz.json").read_text("utf-8"))
    Draft202012Validator(json.loads(SCHEMA.read_text("utf-8"))).validate(content)
    first, second = load_file(folder / "fuzz.json")
    assert (first.id, first.guards, first.steps) == ("fuzz-0123abcd", "It was cut.", CASE["steps"])
    assert (second.id, second.guards) == ("fuzz-second", "")


@pytest.mark.parametrize("words", [[], ["--id", "frm-cut"]])
def test_an_id_is_not_used_twice_and_says_its_topic(
    finding: Path, tmp_path: Path, words: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "cases"
    folder.mkdir()
    if not words:
        assert main(["promote", str(finding), "--cases", str(folder)]) == 0
    assert main(["promote", str(finding), "--cases", str(folder), *words]) == 2
    assert "id" in capsys.readouterr().err


def test_only_one_case_is_promoted(tmp_path: Path) -> None:
    assert main(["promote", str(SAMPLE), "--cases", str(tmp_path)]) == 2
    assert main(["promote", str(tmp_path / "nothing.json")]) == 2


def test_a_catalogue_that_is_not_there_is_wrong_usage(
    finding: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["promote", str(finding), "--cases", str(tmp_path / "nowhere")]) == 2
    assert "nowhere is no directory" in capsys.readouterr().err
