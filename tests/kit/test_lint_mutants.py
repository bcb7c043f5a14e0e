"""Broken peers behind the tap: the recording names a rule that the peer breaks. `mutants/watched.py` does so for all of them."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import pytest

from support.node import ROOT

if TYPE_CHECKING:
    from pathlib import Path

sys.path.insert(0, str(ROOT / "conformance"))

from channelkit.catalogue.loading import shipped
from channelkit.judge.runner import posed
from mutants import watched
from mutants.catalogue import MUTANTS, Mutant
from mutants.kill import committed, subject, write_sources

CHOSEN = (
    *("writes-latin-1", "pretty-printer", "two-line-feeds", "writes-a-bom", "forgets-the-line-feed"),
    *("retries-without-a-descriptor", "acknowledges-in-a-user-message"),
)


@pytest.fixture(autouse=True)
def tapped_puppets(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("channelkit.process.session.PuppetLink", watched.TappedPuppets)


def test_every_mutant_that_is_called_invisible_exists() -> None:
    assert {mutant.name for mutant in MUTANTS} >= watched.INVISIBLE
    assert len(watched.visible()) > 180


@pytest.mark.parametrize(
    "mutant",
    [one for one in watched.visible() if one.name in CHOSEN or one.role != "child"][::12],
    ids=lambda one: one.name,
)
def test_a_mutant_is_noticed(tmp_path: Path, mutant: Mutant) -> None:
    write_sources(tmp_path, [mutant])
    cases = {case.id: case for case in shipped()}
    asked = [posed(cases[killer], subject(tmp_path, mutant)) for killer in committed()[mutant.name]]
    found = watched.noticed(mutant, [case for case in asked if case is not None], tmp_path)
    assert found & set(mutant.breaks), found
