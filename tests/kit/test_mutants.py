"""Broken peers judge the kit: each fails a case of a rule it breaks, and the peer that they are made of fails none."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import pytest

from channelkit.cases import load
from channelkit.limits import Limits
from channelkit.resources import case_files, rules
from channelkit.runner import Options, pairs, run
from channelkit.subjects import Description
from mutants import kill
from mutants.catalogue import MUTANTS

CASES = load(case_files())
SLICES = 6
"""Parts that run beside each other; none comes near the time limit of a test."""


@pytest.mark.parametrize(
    ("role", "rung", "words"), [("child", 0, ["echo"]), ("child", 2, []), ("parent", 3, [])]
)
def test_the_base_passes_everything(role: str, rung: int, words: list[str]) -> None:
    command = (sys.executable, "-I", "-S", str(kill.BASE), *words)
    subject = Description("base", role, rung, command, "")
    results = run(pairs([subject], CASES), Options(8, Limits(2)))
    wrong = {
        result.case.id: result.judgement.seen.text or result.judgement.flag
        for result in results
        if result.judgement.verdict != "pass"
    }
    assert wrong == {}


def test_mutants_are_well_made() -> None:
    names = [mutant.name for mutant in MUTANTS]
    assert len(set(names)) == len(names) >= 25
    for mutant in MUTANTS:
        assert set(mutant.breaks) <= set(rules()), mutant.name
        compile(kill.source(mutant), mutant.name, "exec")


@pytest.mark.parametrize("number", range(SLICES))
def test_mutants_are_killed_as_the_table_says(number: int) -> None:
    mutants = MUTANTS[number::SLICES]
    with tempfile.TemporaryDirectory() as folder:
        found = kill.kills(mutants, CASES, Path(folder))
    assert kill.survivors(found) == []
    listed = kill.committed()
    for mutant in mutants:
        expected = listed.get(mutant.name)
        if (
            expected is not None and "FRM-024" in mutant.breaks
        ):  # it is a matter of time, and so of the machine, what else it fails
            assert set(expected) <= set(found[mutant.name]), "run `make mutants`"
        else:
            assert found[mutant.name] == expected, "run `make mutants`"


def test_every_absolute_rule_kills_according_to_the_table() -> None:
    found = kill.committed()
    assert found.keys() == {mutant.name for mutant in MUTANTS}, "run `make mutants`"
    assert kill.harmless_rules(found, CASES) == [], (
        "these rules are shown by a case, and no mutant dies of them"
    )
    assert kill.difference(kill.table(found, CASES)) == [], "run `make mutants`"
