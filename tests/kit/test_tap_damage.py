"""Recordings that a crash cut, that a disk damaged, or that an enemy wrote: typed errors, and every command says where."""

from __future__ import annotations

import json
import sys
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest

from channelkit.cli.main import main, parser
from channelkit.cli.replay import named
from channelkit.errors import UsageError
from channelkit.tap.reading import read
from channelkit.tap.record import Entry, encoded, line
from support.recordings import HEADER, TCP, c, close, entries, envelope, p

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

Run = tuple[int, str, str]
HEAD = line(HEADER | {"socket": HEADER["socket"]})
SOUND = [encoded(one) for one in entries(p({"a": 1}), c(b"\n"), p(envelope(), fds=(TCP,)), close("down"))]
FAR = {"t": 9000, "way": "up", "size": 5, "fds": [TCP]}
DAMAGES = {
    "is none of": line(FAR | {"way": "sideways"}) + b"1234\n\n",
    "has no `t`": line({"way": "up", "size": 5}) + b"1234\n\n",
    "fds is no array": line(FAR | {"fds": 3}) + b"1234\n\n",
    "4000000000000000 bytes": line(FAR | {"size": 4 * 10**15}) + b"1234\n\n",
    "brackets within brackets": b"[" * 200_000 + b"\n",
    "is no JSON": b"\xff{}\n",
    "no line feed follows the 3 bytes": line(FAR | {"size": 3}) + b"1234\n\n",
    "5000 bytes and a line feed are announced": line(FAR | {"size": 5000}) + b"1234\n\n",
}
"""The reason of each damage, and an entry that has it."""


@pytest.fixture
def run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Callable[..., Run]:
    def started(*words: str) -> Run:
        status = main([*words, str(tmp_path / "a.ctap")])
        told = capsys.readouterr()
        assert "Traceback" not in told.err
        return status, told.out, told.err

    return started


def saved(folder: Path, *parts: bytes, head: bytes = HEAD) -> int:
    """Writes a recording. Returns the place behind its parts."""
    (folder / "a.ctap").write_bytes(head + b"".join(parts))
    return len(head) + sum(map(len, parts))


def commands(folder: Path) -> dict[str, list[str]]:
    (folder / "cases").mkdir(exist_ok=True)
    (folder / "cases" / "fuzz.json").unlink(missing_ok=True)
    return {
        "lint": ["lint"],
        "show": ["look", "--show"],
        "look": ["look", "-o", str(folder / "a.html")],
        "export": ["look", "--export", "perfetto", "-o", str(folder / "a.json")],
        "promote": ["promote", "--cases", str(folder / "cases"), "--id", "fuzz-damaged"],
    }


@pytest.mark.parametrize("reason", DAMAGES)
def test_every_command_says_where_a_recording_is_damaged(
    tmp_path: Path, run: Callable[..., Run], reason: str
) -> None:
    place = saved(tmp_path, *SOUND)
    saved(tmp_path, *SOUND, DAMAGES[reason], *SOUND)
    told = f"a.ctap is damaged at byte {place}"
    replay = {"replay": ["replay", "--child", f"{sys.executable} -V"]}
    for name, words in (commands(tmp_path) | replay).items():
        status, out, err = run(*words)
        assert status == 2
        assert told in err
        assert reason in err
        assert err.count("\n") == 1
        assert bool(out) == (name in {"lint", "show", "look", "export"})  # what is whole is shown
    assert "FRM-004" in run("lint", "--fail-on", "never")[1]


def test_a_recording_that_ends_amid_its_last_entry_is_read(tmp_path: Path, run: Callable[..., Run]) -> None:
    last = encoded(Entry(9000, "up", b"12345\n", (TCP,)))
    place = saved(tmp_path, SOUND[0])
    for length in range(1, len(last)):
        saved(tmp_path, SOUND[0], last[:length])
        found = read(tmp_path / "a.ctap")
        assert found.damage is not None
        assert (found.damage.offset, found.damage.cut) == (place, True)
    for words in commands(tmp_path).values():
        status, _out, err = run(*words)
        assert status == 0
        assert f"note: {tmp_path / 'a.ctap'} ends amid the entry at byte {place}" in err


def test_every_format_has_the_damage(tmp_path: Path, run: Callable[..., Run]) -> None:
    place = saved(tmp_path, *SOUND)
    saved(tmp_path, *SOUND, b"{}\n")
    [one] = json.loads(run("lint", "--format", "json")[1])["recordings"]
    assert one["damage"] == {"offset": place, "reason": "the entry has no `t`", "cut": False}
    [done] = json.loads(run("lint", "--format", "sarif")[1])["runs"][0]["invocations"]
    assert not done["executionSuccessful"]
    assert f"byte {place}" in done["toolExecutionNotifications"][0]["message"]["text"]
    assert '<error message="' in run("lint", "--format", "junit")[1]


