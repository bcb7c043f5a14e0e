"""Parent by child: two implementations at a channel, each driven by its adapter."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

from channelkit.cli.main import main
from channelkit.judge.known import KnownFailure
from channelkit.limits import Limits
from channelkit.pairs import pairing
from channelkit.pairs.pairing import Participant
from channelkit.pairs.trials import TRIALS
from channelkit.process import relay
from channelkit.process.session import Plan
from mutants import kill
from mutants.catalogue import MUTANTS
from support.node import ROOT, node

if TYPE_CHECKING:
    from pathlib import Path

RIGHT = Plan((sys.executable, "-I", "-S", str(kill.BASE)), "parent", 3)


def results(
    child: Plan,
    known: dict[str, KnownFailure] | None = None,
    pattern: str | None = None,
    *,
    wire: bool = False,
    scale: float = 1.0,
) -> dict[str, Any]:
    both = [Participant("right", RIGHT, None), Participant("other", None, child)]
    found = pairing.run(both, pairing.select(pattern), Limits(scale), 1, known or {}, wire=wire)
    return {entry["trial"]: entry for entries in found for entry in entries}


def mutant(name: str, folder: Path) -> Plan:
    kill.write_sources(folder, [one for one in MUTANTS if one.name == name])
    return Plan((sys.executable, "-I", "-S", str(folder / f"{name}.py")), "child", 2)


def test_two_that_are_right_do_everything_with_each_other() -> None:
    found = results(RIGHT)
    assert {name: entry["text"] for name, entry in found.items() if entry["verdict"] != "pass"} == {}
    assert list(found) == [trial.id for trial in TRIALS if trial.mode is None]


@pytest.mark.parametrize(
    ("name", "trial", "outcome"),
    [
        ("delivers-only-objects", "values-down", "silent"),
        ("bare-prefix-is-internal", "internal-up", "refused"),
        ("never-acknowledges", "order-down", "silent"),
        ("loses-the-handle", "server-down", "unexpected"),
    ],
)
def test_what_goes_wrong_is_seen(name: str, trial: str, outcome: str, tmp_path: Path) -> None:
    entry = results(mutant(name, tmp_path), pattern=trial, scale=0.3)[trial]
    assert (entry["outcome"], entry["verdict"]) == (outcome, "fail")


def wire(entry: dict[str, Any]) -> list[tuple[str, str, int]]:
    """Direction, bytes as text and number of descriptors."""
    return [
        (one["kind"], one["text"], one.get("descriptors", 0))
        for one in entry["transcript"]
        if one["kind"] in ("down", "up")
    ]


def test_the_wire_is_seen_in_both_directions_with_its_descriptors() -> None:
    found = results(RIGHT, wire=True)
    assert {name: entry["outcome"] for name, entry in found.items() if entry["outcome"] != "ok"} == {}
    for entry in found.values():
        note = entry["transcript"][0]
        assert note["text"] == "with the kit in the middle of the channel: ok"
        assert wire(entry)
    down, up = wire(found["server-down"]), wire(found["server-up"])
    assert [(way, number) for way, _text, number in down] == [("down", 1), ("up", 0)]
    assert [(way, number) for way, _text, number in up] == [("up", 1), ("down", 0)]
    assert down[0][1].startswith('{"cmd":"NODE_HANDLE","type":"net.Server"')
    assert down[1][1] == '{"cmd":"NODE_HANDLE_ACK"}\\n'


def test_the_end_of_a_child_keeps_the_mode_that_its_parent_gave_it(tmp_path: Path) -> None:
    address = str(tmp_path / "runner")
    tells = "import os; os.write(1, str(os.get_blocking(int(os.environ['NODE_CHANNEL_FD']))).encode())"
    ours, theirs = socket.socketpair()
    with ours, theirs, socket.socket(socket.AF_UNIX) as runner:
        runner.bind(address)
        runner.listen()
        runner.settimeout(20)
        process = subprocess.Popen(
            [sys.executable, "-I", "-S", relay.__file__, address, "wire", sys.executable, "-c", tells],
            env={**os.environ, "NODE_CHANNEL_FD": str(theirs.fileno())},
            pass_fds=[theirs.fileno()],
        )
        connection = runner.accept()[0]
        with process, connection:
            connection.settimeout(20)
            [channel] = socket.recv_fds(connection, 1, 1)[1]
            os.set_blocking(channel, False)  # as the kit does with the end that it takes
            os.close(channel)
            inner, outer = socket.socketpair()
            with inner, outer:
                socket.send_fds(connection, [b"c"], [outer.fileno()])
                assert connection.recv(16) == b"True"


def test_without_a_wish_only_what_went_wrong_has_its_wire(tmp_path: Path) -> None:
    found = results(mutant("loses-the-handle", tmp_path), pattern="server-*")
    assert [found[name]["verdict"] for name in ("server-down", "server-up")] == ["fail", "pass"]
    assert wire(found["server-down"])
    notes = [
        one["text"].partition(": ")[0] for one in found["server-down"]["transcript"] if one["kind"] == "note"
    ]
    assert notes[0] == "without the kit, which counts"
    assert "with the kit in the middle of the channel" in notes
    assert not wire(found["server-up"])


def test_with_the_kit_in_the_middle_a_failure_counts_only_when_it_is_seen_without_it(tmp_path: Path) -> None:
    found = results(mutant("loses-the-handle", tmp_path), pattern="server-*", wire=True)
    assert [found[name]["verdict"] for name in ("server-down", "server-up")] == ["fail", "pass"]
    assert found["server-down"]["transcript"][0]["text"].startswith(
        "without the kit, which counts: unexpected"
    )
    assert wire(found["server-down"])
    # A child that is wrong only in its first run.
    source = tmp_path / "shy.py"
    source.write_text(
        "import os, runpy, sys\n"
        f"again = os.path.exists({str(tmp_path / 'again')!r})\n"
        f"open({str(tmp_path / 'again')!r}, 'w').close()\n"
        f"sys.argv = [{str(kill.BASE)!r} if again else {str(tmp_path / 'loses-the-handle.py')!r}]\n"
        "runpy.run_path(sys.argv[0], run_name='__main__')\n",
        "utf-8",
    )
    shy = Plan((sys.executable, "-I", "-S", str(source)), "child", 2)
    entry = results(shy, pattern="server-down", wire=True)["server-down"]
    assert entry["verdict"] == "pass"
    assert "with the kit in the middle of the channel: unexpected" in str(entry["transcript"])


def test_a_trial_after_one_that_failed_begins_anew(tmp_path: Path) -> None:
    found = results(mutant("delivers-only-objects", tmp_path), pattern="[bv]*-down", scale=0.5)
    assert found["values-down"]["verdict"] == "fail"
    assert found["burst-down"]["verdict"] == "pass"


def test_what_is_known_is_known_and_what_is_fixed_is_an_error() -> None:
    known = {
        "*/other/burst-*": KnownFailure("silent", "it used to"),
        "right/*/values-up": KnownFailure("ok|died", "now and then"),
    }
    found = results(RIGHT, known, "*")
    assert found["burst-down"]["verdict"] == "fixed"
    assert found["values-up"]["verdict"] == "known"
    assert found["values-down"]["verdict"] == "pass"


def test_an_adapter_that_breaks_the_contract_is_no_failure_of_the_pair() -> None:
    garbage = Plan((sys.executable, "-I", "-S", "-c", "print('garbage', flush=True); input()"), "child", 2)
    entry = results(garbage, pattern="values-down")["values-down"]
    assert entry["verdict"] == "inconclusive"
    assert "no JSON text" in entry["text"]


def test_a_parent_that_starts_no_child_fails() -> None:
    nothing = Plan(("true",), "child", 2)
    entry = results(nothing, pattern="values-down")["values-down"]
    assert entry["verdict"] in ("inconclusive", "fail")
    assert "child" in entry["text"]


def test_the_command_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["pair", "pyref-sync", "pyref-asyncio", "-k", "burst", "--trace", "--time-scale", "5"]) == 0
    printed = capsys.readouterr().out
    assert "ok     burst-down" in printed
    assert 'child {"event":"message"' in printed
    assert 'down → {"number":0}' in printed
    assert main(["pair", "pyref-sync", "nobody"]) == 2
    assert main(["pair", "pyref-sync", "pyref-sync", "-k", "nothing-like-it"]) == 2


NODE = f"{node()} {ROOT / 'node-interop' / 'adapter.cjs'} --advanced"


@pytest.mark.parametrize(
    "ends", [("pyref-advanced-sync", NODE), (NODE, "pyref-advanced-asyncio")], ids=["node", "pyref"]
)
def test_a_pair_in_the_mode_advanced(ends: tuple[str, str], capsys: pytest.CaptureFixture[str]) -> None:
    """A command speaks the mode of the end that has a name."""
    assert main(["pair", *ends, "--time-scale", "5"]) == 0
    verdicts = [line.split()[:2] for line in capsys.readouterr().out.splitlines()]
    assert verdicts == [["ok", trial.id] for trial in TRIALS]


def test_the_bytes_of_a_pair_in_the_mode_advanced(capsys: pytest.CaptureFixture[str]) -> None:
    pair = ["pair", "pyref-advanced-sync", "pyref-advanced-asyncio"]
    assert main([*pair, "-k", "clones-down", "--trace", "--time-scale", "5"]) == 0
    assert "\\xff\\x0d" in capsys.readouterr().out.replace("\\r", "\\x0d")


def test_two_modes_are_no_pair(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["pair", "pyref-sync", "pyref-advanced-asyncio"]) == 2
    assert "different serializations" in capsys.readouterr().err
