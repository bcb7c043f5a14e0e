"""The data that ships with the kit."""

from __future__ import annotations

import ast
import json
import sys
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from channelkit import resources
from channelkit.catalogue import loading as cases
from channelkit.errors import UsageError
from channelkit.judge import subjects
from support.kit import SAMPLE

ROOT = Path(__file__).resolve().parents[2]
SUBJECTS = sorted((ROOT / "conformance" / "subjects").glob("*.json"))
BAD_CASES = sorted((ROOT / "schemas" / "examples" / "kit" / "case" / "invalid").glob("*.json"))
BAD_SUBJECTS = sorted((ROOT / "schemas" / "examples" / "kit" / "subject" / "invalid").glob("*.json"))


def schema(name: str) -> Draft202012Validator:
    return Draft202012Validator(json.loads((ROOT / "schemas" / "kit" / f"{name}.json").read_text("utf-8")))


def load(path: Path) -> Any:
    return json.loads(path.read_text("utf-8"))


def test_the_catalogue_loads() -> None:
    assert len(cases.load(resources.case_files())) >= 60


def test_the_sample_fits_the_schema() -> None:
    schema("case").validate(load(SAMPLE))


@pytest.mark.parametrize("path", BAD_CASES, ids=lambda path: path.stem)
def test_what_the_schema_refuses_is_refused_without_it(path: Path) -> None:
    with pytest.raises(UsageError, match=path.name):
        cases.load_file(path)


@pytest.mark.parametrize("path", BAD_SUBJECTS, ids=lambda path: path.stem)
def test_bad_descriptions_are_refused(path: Path) -> None:
    with pytest.raises(UsageError, match=path.name):
        subjects.from_path(path)


@pytest.mark.parametrize("path", SUBJECTS, ids=lambda path: path.stem)
def test_descriptions_fit_and_have_their_name(path: Path) -> None:
    entry = load(path)
    schema("subject").validate(entry)
    assert entry["name"] == path.stem


def test_the_catalogue_of_subjects_loads() -> None:
    assert len(subjects.from_path(ROOT / "conformance" / "subjects")) == len(SUBJECTS) >= 9


def test_the_kit_needs_the_standard_library_only() -> None:
    allowed = set(sys.stdlib_module_names) | {"channelkit"}
    for path in (ROOT / "conformance" / "channelkit").glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            if isinstance(node, ast.ImportFrom):
                names = [node.module or ""]
            assert {name.partition(".")[0] for name in names} <= allowed, path.name


def test_the_bash_adapter_is_short() -> None:
    assert len((ROOT / "conformance" / "adapters" / "bash" / "echo.sh").read_text("utf-8").splitlines()) < 15
