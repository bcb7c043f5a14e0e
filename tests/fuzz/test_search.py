"""The search itself: its coverage, its examples, the same or new by profile, and whether it finds planted defects."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from jsonschema import Draft202012Validator

from channelkit.cli.main import main
from fuzz import machine, profiles
from fuzz.frames import USER, Frame
from fuzz.inprocess import PROPERTIES
from fuzz.peers import CATALOGUE
from fuzz.plans import Plan, Traits, plans
from fuzz.profiles import ROOT
from fuzz.repertoire import HARSH, LAST, LIKES, MESSAGE_KINDS, ORDINARY, QUIET, STRICT
from fuzz.scheduled import converse
from fuzz.tables import ALL
from fuzz.texts import SPELLING_KINDS, VALUE_KINDS

if TYPE_CHECKING:
    from pathlib import Path

    from fuzz.acts import Act

SCHEMA = Draft202012Validator(json.loads((ROOT / "schemas" / "kit" / "case.json").read_text("utf-8")))
RULES = json.loads((ROOT / "spec" / "requirements.json").read_text("utf-8"))["rules"]


@pytest.mark.search
def test_frames_show_every_kind_of_value() -> None:
    seen: Counter[str] = Counter()

    @profiles.pr(400)
    @given(USER)
    def one(frame: Frame) -> None:
        seen.update(frame.values)

    one()
    assert not (VALUE_KINDS | SPELLING_KINDS) - set(seen)


@pytest.fixture(scope="module")
def kinds_of_acts() -> set[str]:
    """Draw every act that there is for a while."""
    seen = {"small buffer"}  # a plan has it, not an act
    factories: list[Any] = list(dict.fromkeys((*ORDINARY, *QUIET, *HARSH, *STRICT, *LAST)))
    for factory in factories:

        @profiles.pr(80)
        @given(factory(1, frozenset()))
        def one(act: Act) -> None:
            seen.update(act.kinds)

        one()
    return seen


@pytest.mark.search
def test_acts_show_every_kind_of_message_and_fault(kinds_of_acts: set[str]) -> None:
    assert not MESSAGE_KINDS - kinds_of_acts


@pytest.mark.search
def test_plans_are_cases_and_choose_from_all_acts() -> None:
    seen: Counter[str] = Counter()

    @profiles.pr(150)
    @given(plans(Traits(strict=True, role="parent")))
    def one(plan: Plan) -> None:
        SCHEMA.validate(json.loads(plan.file))
        assert set(plan.entry["rules"]) <= set(RULES)
        seen.update(plan.kinds)

    one()
    assert {
        "messages",
        "NODE_HANDLE",
        "send",
        "send handle",
        "full table",
        "small buffer",
        "bad input",
    } <= set(seen)
    assert sum(kind.startswith("end: ") for kind in seen) > 2


def test_the_cases_that_plans_vary_are_in_the_catalogue() -> None:
    assert set(LIKES) <= set(CATALOGUE)


@pytest.mark.search
def test_plans_are_made_up_without_what_a_peer_is_known_for() -> None:
    avoid = frozenset(["hnd-stray-not-kept", "hnd-receive-native", "jsn-lone-surrogate", "frm-utf8-invalid"])

    @profiles.pr(60)
    @given(plans(Traits(avoid=avoid)))
    def one(plan: Plan) -> None:
        assert not plan.kinds & {
            "two descriptors",
            "descriptor without an envelope",
            "net.Native",
            "lone surrogates",
            "broken UTF-8",
        }

    one()


@pytest.mark.search
@pytest.mark.parametrize("name", ["machine-memory", "machine-sockets"])
def test_the_machine_takes_every_transition_of_the_spec(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine, "COVERED", covered := Counter[tuple[str, str, str]]())
    PROPERTIES[name](profiles.pr(150), lambda: None)()
    assert set(covered) == ALL


DRAW = """
import hashlib, sys
from pathlib import Path
from hypothesis import given, strategies as st
from fuzz import profiles
drawn = []
def take(data: bytes) -> None:
    drawn.append(data)
