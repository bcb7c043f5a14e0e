"""Broken peers judge the kit: each fails a case of a rule that it breaks, and their base fails no case."""

from __future__ import annotations

import sys
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from channelkit.catalogue.loading import shipped
from channelkit.judge.runner import Options, pairs, run
from channelkit.judge.subjects import Description
from channelkit.limits import Limits
from channelkit.resources import rules
from mutants import kill
from mutants.catalogue import MUTANTS, Mutant

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from channelkit.catalogue.cases import Case

CASES = shipped()
SLICES = 3
"""Parts that run at the same time; no part comes near the time limit of a test."""


def first_of_each_rule() -> list[Mutant]:
    """The mutants in their order, without those that break only rules of earlier ones."""
    broken: set[str] = set()
    found = []
    for mutant in MUTANTS:
        if not broken.issuperset(mutant.breaks):
            found.append(mutant)
            broken |= set(mutant.breaks)
    return found


CHOSEN = first_of_each_rule()


@pytest.mark.parametrize(
    ("role", "rung", "words"),
    [
        ("child", 0, ["echo"]),
        ("child", 2, []),
        ("parent", 3, []),
        ("worker", 0, ["worker"]),
        ("primary", 0, ["primary"]),
    ],
)
def test_the_base_passes_everything(role: str, rung: int, words: list[str]) -> None:
    command = (sys.executable, "-I", "-S", str(kill.base_of(role)), *words)
    assert wrong_answers(Description("base", role, rung, command, ""), CASES) == {}


@pytest.mark.parametrize(("rung", "words"), [(0, ["echo"]), (1, [])])
def test_the_base_of_the_mode_advanced_passes_its_chapter(rung: int, words: list[str]) -> None:
    command = (sys.executable, "-I", "-S", str(kill.ADVANCED_BASE), *words)
    subject = Description("base", "child", rung, command, "", mode="advanced")
    assert wrong_answers(subject, [case for case in CASES if case.topic == "adv"]) == {}


def wrong_answers(subject: Description, cases: Sequence[Case]) -> dict[str, str]:
    """The cases that do not pass, and why."""
    results = run(pairs([subject], cases), Options(8, Limits(2)))
    return {
        result.case.id: result.judgement.seen.text or result.judgement.flag
        for result in results
        if result.judgement.verdict != "pass"
    }


def test_mutants_are_well_made() -> None:
    names = [mutant.name for mutant in MUTANTS]
    assert len(set(names)) == len(names) >= 25
    for mutant in MUTANTS:
        assert set(mutant.breaks) <= set(rules()), mutant.name
        assert kill.source(mutant) != kill.base_of(mutant.role).read_text("utf-8"), mutant.name


@pytest.mark.parametrize("number", range(SLICES))
def test_a_mutant_of_each_rule_is_killed_by_a_case_that_the_table_names(number: int, tmp_path: Path) -> None:
    assert_killed(CHOSEN[number::SLICES], tmp_path)


@pytest.mark.long
@pytest.mark.parametrize("number", range(SLICES))
def test_the_other_mutants_are_killed_by_a_case_that_the_table_names(number: int, tmp_path: Path) -> None:
    chosen = {mutant.name for mutant in CHOSEN}
    assert_killed([mutant for mutant in MUTANTS if mutant.name not in chosen][number::SLICES], tmp_path)


def assert_killed(mutants: Sequence[Mutant], tmp_path: Path) -> None:
    """Runs listed killers from the shortest on, until one kills; `make mutants` runs all of them."""
    listed = kill.committed()
    kill.write_sources(tmp_path, mutants)

    def survives(mutant: Mutant) -> bool:
        killers = [case for case in kill.concerned(mutant, CASES) if case.id in listed[mutant.name]]
        killers.sort(key=lambda case: sum(len(data) for data, _descriptor in case.writes))
        return not any(kill.is_killed(mutant, case, tmp_path) for case in killers)

    with ThreadPoolExecutor(8) as pool:
        alive = [mutant for mutant, lives in zip(mutants, pool.map(survives, mutants), strict=True) if lives]
    # On a busy machine a fault may come too late for the limits. So a mutant that survived runs again, alone.
    assert [mutant.name for mutant in alive if survives(mutant)] == []


def test_every_absolute_rule_kills_according_to_the_table() -> None:
    found = kill.committed()
    assert found.keys() == {mutant.name for mutant in MUTANTS}, "run `make mutants`"
    assert kill.harmless_rules(found, CASES) == [], (
        "these rules are shown by a case, and no mutant dies of them"
    )
    assert kill.difference(kill.table(found, CASES)) == [], "run `make mutants`"
