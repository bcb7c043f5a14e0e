"""Case files have a canonical form."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from channelkit.catalogue.form import WIDTH, formatted, written
from channelkit.cli.fmt import own_files
from channelkit.cli.main import main
from support.kit import SAMPLE

SCALARS = (
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text()
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(st.text(max_size=5), inner, max_size=5),
    max_leaves=20,
)


@pytest.mark.parametrize("path", own_files(), ids=lambda path: path.name)
def test_the_catalogue_has_the_canonical_form(path: Path) -> None:
    text = path.read_text("utf-8")
    assert formatted(text) == text, "run `channelkit fmt`"


@given(VALUES)
@settings(max_examples=60, deadline=None)
def test_the_form_keeps_every_value_and_does_not_change_again(content: Any) -> None:
    text = written({"topic": "t", "cases": [{"id": "t-1", "steps": [content]}]})
    assert json.loads(text)["cases"][0]["steps"] == [content]
    assert formatted(text) == text


def test_a_line_ends_only_where_it_is_full() -> None:
    step = {"write": [{"message": {f"member-{n}": "x" * n}} for n in range(60)]}
    lines = written({"topic": "t", "cases": [{"id": "t-1", "steps": [step]}]}).splitlines()
    assert max(map(len, lines)) <= WIDTH
    full = [line for line in lines if "member" in line][:-1]
    assert min(map(len, full)) > WIDTH // 2


def test_numbers_keep_their_spelling_and_unseen_characters_are_escaped() -> None:
    text = r'{"write": [1e400, 1.50, -0, 1E2, "\u00a0\u00e9\ud800\ud83d\ude00"]}'
    assert r'{"write": [1e400, 1.50, -0, 1E2, "\u00a0é\ud800😀"]}' in formatted(f'{{"steps": [{text}]}}')


@pytest.mark.parametrize(
    ("text", "reason"),
    [('{"topic": "a",\n "cases" []}', "line 2"), ('{"a": 1, "a": 2}', "two members a"), ("[NaN]", "NaN")],
)
def test_no_json_is_wrong_usage(
    tmp_path: Path, text: str, reason: str, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "bad.json"
    file.write_text(text)
    assert main(["fmt", str(file)]) == 2
    shown = capsys.readouterr().err
    assert str(file) in shown
    assert reason in shown
    assert file.read_text() == text


def test_check_writes_nothing_and_the_command_itself_does(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = Path(shutil.copy(SAMPLE, tmp_path))
    before = json.dumps(json.loads(file.read_text("utf-8")))
    file.write_text(before)
    assert main(["fmt", "--check", str(file)]) == 1
    assert file.read_text() == before
    assert main(["fmt", str(file)]) == 0
    assert main(["fmt", "--check", str(file)]) == 0
    assert json.loads(file.read_text("utf-8")) == json.loads(before)
    assert "rewritten" in capsys.readouterr().out
