"""The short forms of a case file: fragments, rows, repetitions."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from jsonschema import Draft202012Validator

from channelkit.catalogue.expansion import entries
from channelkit.catalogue.loading import load_file
from channelkit.catalogue.members import document
from channelkit.errors import UsageError
from channelkit.resources import case_files

if TYPE_CHECKING:
    from pathlib import Path

FRAGMENTS: dict[str, Any] = {
    "hello": [{"write": [{"message": "@word@"}]}, {"expect": {"delivered": "@word@"}}],
    "twice": [{"use": "hello", "with": {"word": "a"}}, {"use": "hello", "with": {"word": "@second@"}}],
}
CASE: dict[str, Any] = {
    "id": "t-one",
    "title": "A title",
    "rules": ["FRM-001"],
    "level": "MUST",
    "roles": ["child"],
    "rung": 0,
    "steps": [{"use": "twice", "with": {"second": 5}, "why": "Two are more than one."}, {"barrier": True}],
    "outcomes": {"ok": "conform"},
}


def file(folder: Path, *cases: dict[str, Any]) -> Path:
    path = folder / "t.json"
    content = {"topic": "t", "fragments": FRAGMENTS, "cases": list(cases)}
    assert Draft202012Validator(document()).is_valid(content)
    path.write_text(json.dumps(content, indent=1))
    return path


def test_a_fragment_may_use_those_before_it(tmp_path: Path) -> None:
    (case,) = load_file(file(tmp_path, CASE))
    assert case.steps == [
        {"write": [{"message": "a"}], "why": "Two are more than one."},
        {"expect": {"delivered": "a"}},
        {"write": [{"message": 5}]},
        {"expect": {"delivered": 5}},
        {"barrier": True},
    ]


def test_a_row_is_a_case_with_an_id_of_its_own(tmp_path: Path) -> None:
    shared = {name: value for name, value in CASE.items() if name not in ("id", "title")}
    rows = [
        {"id": "t-null", "title": "null arrives", "value": None},
        {"id": "t-list", "title": "A list arrives", "value": [1, "@round@"], "level": "MAY"},
    ]
    steps = [{"repeat": 2, "steps": [{"use": "hello", "with": {"word": "@value@"}}]}]
    first, second = load_file(file(tmp_path, {**shared, "steps": steps, "each": rows}))
    assert (first.id, first.title, first.level) == ("t-null", "null arrives", "MUST")
    assert first.steps == [{"write": [{"message": None}]}, {"expect": {"delivered": None}}] * 2
    assert (second.id, second.level) == ("t-list", "MAY")
    assert second.steps[3] == {"expect": {"delivered": [1, 1]}}


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"steps": [{"use": "helo"}]}, "unknown fragment 'helo'; did you mean 'hello'?"),
        (
            {"steps": [{"use": "hello", "with": {"wrd": 1}}]},
            "the fragment hello has no value 'wrd'; did you mean 'word'?",
        ),
        (
            {"each": [{"valu": 1}], "steps": [{"write": ["@value@"]}]},
            "the case has no value 'valu'; did you mean 'value'?",
        ),
        ({"each": [{"level": "MUSST"}]}, "level is none of"),
        ({"each": [{"text": "x"}], "steps": [{"write": ["@text@"], "cut": [1]}]}, "the write has 1 bytes"),
        ({"each": [{"digits": "0g"}], "steps": [{"write": [{"hex": "@digits@"}]}]}, "does not look like"),
    ],
)
def test_a_mistake_is_told(changes: dict[str, Any], text: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError) as caught:
        load_file(file(tmp_path, {**CASE, **changes}))
    assert text in str(caught.value)
    assert str(caught.value).startswith(f"{tmp_path / 't.json'}:")


def test_a_fragment_may_not_use_itself(tmp_path: Path) -> None:
    path = file(tmp_path, CASE)
    content = json.loads(path.read_text())
    content["fragments"]["hello"].append({"use": "twice"})
    path.write_text(json.dumps(content))
    with pytest.raises(UsageError, match="unknown fragment 'twice'"):
        load_file(path)


def test_every_fragment_of_the_catalogue_is_used() -> None:
    for path in case_files():
        content = json.loads(path.read_text("utf-8"))
        steps = json.dumps([content["cases"], *content.get("fragments", {}).values()])
        assert all(f'"use": "{name}"' in steps for name in content.get("fragments", {})), path.name
        assert all("use" not in step for case in entries(content) for step in case["steps"])
