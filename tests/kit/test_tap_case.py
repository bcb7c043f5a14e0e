"""A recording becomes a case: the bytes of the parent are played to a new child."""

from __future__ import annotations

import json
import shlex
import sys
from typing import TYPE_CHECKING

import pytest

from channelkit.catalogue.loading import load_file
from channelkit.cli.main import main
from channelkit.tap.ascase import as_case
from channelkit.tap.reading import Recording
from channelkit.tap.record import Writer
from support.node import node
from support.recordings import ACK, HEADER, TCP, c, close, entries, envelope, p

if TYPE_CHECKING:
    from pathlib import Path

ACTS = (p({"a": 1}), c({"echo": {"a": 1}}), p(envelope(), fds=(TCP,)), c(ACK, {"echo": "m"}), close("down"))
ECHO = "process.on('message', (m, h) => { process.send({ echo: m }); if (h) h.destroy(); });"


@pytest.fixture
def recording(tmp_path: Path) -> Path:
    writer = Writer(tmp_path / "a.ctap", HEADER)
    for entry in entries(*ACTS):
        writer.add(entry)
    writer.close()
    return tmp_path / "a.ctap"


def test_the_parents_side_is_played_to_a_child(
    recording: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "child.cjs").write_text(ECHO)
    right = shlex.join([node(), str(tmp_path / "child.cjs")])
    assert main(["replay", str(recording), "--times", "2", "--child", right]) == 0
    assert capsys.readouterr().out.count("pass, ok") == 2
    silent = shlex.join([sys.executable, "-c", "import time; time.sleep(60)"])
    assert main(["replay", str(recording), "--times", "1", "--time-scale", "0.2", "--child", silent]) == 1


def test_a_recording_is_promoted(recording: Path, tmp_path: Path) -> None:
    (tmp_path / "cases").mkdir()
    assert main(["promote", str(recording), "--id", "fuzz-taped", "--cases", str(tmp_path / "cases")]) == 0
    [case] = load_file(tmp_path / "cases" / "fuzz.json")
    assert case.id == "fuzz-taped"
    [entry] = json.loads((tmp_path / "cases" / "fuzz.json").read_text())["cases"]
    assert [next(iter(step)) for step in entry["steps"]] == [
        *("write", "expect", "make", "write", "expect", "expect", "close_channel"),
    ]


def test_the_rules_of_the_case_are_those_that_the_recording_breaks(tmp_path: Path) -> None:
    found = as_case(Recording(HEADER, entries(p(1), c(b"\n"))), "fuzz-x", ["FRM-004"])
    assert found["rules"] == ["FRM-004"]
    assert found["steps"][1] == {"expect": {"text": ""}}