profile = profiles.pr(30) if sys.argv[1] == "pr" else profiles.explore(30, Path(sys.argv[2]))
profile(given(st.binary())(take))()
print(hashlib.sha256(repr(drawn).encode()).hexdigest(), profile.database is not None)
"""


@pytest.mark.parametrize(("name", "same", "database"), [("pr", True, "False"), ("explore", False, "True")])
def test_a_ci_variable_changes_no_profile(name: str, same: bool, database: str, tmp_path: Path) -> None:
    words = [sys.executable, "-c", DRAW, name, str(tmp_path)]
    outputs = [
        subprocess.run(
            words, env={**environment(), "CI": "1"}, capture_output=True, text=True, check=True, timeout=50
        ).stdout.split()
        for _ in range(2)
    ]
    assert (outputs[0][0] == outputs[1][0]) is same
    assert outputs[0][1] == database


def environment() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(ROOT / "tests")}


def explore(tmp_path: Path, defect: str, only: str) -> subprocess.CompletedProcess[str]:
    words = ["explore", "--defect", defect, "--only", only, "--seconds", "40"]
    folders = ["--found", str(tmp_path / "found"), "--database", str(tmp_path / "database")]
    return subprocess.run(
        [sys.executable, "-m", "fuzz", *words, *folders],
        env={**environment(), "CI": "1"},
        capture_output=True,
        text=True,
        check=False,
        timeout=110,
    )


def test_one_seed_gives_one_run_of_the_asyncio_front_end() -> None:
    ways = [[0, 3, 30_000, 200_001], [3, 300]]
    runs = [converse(seed, ways, buffer=5000, handles=True) for seed in (1, 1, 2)]
    assert runs[0] == runs[1] != runs[2]


@pytest.mark.parametrize(
    ("defect", "only"),
    [
        ("halved-characters", "cuts"),
        pytest.param("cancelled-receive-takes-a-message", "scheduled", marks=pytest.mark.search),
        pytest.param("minus-zero-lost", "json-paths", marks=pytest.mark.search),
        pytest.param("overtaking", "machine-memory", marks=pytest.mark.search),
    ],
)
def test_a_planted_defect_is_found_and_reported(defect: str, only: str, tmp_path: Path) -> None:
    result = explore(tmp_path, defect, only)
    assert result.returncode == 1, result.stdout + result.stderr
    assert f"FOUND by {only} after " in result.stdout
    assert "new examples ran" in result.stdout
    assert (tmp_path / "found" / f"{only}.txt").exists()


@pytest.mark.search
def test_a_plan_that_fails_is_replayed_and_promoted(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    result = explore(tmp_path, "double-ack", "plans/pyref-sync-child")
    assert result.returncode == 1, result.stdout + result.stderr
    (found,) = (tmp_path / "found").glob("fuzz-*.json")
    adapter = ROOT / "conformance" / "adapters" / "pyref" / "adapter.py"
    broken = f"{sys.executable} {ROOT / 'tests' / 'fuzz' / 'defective.py'} double-ack {adapter}"
    replay = ["replay", str(found), "--times", "1", "--rung", "2", "--child"]
    assert main([*replay, broken]) == 1
    assert main([*replay, f"{sys.executable} {adapter}"]) == 0
    catalogue = tmp_path / "cases"
    catalogue.mkdir()
    assert main(["promote", str(found), "--cases", str(catalogue), "--id", "fuzz-answered-twice"]) == 0
    assert main(["run", "--cases", str(catalogue), "--rung", "2", "--child", broken]) == 1
    assert (
        main(["run", "--cases", str(catalogue), "--rung", "2", "--child", f"{sys.executable} {adapter}"]) == 0
    )


@pytest.mark.search
def test_nothing_is_found_where_nothing_is_planted(tmp_path: Path) -> None:
    words = [
        "explore",
        "--only",
        "cuts",
        "--seconds",
        "2",
        "--found",
        str(tmp_path),
        "--database",
        str(tmp_path / "database"),
    ]
    result = subprocess.run(
        [sys.executable, "-m", "fuzz", *words],
        env={**environment(), "CI": "1"},
        capture_output=True,
        text=True,
        check=False,
        timeout=50,
    )
    assert result.returncode == 0, result.stdout + result.stderr
    assert not list(tmp_path.glob("*.txt"))
