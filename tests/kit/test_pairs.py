"""Parent by child: two implementations on one channel, each driven by its adapter."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import pytest

from channelkit import pairing
from channelkit.cli import main
from channelkit.known import KnownFailure
from channelkit.limits import Limits
from channelkit.pairing import Participant
from channelkit.session import Plan
from channelkit.trials import TRIALS
from mutants import kill
from mutants.catalogue import MUTANTS

if TYPE_CHECKING:
    from pathlib import Path

RIGHT = Plan((sys.executable, "-I", "-S", str(kill.BASE)), "parent", 3)


def results(
    child: Plan, known: dict[str, KnownFailure] | None = None, pattern: str | None = None
) -> dict[str, Any]:
    both = [Participant("right", RIGHT, None), Participant("other", None, child)]
    found = pairing.run(both, pairing.select(pattern), Limits(2), 1, known or {})
    return {entry["trial"]: entry for entries in found for entry in entries}


def mutant(name: str, folder: Path) -> Plan:
    kill.write_sources(folder, [one for one in MUTANTS if one.name == name])
    return Plan((sys.executable, "-I", "-S", str(folder / f"{name}.py")), "child", 2)


def test_two_that_are_right_do_everything_with_each_other() -> None:
    found = results(RIGHT)
    assert {name: entry["text"] for name, entry in found.items() if entry["verdict"] != "pass"} == {}
    assert list(found) == [trial.id for trial in TRIALS]


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
    entry = results(mutant(name, tmp_path), pattern=trial)[trial]
    assert (entry["outcome"], entry["verdict"]) == (outcome, "fail")


def test_a_trial_after_one_that_failed_begins_anew(tmp_path: Path) -> None:
    found = results(mutant("delivers-only-objects", tmp_path), pattern="*-down")
    assert found["values-down"]["verdict"] == "fail"
    assert found["large-down"]["verdict"] == "fail"
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
    assert main(["pair", "pyref-sync", "pyref-asyncio", "-k", "burst", "--trace"]) == 0
    printed = capsys.readouterr().out
    assert "ok     burst-down" in printed
    assert 'child {"event":"message"' in printed
    assert main(["pair", "pyref-sync", "nobody"]) == 2
    assert main(["pair", "pyref-sync", "pyref-sync", "-k", "nothing-like-it"]) == 2
