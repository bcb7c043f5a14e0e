"""The command line: exit statuses, reports, the output of a failure."""

from __future__ import annotations

import argparse
import json
import os
import shlex
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from jsonschema import Draft202012Validator

from channelkit.cli.main import main, parser
from support.kit import SAMPLE, command
from support.node import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator

SCHEMAS = Path(__file__).resolve().parents[2] / "schemas" / "kit"


def run(*words: str, child: str = "right") -> int:
    return main(["run", "--child", shlex.join(command(child)), "--cases", str(SAMPLE), *words])


def fits(content: Any) -> None:
    schema = json.loads((SCHEMAS / "report.json").read_text("utf-8"))
    Draft202012Validator(schema).validate(content)


def test_conformant_is_0(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("-k", "sample-echo") == 0
    assert "child: conformant: 1 pass" in capsys.readouterr().out


def test_not_conformant_is_1_and_says_why(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("-k", "sample-echo", child="wrong_echo") == 1
    printed = capsys.readouterr().out
    assert "FAIL  child  sample-echo" in printed
    assert "FRM-001: " in printed
    assert "[7b 22 61 22" in printed
    assert "-k sample-echo:whole --trace" in printed


@pytest.mark.parametrize(
    "words",
    [
        ["run"],
        ["run", "--child", "x", "--parent", "y"],
        ["run", "--child", ""],
        ["run", "--child", "true", "-k", "no-such-case"],
        ["run", "--child", "no-such-program-anywhere"],
        ["run", "--subjects", "/nonexistent"],
        ["run", "--child", "true", "--jobs", "0"],
        ["run", "--child", "true", "--known", "/nonexistent"],
        ["show", "no-such-case"],
        ["explain", "XXX-999"],
        [],
    ],
)
def test_wrong_usage_is_2(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    try:
        status = main(words)
    except SystemExit as error:
        status = int(error.code or 0)
    assert status == 2
    assert capsys.readouterr().err


def test_a_failed_harness_is_3(capsys: pytest.CaptureFixture[str]) -> None:
    words = command("driven", "garbage")
    assert (
        main(
            ["run", "--child", shlex.join(words), "--rung", "2", "--cases", str(SAMPLE), "-k", "sample-echo"]
        )
        == 3
    )
    assert "INCONCLUSIVE" in capsys.readouterr().out


def test_a_fixed_known_failure_is_1(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    known = tmp_path / "known.txt"
    known.write_text("sample-echo died  # it used to\n", "utf-8")
    assert run("-k", "sample-echo", "--known", str(known)) == 1
    assert "remove it from the list" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("unexpected", "1 known"),
        ("unexpected wontfix", "1 known (1 wontfix)"),
        ("ok|unexpected", "1 known (1 flaky)"),
    ],
)
def test_a_known_failure_is_0(
    line: str, told: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    known = tmp_path / "known.txt"
    known.write_text(f"sample-echo {line}  # wraps once too often\n", "utf-8")
    assert run("-k", "sample-echo", "--known", str(known), "--report", str(tmp_path), child="wrong_echo") == 0
    assert f"child: conformant: {told}\n" in capsys.readouterr().out
    content = json.loads((tmp_path / "results.json").read_text("utf-8"))
    fits(content)
    assert content["results"][0]["listed"].endswith(": wraps once too often")


@pytest.mark.parametrize("child", ["right", "wrong_echo", "dies_on_blank_line"])
def test_the_report_fits_its_schema(child: str, tmp_path: Path) -> None:
    run("--report", str(tmp_path), child=child)
    content = json.loads((tmp_path / "results.json").read_text("utf-8"))
    fits(content)
    assert len((tmp_path / "results.jsonl").read_text("utf-8").splitlines()) == len(content["results"]) == 2
    page = (tmp_path / "index.html").read_text("utf-8")
    assert "sample-echo" in page
    assert "http" not in page.replace("data-", "")


def test_one_variant_can_be_run_alone(tmp_path: Path) -> None:
    assert run("-k", "sample-echo:bytes", "--report", str(tmp_path)) == 0
    result = json.loads((tmp_path / "results.json").read_text("utf-8"))["results"][0]
    assert [one["variant"] for one in result["variants"]] == ["bytes"]


def test_list_show_explain(capsys: pytest.CaptureFixture[str]) -> None:
    for words in (["list"], ["show", "sample-echo"], ["explain", "FRM-001"]):
        assert main([*words, "--cases", str(SAMPLE)]) == 0
    printed = capsys.readouterr().out
    assert "variants: whole, bytes, lines, utf8, glued" in printed


def _descendants_with(mark: str) -> list[int]:
    found = []
    for entry in Path("/proc").iterdir():
        try:
            if entry.name.isdecimal() and b"\0%s\0" % mark.encode() in (entry / "cmdline").read_bytes():
                found.append(int(entry.name))
        except OSError:
            continue
    return found


@pytest.mark.skipif(not Path("/proc/self/cmdline").exists(), reason="looks for processes in /proc")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupt_keeps_what_is_known_and_leaves_no_process(
    number: signal.Signals, tmp_path: Path
) -> None:
    mark = f"mark-{os.getpid()}-{number}"
    child = shlex.join([*command("hangs_at_end"), mark])
    words = [sys.executable, "-m", "channelkit", "run", "--child", child, "--cases", str(SAMPLE)]
    words += ["--report", str(tmp_path), "--time-scale", "100", "--jobs", "2"]
    with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as kit:
        until = time.monotonic() + 20
        while not _descendants_with(mark) and time.monotonic() < until:
            time.sleep(0.02)
        kit.send_signal(number)
        printed, complaint = kit.communicate(timeout=20)
    assert kit.returncode == 3
    assert "interrupted" in printed + complaint
    assert _descendants_with(mark) == []
    content = json.loads((tmp_path / "results.json").read_text("utf-8"))
    assert content["complete"] is False
    fits(content)


def test_a_run_that_is_killed_leaves_what_was_known(tmp_path: Path) -> None:
    hangs, target = shlex.join(command("hangs_at_end")), tmp_path / "results.json"
    lines = "; ".join(
        (
            "import sys",
            "from channelkit.report import results",
            "from channelkit.cli.main import parser, main",
            "results._PAUSE = results._SHARE = 0",
            "sys.exit(main())",
        )
    )
    words = [sys.executable, "-c", lines, "run", "--child", hangs, "--cases", str(SAMPLE)]
    words += ["--report", f"json={target}", "--time-scale", "0.5", "--jobs", "1", "--isolate"]
    with subprocess.Popen(words, stdout=subprocess.DEVNULL) as kit:
        until = time.monotonic() + 60
        while not target.exists() and time.monotonic() < until:
            time.sleep(0.005)
        kit.kill()
    content = json.loads(target.read_text("utf-8"))
    fits(content)
    assert len(content["results"]) >= 1
    assert content["complete"] is False


def test_a_bug_of_the_kit_is_no_failure_of_the_subject(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def broken(*_: object) -> None:
        raise ZeroDivisionError("the kit itself")

    monkeypatch.setattr("channelkit.judge.execute.run_steps", broken)
    assert run("-k", "sample-echo", child="wrong_echo") == 3
    printed = capsys.readouterr().out
    assert "INCONCLUSIVE" in printed
    assert "ZeroDivisionError: the kit itself" in printed
    assert "FAIL" not in printed


def _arguments(parser: argparse.ArgumentParser, name: str) -> Iterator[tuple[str, argparse.Action]]:
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for word, one in action.choices.items():
                yield from _arguments(one, f"{name} {word}")
        else:
            yield f"{name} {action.dest}", action


@pytest.mark.parametrize(
    ("words", "meant"),
    [
        (["show", "frm-garbag"], "frm-garbage"),
        (["explain", "FRM-0003"], "FRM-003"),
        (["explain", "AcceptsMoreThenJson"], "AcceptsMoreThanJson"),
    ],
)
def test_a_typo_in_a_name_gets_a_proposal(
    words: list[str], meant: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(words) == 2
    assert capsys.readouterr().err.endswith(f"; did you mean '{meant}'?\n")


def test_every_argument_of_every_command_has_help() -> None:
    assert [name for name, action in _arguments(parser(), "channelkit") if not action.help] == []


def test_every_command_says_in_its_help_what_it_does() -> None:
    """The sentence of the list of commands stands above the options of the command, too."""
    [commands] = [one for one in parser()._actions if isinstance(one, argparse._SubParsersAction)]
    told = {one.dest: one.help for one in commands._choices_actions}
    assert told.keys() == commands.choices.keys()
    for name, one in commands.choices.items():
        assert (one.description or "").rstrip(".").lower() == (told[name] or "").lower()


def test_the_folder_of_the_kit_is_a_catalogue_like_any(capsys: pytest.CaptureFixture[str]) -> None:
    """Its glossary of flags is no case file."""
    assert main(["list", "-k", "frm-one", "--cases", str(ROOT / "conformance" / "cases")]) == 0
    assert "frm-one" in capsys.readouterr().out
