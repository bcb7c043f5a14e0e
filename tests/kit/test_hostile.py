"""A subject that means harm gets a verdict: it cannot crash the kit, hold it up, or put a control character into a report."""

from __future__ import annotations

import dataclasses
import json
import os
import re
import resource
import shlex
import socket
import threading
import time
from pathlib import Path

import pytest

from channelkit.cli.main import main
from channelkit.judge.execute import execute
from channelkit.judge.subjects import Description
from channelkit.limits import MOST_DESCRIPTORS, Limits
from channelkit.process.puppetlink import PuppetLink
from channelkit.report.results import _replace, _write_to
from channelkit.wire.values import parse
from channelkit.wire.visible import visible
from support.kit import CASES, SAMPLE, command, judge

FAIL, INCONCLUSIVE = "fail", "inconclusive"
ONCE = dataclasses.replace(CASES["sample-echo"], segment="none")
"""A single variant, since all variants would show the same."""
AS_ECHO = {
    "floods": "unexpected|flooded",
    "floods-small": "flooded",
    "floods-without-lf": "flooded",
    "floods-stderr": "silent",
    "descriptors": "flooded",
    "kills-group": "died",
    "stops-group": "silent",
    "controls": "unexpected",
    "controls-stderr": "died",
    "bad-utf8": "unexpected",
    "deep": "unexpected",
    "probe-list": "unexpected",
}
"""The attack of an echo child, and the outcome; two outcomes when the size of a read decides."""
DRIVEN = {
    "adapter-floods": (FAIL, "flooded"),
    "adapter-floods-small": (FAIL, "flooded"),
    "adapter-floods-without-lf": (FAIL, "flooded"),
    "reply-infinite-id": (INCONCLUSIVE, INCONCLUSIVE),
    "reply-long-id": (INCONCLUSIVE, INCONCLUSIVE),
    "reply-nan": (INCONCLUSIVE, INCONCLUSIVE),
    "reply-deep": (INCONCLUSIVE, INCONCLUSIVE),
    "reply-list-tag": (INCONCLUSIVE, INCONCLUSIVE),
    "reply-surrogate-tag": (INCONCLUSIVE, INCONCLUSIVE),
    "hello-bad-capabilities": (INCONCLUSIVE, INCONCLUSIVE),
    "closes-stdout": (INCONCLUSIVE, INCONCLUSIVE),
}


