"""Every rule that a recording shows: a small recording that breaks it is reported under its name."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import time
import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Any

import pytest

from channelkit.lint.deaths import deaths
from channelkit.lint.linter import lint
from channelkit.lint.table import SEEN, UNSEEN
from channelkit.resources import levels, rules
from channelkit.tap.record import DOWN, UP, Entry, Writer
from support.recordings import (
    ACK,
    ADVANCED,
    FILE,
    HEADER,
    KEYED,
    LISTENING,
    NACK,
    OFFER,
    ONLINE,
    OPEN,
    SENT,
    SERVER,
    TCP,
    UDP,
    WAIT,
    WORKER,
    Act,
    about,
    broken,
    c,
    close,
    cluster,
    descriptor,
    entries,
    envelope,
    got,
    p,
    query,
)

ROOT = Path(__file__).resolve().parents[2]


def frame(text: str, version: int = 13) -> bytes:
    body = bytes([0xFF, version]) + bytes.fromhex(text)
    return len(body).to_bytes(4, "big") + body


def name(text: str) -> str:
    return f"22{len(text):02x}{text.encode().hex()}"


BROKEN: dict[str, tuple[tuple[Act, ...], dict[str, Any]]] = {
    "BOO-002": ((c(frame("30") + b"\n"),), {"mode": None, "modes": []}),
    "BOO-005": ((c(1),), {"mode": "bogus", "modes": ["bogus"]}),
    "BOO-007": ((), {"number": ["03"]}),
    "BOO-008": ((("note", b"the parent holds the end of the child", ()),), {}),
    "BOO-011": (
        (),
        {"socket": {"family": "AF_INET", "type": "SOCK_STREAM", "connected": True, "blocking": True}},
    ),
    "BOO-012": ((), {"socket": None}),
    "BOO-013": ((), {"number": ["9", "3"]}),
    "BOO-014": ((), {"mode": None, "modes": []}),
    "BOO-015": ((), {"socket": {**HEADER["socket"], "blocking": False}}),
    "BOO-017": ((c(b"hello\n"),), {}),
    "BOO-019": ((), {"number": ["1"]}),
    "FRM-001": ((c(b'"\xff"\n'),), {}),
    "FRM-002": ((c(b'{"a":\n1}\n'),), {}),
    "FRM-003": ((c(b"1"), close(UP)), {}),
    "FRM-004": ((c(b"\n"),), {}),
    "FRM-005": ((c(b"1\0\n"),), {}),
    "FRM-006": ((c(b"\xef\xbb\xbf1\n"),), {}),
    "FRM-007": ((c(b'{"a": 1}\n'),), {}),
    "FRM-008": ((c(b'{"a":"xxxx{"b":1}\n'),), {}),
    "JSN-001": ((c(b"{'a':1}\n"),), {}),
    "JSN-002": ((c(b'{"a":NaN}\n'),), {}),
    "JSN-003": ((c(b"undefined\n"),), {}),
    "JSN-006": ((c(b'"\xed\xa0\x80"\n'),), {}),
    "JSN-007": ((c(b'{"a":9007199254740993}\n'),), {}),
    "ADV-001": ((c(b"\0\0\0\x03abc"),), ADVANCED),
    "ADV-002": ((c(frame("")),), ADVANCED),
    "ADV-003": ((c(b"\x80\0\0\0\xff\x0d0"), close(UP)), ADVANCED),
    "ADV-004": ((c(frame("30")[:4]), c(frame("30")[4:])), ADVANCED),
    "ADV-010": ((c(frame("30", 15)),), ADVANCED),
    "ADV-020": ((c(frame("7500")),), ADVANCED),
    "ADV-022": ((c(frame("006304ac20ac20")),), ADVANCED),
    "ADV-026": ((c(frame("53" + "8180808002")),), ADVANCED),
    "ADV-027": ((c(frame("6f" + name("a") + "5a" + "8280808002")),), ADVANCED),
    "ADV-028": ((c(frame("4101" * 1500 + "30" + "240001" * 1500)),), ADVANCED),
    "ADV-034": ((c(frame("6f" + name("a") + "54" + name("a") + "547b02")),), ADVANCED),
    "ADV-042": ((c(frame("4201025642000100")),), ADVANCED),
    "ADV-047": ((c(frame("7273" + name("S") + "6d" + name("m") + "2e")),), ADVANCED),
    "ADV-048": ((c(frame("4102722e5e00240002")),), ADVANCED),
    "CLS-005": ((c({"cmd": "NODE_x"}),), {}),
    "CLS-007": ((c({"cmd": "NODE_x"}),), {}),
    "ERR-002": ((p(b"bad\n", 1), c({"cmd": "NODE_ERROR"})), {}),
    "FLO-005": ((c(b'{"a":\n', b"1}\n"),), {}),
    "HND-001": ((p({"cmd": "NODE_HANDLE", "type": "net.Socket"}, fds=(TCP,)),), {}),
    "HND-002": ((p(envelope("net.Telephone"), fds=(TCP,)),), {}),
    "HND-003": ((p(envelope(), fds=(FILE,)),), {}),
    "HND-004": ((p(envelope()),), {}),
    "HND-005": ((p(b'{"cmd":"NODE_HANDLE",'), p(b'"type":"net.Socket","msg":1}\n', fds=(TCP,))), {}),
    "HND-006": ((p(1, fds=(TCP,)),), {}),
    "HND-007": ((p(envelope("dgram.Socket"), fds=(UDP,)),), {}),
    "HND-010": ((SENT, p(1)), {}),
    "HND-012": ((p(envelope()), c(ACK)), {}),
    "HND-013": ((p(envelope(msg=envelope()), fds=(TCP,)), c(ACK, ACK)), {}),
    "HND-015": ((SENT, c(NACK), p(1)), {}),
    "HND-016": ((*(SENT, c(NACK)) * 4, SENT), {}),
    "HND-017": ((SENT, SENT), {}),
    "HND-018": ((p(envelope(), fds=(descriptor(blocking=True),)),), {}),
    "HND-019": ((SENT, c(envelope(), fds=(TCP,)), WAIT, close(DOWN)), {}),
    "HND-024": ((SENT, c(NACK), p(envelope())), {}),
    "HND-028": (
        (p(b'{"cmd":"NODE_HANDLE",', fds=(TCP,)), p(b'"type":"net.Socket","msg":1}\n', fds=(TCP,))),
        {},
    ),
    "HND-034": ((SENT, c(ACK, ACK)), {}),
    "HND-042": ((p(envelope("net.Telephone"), fds=(TCP,)), c(NACK)), {}),
    "HND-046": ((SENT, c(NACK)), {}),
    "HND-050": ((c(ACK),), {}),
    "SLS-001": ((p(about("GET_COUNT")),), {}),
    "SLS-002": ((*KEYED, p(about("GET_COUNT", 5))), {}),
    "SLS-006": ((p(envelope(key=""), fds=(TCP,)),), {}),
    "SLS-007": ((p(envelope(key="toString"), fds=(TCP,)),), {}),
    "SLS-010": ((*KEYED, p(about("GET_COUNT")), WAIT, close(DOWN)), {}),
    "SLS-011": ((*KEYED, p(about("GET_COUNT")), c(about("COUNT", count=2))), {}),
    "SLS-012": ((*KEYED, p(about("GET_COUNT")), c(about("COUNT", "K", count=1))), {}),
    "SLS-013": ((p(about("GET_COUNT")), c(about("COUNT", count=0))), {}),
    "SLS-014": (
        (
            *KEYED,
            p(about("GET_COUNT")),
            c(about("COUNT", count=0)),
            p(about("NOTIFY_CLOSE")),
            WAIT,
            close(DOWN),
        ),
        {},
    ),
    "SLS-016": (
        (
            *KEYED,
            p(about("NOTIFY_CLOSE")),
            c(about("ALL_CLOSED")),
            p(about("GET_COUNT")),
            c(about("COUNT", count=1)),
        ),
        {},
    ),
    "SLS-018": ((*KEYED, p(about("GET_COUNT", None)), c(about("COUNT", None, count=0))), {}),
    "SLS-019": ((*KEYED, c(envelope(), fds=(TCP,)), p(about("GET_COUNT")), c(about("COUNT", count=1))), {}),
    "SLS-020": ((*KEYED, p(about("NOTIFY_CLOSE")), c(about("ALL_CLOSED"), about("ALL_CLOSED"))), {}),
    "LIF-002": ((close(UP, "half-closed"), WAIT, p(1)), {}),
    "LIF-013": ((close(UP, "half-closed"),), {}),
    "CLU-001": ((), {"worker": "first"}),
    "CLU-003": ((ONLINE, c(cluster(0, "x"))), WORKER),
    "CLU-004": ((ONLINE, c(query(1)), p(got(0, 7))), WORKER),
    "CLU-006": ((c(1),), WORKER),
    "CLU-007": ((ONLINE, c(cluster(1, "queryServer", index=0))), WORKER),
    "CLU-008": ((*OPEN, c(query(2))), WORKER),
    "CLU-009": ((ONLINE, c(query(1)), p(got(0, 1, key="absent"))), WORKER),
    "CLU-010": ((ONLINE, c(query(1)), p(got(0, 1, 98))), WORKER),
    "CLU-011": ((ONLINE, c(query(1)), p(got(0, 1, sockname="absent"))), WORKER),
    "CLU-012": (
        (
            ONLINE,
            c(query(1)),
            p(envelope("net.Native", got(0, 1)), fds=(descriptor("bound", local="0.0.0.0:0"),)),
        ),
        WORKER,
    ),
    "CLU-015": ((ONLINE, c(query(1, 99999)), p(got(0, 1))), WORKER),
    "CLU-016": (
        (ONLINE, c(query(1, 81)), p(envelope("net.Native", got(0, 1)), fds=(SERVER,)), c(ACK, LISTENING)),
        WORKER,
    ),
    "CLU-018": (
        (*OPEN, OFFER, c(ACK), p(envelope("net.Native", cluster(2, "newconn", key="K")), fds=(TCP,))),
        WORKER,
    ),
    "CLU-019": ((*OPEN, OFFER, c(ACK, cluster(2, ack=1, accepted=1))), WORKER),
    "CLU-020": (
        (*OPEN, c(cluster(2, "close", key="K")), OFFER, c(ACK, cluster(3, ack=1, accepted=True))),
        WORKER,
    ),
    "CLU-025": ((*OPEN, c(cluster(2, "close"))), WORKER),
    "CLU-029": ((ONLINE, c(cluster(1, "exitedAfterDisconnect")), close(UP)), WORKER),
    "CLU-030": ((ONLINE, c(cluster(1, "exitedAfterDisconnect")), WAIT, close(UP)), WORKER),
    "CLU-032": ((ONLINE, c(cluster(1, "exitedAfterDisconnect"), query(2))), WORKER),
    "CLU-033": ((*OPEN, c(query(2)), p(got(1, 2))), WORKER),
    "CLU-035": ((ONLINE, c(query(1)), p(got(0, 1, -98)), c(LISTENING)), WORKER),
    "CLU-038": ((ONLINE, OFFER), WORKER),
    "CLU-040": (
        (ONLINE, c(query(1, 81)), p(envelope("net.Native", got(0, 1)), fds=(SERVER,)), c(ACK, LISTENING)),
        WORKER,
    ),
}


def test_every_rule_of_the_spec_is_seen_or_has_a_reason() -> None:
    spec = json.loads((ROOT / "spec" / "requirements.json").read_text("utf-8"))["rules"]
    assert sorted([*SEEN, *UNSEEN]) == sorted(spec)
    assert len(SEEN) >= 90
    assert set(levels()) == set(rules()) == set(spec)


def test_every_rule_that_is_seen_has_a_recording_here() -> None:
    assert sorted(BROKEN) == sorted(SEEN)


@pytest.mark.parametrize("rule", sorted(BROKEN))
def test_the_rule_is_reported(rule: str) -> None:
    acts, header = BROKEN[rule]
    assert rule in broken(*acts, **header)


GOOD: dict[str, tuple[tuple[Act, ...], dict[str, Any]]] = {
    "messages": ((p({"a": [1, "x y", None]}), c("é\u2028", 1e300), close(UP)), {}),
    "handle": ((p(1), SENT, c(2, ACK), p(3), c(4), close(DOWN)), {}),
    "refused": ((SENT, c(ACK), SENT, c(ACK)), {}),
    "both": ((SENT, c(envelope(), fds=(TCP,)), c(ACK), p(ACK), p(1), c(1)), {}),
    "killed": ((SENT, close(UP)), {}),
    "lists": (
        (
            *KEYED,
            *KEYED,
            p(about("GET_COUNT")),
            c(about("COUNT", count=2)),
            p(about("NOTIFY_CLOSE"), about("NOTIFY_CLOSE")),
            c(about("ALL_CLOSED"), about("ALL_CLOSED")),
        ),
        {},
    ),
    "worker": (
        (
            *OPEN,
            c(LISTENING),
            OFFER,
            c(ACK, cluster(3, ack=1, accepted=True)),
            c(cluster(4, "close", key="K"), cluster(5, "exitedAfterDisconnect")),
            p(cluster(2, ack=5)),
            close(UP),
        ),
        WORKER,
    ),
    "closed at once": ((*OPEN, c(cluster(2, "close", key="K"), {**LISTENING, "seq": 3})), WORKER),
    "exec": ((ONLINE, c(query(1)), p(got(0, 1)), ONLINE, c(query(1, index=1)), p(got(1, 1))), WORKER),
    "port in use": (
        (
            ONLINE,
            c(query(1, 81)),
            p(envelope("net.Native", got(0, 1, 0)), fds=(descriptor("bound", local="[::]:0"),)),
            c(ACK),
        ),
        WORKER,
    ),
    "advanced": ((p(frame("6f" + name("a") + "49027b01")),), ADVANCED),
    "split": ((p(b'{"a'), p(b'":1}'), p(b"\n")), {}),
}


@pytest.mark.parametrize("what", sorted(GOOD))
def test_what_keeps_the_rules_is_not_reported(what: str) -> None:
    acts, header = GOOD[what]
    assert broken(*acts, **header) == set()


def _address(asked: Any, given: Any) -> tuple[Act, ...]:
    sockname = {"port": 80, "address": given}
    return (ONLINE, c(query(1, address=asked)), p(got(0, 1, sockname=sockname)))


@pytest.mark.parametrize(
    ("acts", "header", "expected"),
    [
        (_address("127.0.0.1", "0.0.0.0"), WORKER, {"CLU-011"}),
        (_address("127.0.0.1", "127.0.0.1"), WORKER, set()),
        (_address("0:0:0:0:0:0:0:1", "::1"), WORKER, set()),
        (_address("fe80::1%eth0", "fe80::1"), WORKER, set()),
        (_address("localhost", "127.0.0.1"), WORKER, set()),
        (_address(None, "::"), WORKER, set()),
        (
            (*OPEN, p(envelope("net.Native", cluster(1, "newconn", key="K")), fds=(SERVER,)), c(ACK)),
            WORKER,
            {"CLU-038"},
        ),
        (
            (
                p(envelope("net.Server", key="k"), fds=(SERVER,)),
                c(ACK),
                p(about("GET_COUNT")),
                c(about("COUNT", count=1)),
            ),
            {},
            {"SLS-001", "SLS-013"},
        ),
    ],
)
def test_a_place_and_a_descriptor_are_compared(
    acts: tuple[Act, ...], header: dict[str, Any], expected: set[str]
) -> None:
    assert broken(*acts, **header) & {"CLU-011", "CLU-038", "SLS-001", "SLS-013"} == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (b"1e400\n", False),
        (b"100000000000000000000\n", False),
        (b"12345678901234567000\n", False),
        (b"12345678901234567891\n", True),
        (b'"12345678901234567891"\n', False),
        (b"-9007199254740993\n", True),
        (b"9007199254740992\n", False),
    ],
)
def test_an_integer_is_reported_when_its_digits_are_lost(text: bytes, expected: bool) -> None:
    assert ("JSN-007" in broken(c(text))) == expected


@pytest.mark.parametrize(("between", "expected"), [((), False), ((WAIT,), True)])
def test_an_end_that_closes_long_after_a_half_close_is_reported(
    between: tuple[Act, ...], expected: bool
) -> None:
    assert ("LIF-002" in broken(close(DOWN, "half-closed"), *between, close(UP))) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (frame("30", 12), "ADV-010"),
        (b"\xff\x0d0" * 3, "ADV-001"),
        (b"\0\0\0\x07" + frame("30")[4:] + frame("30"), "ADV-001"),
    ],
)
def test_a_frame_of_another_kind_is_reported(text: bytes, expected: str) -> None:
    assert broken(c(text), close(UP), **ADVANCED) == {expected}


def test_a_part_that_begins_within_a_frame_skips_it() -> None:
    assert broken(p(b'ng":1}\n', 2), offsets={"down": 9, "up": 0}, part=2) == set()


def _saved(folder: Path, *acts: Act, **header: Any) -> Path:
    writer = Writer(folder / "a.ctap", {**HEADER, **header})
    for entry in entries(*acts):
        writer.add(entry)
    writer.close()
    return folder / "a.ctap"


def _lint(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "channelkit", "lint", *words],
        capture_output=True,
        text=True,
        check=False,
        timeout=30,
        process_group=0,
    )


def test_the_text_says_rule_place_bytes_and_who_dies(tmp_path: Path) -> None:
    done = _lint(str(_saved(tmp_path, c(1), c(b"\n"))))
    assert done.returncode == 1
    assert "FRM-004 MUST  child: a blank line" in done.stdout
    assert rules()["FRM-004"] in done.stdout
    assert "entry 1, byte 2" in done.stdout
    assert re.search(r"a blank line: Node 1[0-9] to 26.* die", done.stdout)
    assert done.stdout.endswith("1 violation\n")


@pytest.mark.parametrize(
    ("least", "act", "status"),
    [("MUST", c(b"[1, 2]\n"), 0), ("SHOULD", c(b"[1, 2]\n"), 1), ("never", c(b"\n"), 0), ("SHOULD", c(1), 0)],
)
def test_the_level_decides_the_exit_status(tmp_path: Path, least: str, act: Act, status: int) -> None:
    assert _lint(str(_saved(tmp_path, act)), "--fail-on", least).returncode == status


def test_the_other_formats(tmp_path: Path) -> None:
    path = _saved(tmp_path, c(b"\n"), p(b"[1, 2]\n"))
    [one] = json.loads(_lint(str(tmp_path), "--format", "json").stdout)["recordings"]
    assert [found["rule"] for found in one["violations"]] == ["BOO-017", "FRM-004", "FRM-007"]
    sarif = json.loads(_lint(str(path), "--format", "sarif").stdout)["runs"][0]
    assert [result["level"] for result in sarif["results"]] == ["error", "error", "warning"]
    assert sarif["results"][0]["locations"][0]["physicalLocation"]["region"]["byteOffset"] == 0
    junit = ET.fromstring(_lint(str(path), "--format", "junit").stdout)
    assert [case.get("name") for case in junit.iter("testcase")] == ["BOO-017", "FRM-004", "FRM-007"]
    only = _lint(str(path), "--only", "FRM", "--format", "json").stdout
    assert len(json.loads(only)["recordings"][0]["violations"]) == 2


def test_a_file_that_is_no_recording_is_an_error_of_usage(tmp_path: Path) -> None:
    (tmp_path / "a.ctap").write_text("{}\n")
    done = _lint(str(tmp_path / "a.ctap"))
    assert (done.returncode, done.stdout) == (2, "")
    assert "no recording" in done.stderr or "version" in done.stderr


def test_a_file_that_is_no_recording_keeps_no_other_from_its_report(tmp_path: Path) -> None:
    _saved(tmp_path, c(b"\n"))
    (tmp_path / "0.ctap").write_text("{}\n")
    (tmp_path / "b.ctap").write_bytes(b"\xff\n")
    done = _lint(str(tmp_path))
    assert done.returncode == 2
    assert done.stdout.endswith("2 violations\n")
    assert [line.split(" ")[1] for line in done.stderr.splitlines()] == [
        str(tmp_path / "0.ctap"), str(tmp_path / "b.ctap")
    ]  # fmt: skip


def test_the_list_of_rules_has_all(tmp_path: Path) -> None:
    assert len(_lint("--rules").stdout.splitlines()) == len(rules())


def test_measured_deaths_are_of_rules_that_can_be_seen_or_not() -> None:
    assert {"FRM-004", "HND-050", "JSN-001"} <= set(deaths())


def test_a_hundred_thousand_messages_take_a_tenth_of_the_time_for_a_million(tmp_path: Path) -> None:
    message = (
        json.dumps({"id": 123, "text": "x" * 40, "list": [1, 2.5, True]}, separators=(",", ":")).encode()
        + b"\n"
    )
    chunk = message * 500
    begun = time.process_time()
    found = list(lint(HEADER, (Entry(number, (DOWN, UP)[number % 2], chunk) for number in range(200))))
    assert found == []
    assert time.process_time() - begun < 6  # twice what a million in 30 s allows: the machine may be slow
