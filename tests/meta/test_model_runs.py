"""Transcripts are held against the model: a run of the tables is accepted, and each broken step is named by its rule."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from spec.model import runs

if TYPE_CHECKING:
    from pathlib import Path

Entry = dict[str, Any]


def _data(kind: str, message: object, descriptors: int = 0) -> Entry:
    raw = json.dumps(message, separators=(",", ":")).encode() + b"\n"
    entry: Entry = {"kind": kind, "text": raw.decode(), "hex": raw.hex(), "size": len(raw)}
    return entry | ({"descriptors": descriptors} if descriptors else {})


def _line(kind: str, text: str) -> Entry:
    return {"kind": kind, "text": text}


ENVELOPE = {"cmd": "NODE_HANDLE", "type": "net.Socket", "msg": 1}
IN_ENVELOPE, OUT_ENVELOPE = _data("write", ENVELOPE, 1), _data("read", ENVELOPE, 1)
IN_BARE = _data("write", ENVELOPE)
IN_ACK, OUT_ACK = (_data(kind, {"cmd": "NODE_HANDLE_ACK"}) for kind in ("write", "read"))
IN_NACK, OUT_NACK = (_data(kind, {"cmd": "NODE_HANDLE_NACK"}) for kind in ("write", "read"))
IN_PLAIN, OUT_PLAIN = _data("write", 2), _data("read", 2)
MESSAGE = _line("reply", '{"event":"message","message":1}')
TOLD = _line("reply", '{"event":"disconnect"}')
CLOSED = _line("note", "the subject's side ended (end of file)")
DISCONNECT = [_line("ask", '{"id": 3, "command": "disconnect"}'), _line("reply", '{"id":3,"ok":true}')]
SEND = [_line("ask", '{"id": 4, "command": "send", "message": 1}'), _line("reply", '{"id":4,"ok":true}')]

RUNS = {
    "a handle arrives": [IN_ENVELOPE, OUT_ACK, MESSAGE],
    "a handle comes again": [IN_BARE, OUT_NACK, IN_ENVELOPE, OUT_ACK, MESSAGE],
    "a handle leaves, and a message behind it": [OUT_ENVELOPE, IN_ACK, OUT_PLAIN],
    "a handle is given up": [*[OUT_ENVELOPE, IN_NACK] * 4, OUT_PLAIN],
    "a disconnect waits": [OUT_ENVELOPE, *DISCONNECT, IN_ENVELOPE, OUT_ACK, IN_ACK, CLOSED, TOLD],
    "an answer of the kit that is not owed": [IN_ACK, IN_NACK, IN_PLAIN, MESSAGE],
}
BROKEN = {
    "HND-034": [IN_ENVELOPE, MESSAGE],
    "HND-050": [IN_ENVELOPE, OUT_ACK, OUT_ACK],
    "HND-012": [IN_BARE, OUT_ACK],
    "HND-037": [IN_BARE, MESSAGE, OUT_NACK],
    "HND-017": [OUT_ENVELOPE, OUT_ENVELOPE],
    "HND-010": [OUT_ENVELOPE, OUT_PLAIN],
    "LIF-002": [CLOSED, OUT_PLAIN],
    "LIF-003": [IN_PLAIN, TOLD, MESSAGE],
    "LIF-001": [TOLD, TOLD],
    "LIF-012": [OUT_ENVELOPE, *DISCONNECT, CLOSED],
    "LIF-015": [IN_ENVELOPE, *DISCONNECT, CLOSED],
    "LIF-014": [*DISCONNECT, *SEND],
}


@pytest.mark.parametrize("entries", RUNS.values(), ids=RUNS)
def test_a_run_is_followed_to_its_end(entries: list[Entry]) -> None:
    assert runs.follow(entries)


@pytest.mark.parametrize(("rule", "entries"), BROKEN.items(), ids=BROKEN)
def test_a_step_that_the_model_has_not_is_named_by_its_rule(rule: str, entries: list[Entry]) -> None:
    with pytest.raises(runs.NoRun, match=rule):
        runs.follow(entries)


def test_bytes_that_were_cut_end_the_comparison() -> None:
    cut = IN_PLAIN | {"size": 1000}
    assert not runs.follow([cut, OUT_ACK])


def test_a_report_fails_with_the_case_and_the_entry(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    result = {"subject": "s", "case": "hnd-no-descriptor", "variant": "whole", "verdict": "pass"}
    report = tmp_path / "results.json"
    monkeypatch.setattr("sys.argv", ["runs.py", str(report)])
    for entries, status in ((RUNS["a handle arrives"], 0), (BROKEN["HND-050"], 1)):
        report.write_text(json.dumps({"results": [result | {"transcript": entries}]}), "utf-8")
        assert runs.main() == status
    assert "s hnd-no-descriptor (whole): entry 2, HND-050: an answer is not owed" in capsys.readouterr().out