def peak() -> int:
    """Bytes of memory that this process has ever used."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


@pytest.mark.parametrize("attack", AS_ECHO)
def test_an_echo_child_gets_a_verdict(attack: str) -> None:
    before = peak()
    result = judge("hostile", ONCE, attack, scale=0.3)
    assert result.judgement.verdict == FAIL
    assert result.judgement.seen.outcome in AS_ECHO[attack].split("|")
    assert "Traceback" not in result.judgement.seen.text
    assert peak() - before < 1 << 30
    assert_harmless(json.dumps(result.transcript, ensure_ascii=False) + result.stderr)


@pytest.mark.parametrize("attack", DRIVEN)
def test_an_adapter_gets_a_verdict(attack: str) -> None:
    before = peak()
    result = judge("hostile", ONCE, attack, rung=2, scale=0.3)
    assert (result.judgement.verdict, result.judgement.seen.outcome) == DRIVEN[attack], (
        result.judgement.seen.text
    )
    assert "Traceback" not in result.judgement.seen.text
    assert peak() - before < 1 << 30


class ShortCase(Limits):
    """Limits as usual, but a case takes 4 seconds at most."""

    case = 4.0


def test_a_subject_that_trickles_uses_up_the_time_of_a_case() -> None:
    subject = Description("trickler", "child", 0, command("hostile", "trickles"), "")
    started = time.monotonic()
    result = execute(ONCE, subject, ShortCase(), threading.Event())
    assert (result.judgement.verdict, result.judgement.seen.outcome) == (FAIL, "overdue")
    assert 4 < time.monotonic() - started < 40


def test_descriptors_that_nobody_asked_for_do_not_pile_up() -> None:
    before = len(list(Path("/proc/self/fd").iterdir()))
    result = judge("hostile", "sample-echo", "descriptors", scale=0.3)
    assert result.strays > MOST_DESCRIPTORS
    assert len(list(Path("/proc/self/fd").iterdir())) == before


def assert_harmless(text: str) -> None:
    """No character of it moves a cursor or changes the order of letters."""
    assert re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202e\ud800-\udfff]", text) is None


def _run(tmp_path: Path, attack: str, *words: str) -> int:
    child = shlex.join(
        command("hostile", attack, str(tmp_path))
    )  # the folder tells its processes from others
    reports = [f"--report={kind}={tmp_path / kind}" for kind in ("json", "junit", "md", "html")]
    return main(["run", "--child", child, "--cases", str(SAMPLE), "--time-scale", "0.2", *reports, *words])


def test_no_control_character_of_a_subject_reaches_a_report(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert _run(tmp_path, "controls", "-k", "sample-echo", "--trace") == 1
    printed = capsys.readouterr()
    for text in (
        printed.out,
        printed.err,
        *((tmp_path / kind).read_text("utf-8") for kind in ("json", "junit", "md", "html")),
    ):
        assert_harmless(text)
    assert "\\u001b]0;owned\\u0007" in printed.out
    assert "\\x9b31m\\u202e" in printed.out
    page = (tmp_path / "html").read_text("utf-8")
    assert "<script>alert" not in page


def test_a_name_that_is_no_text_stands_in_every_report(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    status = _run(tmp_path, "hello-surrogate", "--rung", "2", "-k", "sample-handle")
    assert status == 0  # it declares that it has no handles
    assert_harmless(capsys.readouterr().out)
    for kind in ("json", "junit", "md", "html"):
        text = (tmp_path / kind).read_text("utf-8")
        assert_harmless(text)
        assert len(text) < 1_000_000
    assert "\\\\<script\\\\>" not in (tmp_path / "md").read_text("utf-8")
    assert "<script>" not in (tmp_path / "md").read_text("utf-8")


def test_no_daemon_of_a_subject_outlives_the_run(tmp_path: Path) -> None:
    assert _run(tmp_path, "daemon", "-k", "sample-echo:whole") == 0
    left = [one for one in Path("/proc").iterdir() if one.name.isdecimal() and _is_of(one, tmp_path)]
    assert left == []


def _is_of(process: Path, folder: Path) -> bool:
    try:
        state = (process / "stat").read_text("utf-8").rpartition(")")[2].split()[0]
        return state != "Z" and str(folder).encode() in (process / "cmdline").read_bytes()
    except OSError:
        return False


def test_a_flaw_of_the_kit_is_status_3(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def broken(*_: object) -> None:
        raise ZeroDivisionError("the kit itself")

    monkeypatch.setattr("channelkit.cli.main.show_summary", broken)
    assert _run(tmp_path, "", "-k", "sample-echo:whole") == 3
    assert "ZeroDivisionError" in capsys.readouterr().err


# ---- the parts -----------------------------------------------------------------------------------------------


def test_deep_texts_with_long_strings_cost_little_memory() -> None:
    before = peak()
    deep = "[" * 20_000 + '"' + "\\n" * 2_000_000 + '"' + "]" * 20_000
    assert parse(deep) is not None
    assert peak() - before < 300 << 20


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a\x1b[2J", "a\\x1b[2J"),
        ("\x9d0;title\x9c", "\\x9d0;title\\x9c"),
        ("\ud800", "\\ud800"),
        ("a\u202eb", "a\\u202eb"),
        ("line\nnext\r\t", "line\\nnext\\r\\t"),
        ("é😀", "é😀"),
    ],
)
def test_what_is_invisible_is_shown(text: str, shown: str) -> None:
    assert visible(text) == shown


def test_several_lines_stay_lines() -> None:
    assert visible("a\n\tb\r\x07", lines=True) == "a\n\tb\\r\\x07"


def _connects(link: PuppetLink, line: bytes, rights: list[int]) -> None:
    """A process that is no puppet: the process of this test."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as end:
        end.connect(link.argv[4])
        socket.send_fds(end, [line], rights)
        link.read()


@pytest.mark.skipif(not Path("/proc/self/cmdline").exists(), reason="who connects is seen in /proc")
def test_a_stranger_at_the_socket_of_the_puppet_is_turned_away() -> None:
    link = PuppetLink()
    try:
        _connects(link, b'__import__("os").system("false")\n', [0, 1, 2])
        assert (link.facts, link.channel, link.ended) == (None, None, False)
    finally:
        link.close()


def test_reports_follow_no_link_that_a_subject_can_make(tmp_path: Path) -> None:
    precious, target = tmp_path / "precious", tmp_path / "results.json"
    precious.write_text("kept", "utf-8")
    target.symlink_to(precious)
    _replace(target, "report")
    assert (precious.read_text("utf-8"), target.read_text("utf-8"), target.is_symlink()) == (
        "kept",
        "report",
        False,
    )


def test_a_pipe_without_a_reader_holds_up_no_report(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    with pytest.raises(OSError, match="No such device or address"):
        _write_to(pipe, "report")
    _replace(pipe, "report")
    assert pipe.read_text("utf-8") == "report"
