"""Every schema is a schema, every example is as valid as its folder says, every case file fits."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from referencing import Registry, Resource

from channelkit.catalogue.expansion import entries
from channelkit.steps.kinds import KINDS

ROOT = Path(__file__).resolve().parents[2]
SCHEMAS = ROOT / "schemas"
EXAMPLES = SCHEMAS / "examples"
CASES = ROOT / "conformance" / "cases"

# Schemas as `wire/handle`, examples as `wire/handle/valid/server.json`.
NAMES = sorted(
    path.relative_to(SCHEMAS).with_suffix("").as_posix()
    for path in SCHEMAS.rglob("*.json")
    if EXAMPLES not in path.parents
)
WITNESSES = sorted(path.relative_to(EXAMPLES).as_posix() for path in EXAMPLES.rglob("*.json"))
CASE_FILES = sorted(path.name for path in CASES.glob("*.json") if path.name != "flags.json")


def load(path: Path) -> Any:
    return json.loads(path.read_text("utf-8"))


def validator(name: str) -> Draft202012Validator:
    resources = [Resource.from_contents(load(SCHEMAS / f"{each}.json")) for each in NAMES]
    registry: Registry[Any] = Registry().with_resources(
        [(str(resource.contents["$id"]), resource) for resource in resources]
    )
    return Draft202012Validator(load(SCHEMAS / f"{name}.json"), registry=registry)


def cases() -> list[dict[str, Any]]:
    return [case for name in CASE_FILES for case in entries(load(CASES / name))]


@pytest.mark.parametrize("name", NAMES)
def test_is_a_schema_of_2020_12_under_its_own_name(name: str) -> None:
    schema = load(SCHEMAS / f"{name}.json")
    assert schema["$schema"] == Draft202012Validator.META_SCHEMA["$id"]
    assert schema["$id"].endswith(f"/schemas/{name}.json")
    Draft202012Validator.check_schema(schema)


@pytest.mark.parametrize("name", NAMES)
def test_has_valid_and_invalid_witnesses(name: str) -> None:
    kinds = {witness.split("/")[2] for witness in WITNESSES if witness.startswith(f"{name}/")}
    assert kinds == {"valid", "invalid"}


@pytest.mark.parametrize("witness", WITNESSES)
def test_witness(witness: str) -> None:
    group, schema, kind, _ = witness.split("/")
    errors = list(validator(f"{group}/{schema}").iter_errors(load(EXAMPLES / witness)))
    assert bool(errors) == (kind == "invalid"), [error.message for error in errors]


def test_handle_types_are_those_of_the_prose() -> None:
    prose = (ROOT / "spec" / "50-handles.md").read_text("utf-8")
    table = prose.partition("| `type` | descriptor |")[2].partition("\n\n")[0]
    types = re.findall(r"^\| `([a-z]+\.[A-Za-z]+)` \|", table, re.MULTILINE)
    assert types == load(SCHEMAS / "wire" / "handle.json")["properties"]["type"]["enum"]


@pytest.mark.skipif("kit/case" not in NAMES, reason="the schema of case files is not there")
@pytest.mark.parametrize("name", CASE_FILES)
def test_case_file_fits_its_schema(name: str) -> None:
    errors = [
        f"{error.json_path}: {error.message}"
        for error in validator("kit/case").iter_errors(load(CASES / name))
    ]
    assert not errors


@pytest.mark.parametrize("name", CASE_FILES)
def test_case_ids_begin_with_the_topic_of_their_file(name: str) -> None:
    file = load(CASES / name)
    assert file["topic"] == Path(name).stem.partition("-")[0]
    assert [case["id"] for case in entries(file) if not case["id"].startswith(f"{file['topic']}-")] == []


def test_titles_and_guards_state_what_is() -> None:
    modal = re.compile(r"\b(must|should|may|can|could|shall|might|ought)\b", re.IGNORECASE)
    assert [case["id"] for case in cases() if modal.search(case["title"])] == []
    assert [case["id"] for case in cases() if not case.get("guards", ".").endswith(".")] == []


def test_flags_are_explained_and_used() -> None:
    glossary = load(CASES / "flags.json")
    used = {
        outcome["flag"]
        for case in cases()
        for outcome in case["outcomes"].values()
        if isinstance(outcome, dict)
    }
    assert used == set(glossary)
    assert all(entry.keys() == {"meaning", "effect"} for entry in glossary.values())


def test_every_outcome_of_a_case_can_come_about() -> None:
    """An outcome is named by the runner itself, by a kind of step, or by a step."""
    own = {"ok", "unexpected", "silent", "closed", "died", "refused"}
    for case in cases():
        text = json.dumps(case["steps"])
        named = set(re.findall(r'"(?:as|refused)": "([a-z-]+)"', text))
        of_kinds = {
            outcome for name, kind in KINDS.items() if f'"{name}"' in text for outcome in kind.outcomes
        }
        assert set(case["outcomes"]) <= own | of_kinds | named, case["id"]
        assert named <= set(case["outcomes"]), case["id"]


def test_known_failures_name_cases() -> None:
    ids = {case["id"] for case in cases()}
    for path in sorted((ROOT / "conformance" / "known").glob("*.txt")):
        for line in path.read_text("utf-8").splitlines():
            entry, _, reason = line.partition("#")
            if entry.strip():
                assert entry.split()[0].partition(":")[0] in ids, f"{path.name}: {line}"
                assert reason.strip(), f"{path.name}: no reason: {line}"
