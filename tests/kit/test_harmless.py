"""Peers that are right and unusual: none of them fails, since a false alarm costs the kit its name."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import pytest

from channelkit.catalogue.loading import load
from channelkit.judge.runner import Options, pairs, run
from channelkit.judge.subjects import Description
from channelkit.limits import Limits
from channelkit.resources import case_files
from mutants import kill

if TYPE_CHECKING:
    from pathlib import Path

CASES = [case for case in load(case_files()) if case.id.startswith(("hnd-", "jsn-send-"))]
"""What an oddity of a sender or of its timing could show in."""
ESCAPED = """    for character in "<>&/\\u2028\\u2029\\x7fé":
        text = text.replace(character, f"\\\\u{ord(character):04x}")
    return LONE_SURROGATE.sub"""
ENVELOPE = '{"cmd": "NODE_HANDLE", "type": type_of(handle), "msg": message}'
ODDITIES = {
    "in what it writes": [
        ("    return LONE_SURROGATE.sub", ESCAPED),
        ('separators=(",", ":"), allow_nan', 'sort_keys=True, separators=(",", ":"), allow_nan'),
        (ENVELOPE, '{"msg": message, "type": type_of(handle), "also": [None], "cmd": "NODE_HANDLE"}'),
        ('ACK = {"cmd": "NODE_HANDLE_ACK"}', 'ACK = {"also": 1, "cmd": "NODE_HANDLE_ACK"}'),
        ('json.dumps(line, separators=(",", ":"))', 'json.dumps({"also": None, **line}, indent=None)'),
    ],
    "in its ways": [
        ('separators=(",", ":"), allow_nan', 'separators=(" , ", "\t: "), allow_nan'),
        ("        self.write(ACK)\n", "        select.select([], [], [], 0.03)\n        self.write(ACK)\n"),
        ("end.recvmsg(65536,", "end.recvmsg(500,"),
        (
            '        sys.exit(ask["code"])',
            '        select.select([], [], [], 0.1)\n        sys.exit(ask["code"])',
        ),
    ],
}


@pytest.mark.parametrize("oddity", ODDITIES)
def test_an_oddity_is_no_fault(oddity: str, tmp_path: Path) -> None:
    text = kill.BASE.read_text("utf-8")
    for old, new in ODDITIES[oddity]:
        assert text.count(old) == 1
        text = text.replace(old, new)
    program = tmp_path / "odd.py"
    program.write_text(text, "utf-8")
    subject = Description("odd", "child", 2, (sys.executable, "-I", "-S", str(program)), "")
    wrong = {
        result.case.id: result.judgement.seen.text
        for result in run(pairs([subject], CASES), Options(4, Limits(3)))
        if result.judgement.verdict not in ("pass", "lenient")
    }
    assert wrong == {}