@pytest.mark.parametrize(
    ("head", "told"),
    [
        (b"", "is no recording"),
        (b"\xff\n", "is no recording"),
        (b"[" * 200_000 + b"\n", "is no recording"),
        (b'{"ctap":2}\n', "version 2"),
        (line({**HEADER, "number": 3}), "number is no array: 3"),
        (line({**HEADER, "modes": 3}), "modes is no array: 3"),
        (line({**HEADER, "command": []}), "command has too few members"),
    ],
)
def test_a_bad_header_is_an_error_that_names_the_member(
    tmp_path: Path, run: Callable[..., Run], head: bytes, told: str
) -> None:
    saved(tmp_path, head=head)
    for words in commands(tmp_path).values():
        status, _out, err = run(*words)
        assert status == 2
        assert told in err


def test_a_recording_that_is_not_there_is_an_error(run: Callable[..., Run]) -> None:
    assert run("lint")[0] == 2


# ---- each member, missing and of each wrong type ---------------------------------------------------------------

DEEP = json.loads("[" * 400 + "]" * 400)
WRONG: tuple[Any, ...] = (
    None,
    True,
    -1,
    0,
    1.5,
    10**400,
    "x",
    "\ud800",
    [],
    [None],
    ["x"],
    {},
    {"a": 1},
    DEEP,
)
FULL = HEADER | {
    "started": "now",
    "pid": 1,
    "ppid": 1,
    "parent": "node",
    "redacted": True,
    "worker": "1",
    "part": 2,
    "offsets": {"down": 1, "up": 1},
}
LINES = {
    "chunk": FAR,
    "end": {"t": 9000, "way": "up", "end": "closed"},
    "note": {"t": 9000, "note": "a note"},
}


def changed(value: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """The name of a member, and the value with this member missing or wrong; members of members too."""
    for name, old in value.items():
        yield name, {key: one for key, one in value.items() if key != name}
        yield from ((name, {**value, name: wrong}) for wrong in WRONG)
        if isinstance(old, dict):
            yield from ((inner, {**value, name: new}) for inner, new in changed(old))
        elif isinstance(old, list) and old and isinstance(old[0], dict):
            yield from ((inner, {**value, name: [new]}) for inner, new in changed(old[0]))


@pytest.fixture
def judged(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Callable[[str], str]:
    """Runs every command on the recording; each other exception than a typed one fails the test."""
    path = str(tmp_path / "a.ctap")
    read_by = [
        parser().parse_args([*words, path]) for name, words in commands(tmp_path).items() if name != "promote"
    ]

    def status(act: Callable[[], Any]) -> int:
        try:
            return int(act() or 0)
        except UsageError as error:
            print(str(error).encode(errors="backslashreplace"), file=sys.stderr)
            return 2

    def judge(name: str) -> str:
        lint, *others = read_by
        broken = status(lambda: lint.action(lint))
        error = capsys.readouterr().err
        assert (broken == 2) == bool(error)
        assert (
            not error
            or f"{name} " in error
            or f"{name}[" in error
            or f"'{name}'" in error
            or "has no" in error
        )
        for one in others:
            assert status(partial(one.action, one)) == (2 if error else 0)
        playable = status(lambda: named(path) and 0)  # what `promote` and `replay` read
        assert playable == 2 if error else playable in (0, 2)
        assert "Traceback" not in capsys.readouterr().err
        return error

    return judge


def test_only_typed_errors_come_of_a_header(tmp_path: Path, judged: Callable[[str], str]) -> None:
    faults = 0
    for name, header in changed(FULL):
        saved(tmp_path, *SOUND, head=line(header))
        faults += "damaged header" in judged(name)
    assert faults > 100


@pytest.mark.parametrize("kind", LINES)
def test_only_typed_errors_come_of_an_entry(tmp_path: Path, judged: Callable[[str], str], kind: str) -> None:
    place = saved(tmp_path, *SOUND)
    faults = 0
    for name, members in changed(LINES[kind]):
        saved(tmp_path, *SOUND, line(members) + (b"1234\n\n" if kind == "chunk" else b""), *SOUND)
        error = judged(name)
        faults += f"damaged at byte {place}" in error
        assert not error or f"damaged at byte {place}" in error
    assert faults > 10
