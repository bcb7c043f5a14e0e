"""The cases of carriers, on the reference and on real packages, and some of the mutants that judge them."""

from __future__ import annotations

import json

import broken_peers
import pytest
import run

from support.node import ROOT, node
from support.packages import packages

# One front end for each framing; `make carrier-kit` runs all.
SUBJECTS = [
    "pyref-lines-blocking",
    "pyref-headers-asyncio",
    "pyref-node-ipc-asyncio",
    "readline",
    "vscode-jsonrpc",
    "node-ipc-9",
    "node-ipc-14",
]

PARTS = 3


@pytest.mark.parametrize("part", range(PARTS))
@pytest.mark.parametrize("name", SUBJECTS)
def test_a_subject_does_what_is_foreseen(name, part, monkeypatch):
    monkeypatch.setenv("NODE", node())
    monkeypatch.setenv("CARRIER_PACKAGES", str(packages()))
    [subject] = [subject for subject in run.load_subjects() if subject.name == name]
    assert run.judge(subject, run.load_cases(subject.carrier)[part::PARTS]) == []


def test_there_are_enough_cases_and_mutants():
    cases = [case for carrier in ("lines", "headers", "node-ipc") for case in run.load_cases(carrier)]
    assert len({case["id"] for case in cases}) == len(cases) >= 60
    assert len({(mutant.name, mutant.carrier) for mutant in broken_peers.MUTANTS}) >= 40


def test_each_case_names_rules_of_the_spec():
    rules = json.loads((ROOT / "spec" / "requirements.json").read_text())["rules"]
    for carrier in ("lines", "headers", "node-ipc"):
        for case in run.load_cases(carrier):
            assert case["rules"], case["id"]
            assert set(case["rules"]) <= set(rules), case["id"]


def test_known_failures_are_cases():
    for subject in run.load_subjects():
        ids = {case["id"] for case in run.load_cases(subject.carrier)}
        assert subject.known.keys() | subject.varies.keys() <= ids


@pytest.mark.parametrize("number", range(0, len(broken_peers.MUTANTS), 20))
def test_a_mutant_is_noticed(number):
    assert broken_peers.killer(broken_peers.MUTANTS[number]) is not None
