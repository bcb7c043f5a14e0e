"""Peers that are right and unusual: none of them fails, since a false alarm costs the kit its name."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import pytest

from channelkit.catalogue.loading import shipped
from channelkit.judge.runner import Options, pairs, run
from channelkit.judge.subjects import Description
from channelkit.limits import Limits
from mutants import kill

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from channelkit.catalogue.cases import Case

CASES = [case for case in shipped() if case.id.startswith(("hnd-", "jsn-send-", "lif-", "sls-"))]
"""The cases in which an oddity of a sender or of its timing could show."""
ESCAPED = """    for character in "<>&/\\u2028\\u2029\\x7fé":
        text = text.replace(character, f"\\\\u{ord(character):04x}")
    return LONE_SURROGATE.sub"""
ENVELOPE = '{"cmd": "NODE_HANDLE", "type": type_of(handle), "msg": message}'
ODDITIES = {
    "in what it writes, and in what comes first": [
        ("    return LONE_SURROGATE.sub", ESCAPED),
        ('separators=(",", ":"), allow_nan', 'sort_keys=True, separators=(",", ":"), allow_nan'),
        (ENVELOPE, '{"msg": message, "type": type_of(handle), "also": [None], "cmd": "NODE_HANDLE"}'),
        ('ACK = {"cmd": "NODE_HANDLE_ACK"}', 'ACK = {"also": 1, "cmd": "NODE_HANDLE_ACK"}'),
        ('json.dumps(line, separators=(",", ":"))', 'json.dumps({"also": None, **line}, indent=None)'),
        (
            "        descriptor = self.descriptors.pop(0)\n        self.write(ACK)\n",
            (
                "        descriptor = self.descriptors.pop(0)\n"
                "        try:\n"
                "            self.take_handle(envelope, descriptor)\n"
                "        finally:\n"
                "            self.write(ACK)\n\n"
                "    def take_handle(self, envelope, descriptor):\n"
            ),
        ),
    ],
    "in its ways, and in what it reports": [
        ('separators=(",", ":"), allow_nan', 'separators=(" , ", "\t: "), allow_nan'),
        ("        self.write(ACK)\n", "        select.select([], [], [], 0.03)\n        self.write(ACK)\n"),
        ("end.recvmsg(65536,", "end.recvmsg(500,"),
        (
            '        sys.exit(ask["code"])',
            '        select.select([], [], [], 0.1)\n        sys.exit(ask["code"])',
        ),
        (
            "        if not self.framer.buffer:\n            self.close_strays()\n",
            (
                "        if not self.framer.buffer:\n"
                "            for _one in self.descriptors:\n"
                '                self.user.error("remote", "STRAY", "a descriptor that no envelope claims")\n'
                "            self.close_strays()\n"
            ),
        ),
        (
            "            self.write(NACK)\n            return\n",
            '            self.write(NACK)\n            self.user.error("remote", "NO_DESCRIPTOR", "")\n            return\n',
        ),
        (
            "        elif is_internal(message):\n            os.close(descriptor)\n",
            (
                "        elif is_internal(message):\n"
                "            os.close(descriptor)\n"
                '            self.user.error("remote", "FOR_NOBODY", "a handle with an internal message")\n'
            ),
        ),
        (
            "            self.refusals += 1\n",
            '            self.refusals += 1\n            self.user.error("remote", "REFUSED", "")\n',
        ),
        (
            "        self.is_open = False\n        self.end.close()\n",
            (
                "        self.is_open = False\n"
                "        if self.under_way or self.held or self.outgoing:\n"
                '            self.user.error("remote", "LOST", "messages were not sent")\n'
                "        self.end.close()\n"
            ),
        ),
    ],
}
WORKER_FAILS = (
    "                server.close()\n                self.fail(-errno.EADDRINUSE)\n                return\n"
)
WORKERS = {
    "gives a server back after it says that it failed": (
        WORKER_FAILS,
        WORKER_FAILS.replace(
            "return", 'self.channel.say(act="close", key=message["key"])\n                return'
        ),
    ),
    "gives a server back before it says that it failed": (
        WORKER_FAILS,
        WORKER_FAILS.replace(
            "self.fail", 'self.channel.say(act="close", key=message["key"])\n                self.fail'
        ),
    ),
    "takes connections for a moment more and waits for their end": (
        '        if server is not None:\n            server.close()\n        self.channel.say(act="close", key=key)\n',
        (
            '        self.channel.say(act="close", key=key)\n'
            "        if server is not None:\n"
            "            server.settimeout(0.15)\n"
            "            try:\n"
            "                while True:\n"
            "                    self.connections.append(server.accept()[0])\n"
            "            except OSError:\n"
            "                server.close()\n"
        ),
    ),
}


@pytest.mark.parametrize("oddity", WORKERS)
def test_a_worker_that_reads_the_chapter_otherwise_is_no_fault(oddity: str, tmp_path: Path) -> None:
    old, new = WORKERS[oddity]
    text = kill.CLUSTER_BASE.read_text("utf-8")
    assert text.count(old) == 1
    program = tmp_path / "odd.py"
    program.write_text(text.replace(old, new), "utf-8")
    subject = Description("odd", "worker", 0, (sys.executable, "-I", "-S", str(program), "worker"), "")
    assert _wrong(subject, [case for case in shipped() if "worker" in case.roles]) == {}


def _wrong(subject: Description, cases: Sequence[Case]) -> dict[str, str]:
    return {
        result.case.id: result.judgement.seen.text
        for result in run(pairs([subject], cases), Options(4, Limits(3)))
        if result.judgement.verdict not in ("pass", "lenient")
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
    assert _wrong(subject, CASES) == {}
