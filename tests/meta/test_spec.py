"""The committed index of requirements is current; every lint of `spec/build.py` catches its bad sample."""

from __future__ import annotations

import importlib.util
import json
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]


def load_build() -> Any:
    spec = importlib.util.spec_from_file_location("spec_build", ROOT / "spec" / "build.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


build = load_build()

RULE = "**[FRM-001]** A sender MUST end a line.\n\n*Intent:* So that it ends.\n"
CASE = {
    "id": "frm-one",
    "rules": ["FRM-001"],
    "level": "MUST",
    "roles": ["child", "parent"],
    "rung": 0,
    "steps": [],
}


def problems(
    chapter: str,
    *cases: dict[str, Any],
    committed: dict[str, Any] | None = None,
    citations: list[tuple[str, str]] | None = None,
    name: str = "20-framing.md",
) -> list[str]:
    """Lint a chapter and return the problems; the first heading is put in front."""
    spec = build.Spec(cases=list(cases), committed=committed or {}, citations=citations or [])
    spec.add_chapter(name, f"# 20 Framing (FRM)\n\n{chapter}")
    found: list[str] = spec.lint()
    return found


def test_committed_index_is_current(capsys: pytest.CaptureFixture[str]) -> None:
    status = build.main(["--check"])
    assert status == 0, capsys.readouterr().err


def test_good_sample_has_no_problem() -> None:
    assert problems(RULE, CASE) == []


def test_rule_without_a_case_needs_a_reason() -> None:
    assert problems(RULE) == ["FRM-001: has neither a case nor a reason why it is not tested"]
    assert problems(RULE + "\n*Not tested:* Nobody can see it.\n") == []


@pytest.mark.parametrize(
    ("chapter", "expected"),
    [
        (RULE + "\n" + RULE, "FRM-001: used twice"),
        (RULE.replace("FRM-001", "JSN-001"), "JSN-001: stands in 20-framing.md, whose area is FRM"),
        (RULE.replace("a line", "a line and MAY go on"), "FRM-001: 2 keywords instead of one"),
        (RULE.replace("MUST", "must"), "FRM-001: 0 keywords instead of one"),
        (RULE.replace("MUST", "SHALL"), "FRM-001: SHALL is not used here"),
        (RULE.replace("A sender", "Everybody"), "FRM-001: does not begin with the bound party"),
        (RULE.replace("a line.", "a line"), "FRM-001: does not end with a full stop"),
        (RULE.partition("*Intent")[0], "FRM-001: has no intent"),
        (RULE + "\n*Not tested:* No reason.\n", "FRM-001: has a case and says that it is not tested"),
        (RULE + "\n*Not tested:*\n", "FRM-001: gives no reason why it is not tested"),
        (RULE + "\nA reader MAY wonder.\n", "20-framing.md: MAY outside a rule"),
        (RULE.replace("it ends", "it MUST end"), "20-framing.md: MUST outside a rule"),
        ("Text.\n\n*Intent:* Lost.\n\n" + RULE, "20-framing.md: belongs to no rule"),
        (RULE + "\n**[FRM-2]** A sender MUST count.\n", "20-framing.md: not the form of a rule"),
    ],
)
def test_bad_chapter(chapter: str, expected: str) -> None:
    assert any(problem.startswith(expected) for problem in problems(chapter, CASE))


def test_keywords_in_code_are_no_keywords() -> None:
    assert problems(RULE + "\nThe word `MUST`.\n\n```\nMUST\n\nMAY\n```\n", CASE) == []


def test_chapter_without_an_area() -> None:
    spec = build.Spec()
    spec.add_chapter("20-framing.md", "# Framing\n")
    assert spec.lint() == ["20-framing.md: the first heading is not of the form `# 20 Framing (FRM)`"]


@pytest.mark.parametrize(
    ("case", "expected"),
    [
        ({**CASE, "id": "frm-two", "rules": ["FRM-009"]}, "case frm-two: names FRM-009, which is no rule"),
        ({**CASE, "id": "frm-two", "rules": []}, "case frm-two: shows no rule"),
        (CASE, "case frm-one: used twice"),
    ],
)
def test_bad_case(case: dict[str, Any], expected: str) -> None:
    assert problems(RULE, CASE, case) == [expected]


def test_case_is_not_stronger_than_its_rules() -> None:
    weak = RULE.replace("MUST", "SHOULD NOT")
    assert problems(weak, CASE) == ["case frm-one: is of level MUST, and none of its rules is"]
    assert problems(weak, {**CASE, "level": "SHOULD"}) == []


def test_published_rule_does_not_vanish() -> None:
    committed: dict[str, Any] = {"rules": {"FRM-001": {}, "FRM-002": {}}, "retired": {"FRM-003": {}}}
    found = problems(RULE, CASE, committed=committed)
    assert [problem.partition(":")[0] for problem in found] == ["FRM-002", "FRM-003"]
    tombs = "\n**[FRM-002]** *Retired.* Too strict.\n\n**[FRM-003]** *Retired.* Wrong.\n"
    assert problems(RULE + tombs, CASE, committed=committed) == []


def test_retired_rule_stays_retired() -> None:
    committed: dict[str, Any] = {"retired": {"FRM-001": {}}}
    assert problems(RULE, CASE, committed=committed) == ["FRM-001: was retired and is in use again"]
    tomb = "**[FRM-001]** *Retired.* Wrong.\n"
    assert problems(tomb, CASE) == ["case frm-one: names FRM-001, which is no rule"]


def test_citations_name_rules(tmp_path: Path) -> None:
    source = tmp_path / "pyref" / "wire.py"
    source.parent.mkdir()
    source.write_text("x = 1  # [FRM-001]\ny = [FRM]  # [FRM-001, FRM-007] and FRM-008\n", "utf-8")
    citations = build.find_citations(tmp_path)
    assert citations == [
        ("pyref/wire.py:1", "FRM-001"),
        ("pyref/wire.py:2", "FRM-001"),
        ("pyref/wire.py:2", "FRM-007"),
    ]
    assert problems(RULE, CASE, citations=citations) == ["pyref/wire.py:2: cites FRM-007, which is no rule"]


def test_markers_of_tests_name_rules(tmp_path: Path) -> None:
    source = tmp_path / "tests" / "unit" / "test_wire.py"
    source.parent.mkdir(parents=True)
    source.write_text('@pytest.mark.rule("FRM-001",\n    "FRM-007")\ndef test(): ...\n', "utf-8")
    citations = build.find_citations(tmp_path)
    assert citations == [("tests/unit/test_wire.py", "FRM-001"), ("tests/unit/test_wire.py", "FRM-007")]
    assert problems(RULE, CASE, citations=citations) == [
        "tests/unit/test_wire.py: cites FRM-007, which is no rule"
    ]


def write_tree(root: Path) -> None:
    (root / "spec").mkdir()
    (root / "conformance" / "cases").mkdir(parents=True)
    (root / "spec" / "20-framing.md").write_text(f"# 20 Framing (FRM)\n\n{RULE}", "utf-8")
    file = {"topic": "frm", "cases": [CASE]}
    (root / "conformance" / "cases" / "frm.json").write_text(json.dumps(file), "utf-8")
    (root / "conformance" / "cases" / "flags.json").write_text("{}", "utf-8")
    (root / "pyref").mkdir()
    (root / "pyref" / "wire.py").write_text("def send():\n    return 1  # [FRM-001]\n", "utf-8")


def test_writes_and_compares(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_tree(tmp_path)
    assert build.main(["--check"], tmp_path) == 1
    assert "out of date" in capsys.readouterr().err
    assert build.main([], tmp_path) == 0
    assert build.main(["--check"], tmp_path) == 0
    index = json.loads((tmp_path / "spec" / "requirements.json").read_text("utf-8"))
    assert index["rules"]["FRM-001"] == {
        "level": "MUST",
        "text": "A sender MUST end a line.",
        "intent": "So that it ends.",
        "chapter": "20-framing.md",
        "not_tested": None,
        "cases": ["frm-one"],
    }


def test_matrix_names_the_place_and_the_test(tmp_path: Path) -> None:
    write_tree(tmp_path)
    (tmp_path / "tests").mkdir()
    (tmp_path / "tests" / "test_wire.py").write_text(
        '@pytest.mark.rule("FRM-001")\ndef test_line(): ...\n', "utf-8"
    )
    assert build.main([], tmp_path) == 0
    matrix = (tmp_path / "spec" / "traceability.md").read_text("utf-8")
    assert "| FRM-001 | MUST | frm-one | `pyref/wire.py send` | `test_wire.py test_line` |" in matrix


def test_rule_that_the_reference_does_not_cite_needs_a_reason(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_tree(tmp_path)
    (tmp_path / "pyref" / "wire.py").write_text("", "utf-8")
    assert build.main([], tmp_path) == 1
    assert "FRM-001: no line of pyref/ cites it" in capsys.readouterr().err
    reasons = tmp_path / "spec" / "elsewhere.json"
    reasons.write_text('{"FRM-001": "Python does it."}', "utf-8")
    assert build.main([], tmp_path) == 0
    (tmp_path / "pyref" / "wire.py").write_text("# [FRM-001]\n", "utf-8")
    assert build.main([], tmp_path) == 1
    reasons.write_text('{"FRM-009": "No such rule."}', "utf-8")
    assert build.main([], tmp_path) == 1
    assert "spec/elsewhere.json: FRM-009 is no rule" in capsys.readouterr().err


@pytest.mark.parametrize("stamped", ["frm-one", "FRM-001"])
def test_edited_rule_makes_its_cases_stale(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], stamped: str
) -> None:
    write_tree(tmp_path)
    assert build.main([], tmp_path) == 0
    chapter = tmp_path / "spec" / "20-framing.md"
    chapter.write_text(chapter.read_text("utf-8").replace("end a line", "end every line"), "utf-8")
    for argv in (["--check"], []):
        assert build.main(argv, tmp_path) == 1
        assert "case frm-one: the text of FRM-001 has changed" in capsys.readouterr().err
    assert build.main(["--stamp", "frm-two"], tmp_path) == 1
    assert build.main(["--stamp", stamped], tmp_path) == 0
    assert build.main(["--check"], tmp_path) == 0


def test_an_intent_may_change_without_a_stamp(tmp_path: Path) -> None:
    write_tree(tmp_path)
    assert build.main([], tmp_path) == 0
    chapter = tmp_path / "spec" / "20-framing.md"
    chapter.write_text(chapter.read_text("utf-8").replace("So that", "In order that"), "utf-8")
    assert build.main([], tmp_path) == 0


def test_generated_part_is_compared(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_tree(tmp_path)
    annex = tmp_path / "spec" / "annex-a.md"
    annex.write_text("# Annex A\n\n<!-- generated: measured FRM -->\nold\n<!-- end -->\n", "utf-8")
    names = ["Node 1", "Node 2", "Node 3", "Node 4", "Bun"]
    rows = [
        {"id": "frm-x", "area": "FRM", "question": "a|b", "cells": dict.fromkeys(names, "yes")},
        {
            "id": "frm-y",
            "area": "FRM",
            "question": "c",
            "cells": {**dict.fromkeys(names, "yes"), "Node 4": "no"},
        },
        {
            "id": "jsn-z",
            "area": "JSN",
            "question": "d",
            "cells": {**dict.fromkeys(names, "yes"), "Node 2": "no"},
        },
    ]
    data = {"runtimes": dict.fromkeys(names, "1.0"), "older": {}, "rows": rows}
    (tmp_path / "spec" / "measured.json").write_text(json.dumps(data), "utf-8")
    assert build.main(["--check"], tmp_path) == 1
    assert "spec/annex-a.md is out of date" in capsys.readouterr().err
    assert build.main([], tmp_path) == 0
    assert (
        "|  | Node 1 to 3 | Node 4 | Bun |\n| --- | --- | --- | --- |\n| a\\|b | yes | = | = |\n| c | yes | no | yes |\n"
    ) in annex.read_text("utf-8")
    assert build.main(["--check"], tmp_path) == 0


CLAIM = RULE.replace("So that it ends.", "Node dies without it.")


def with_rows(chapter: str, name: str = "20-framing.md") -> list[str]:
    """Lint a chapter where the row `frm-x` was measured."""
    spec = build.Spec(cases=[CASE], measured={"rows": [{"id": "frm-x"}]})
    spec.add_chapter(name, f"# 20 Framing (FRM)\n\n{chapter}")
    found: list[str] = spec.lint()
    return found


@pytest.mark.parametrize(
    "chapter",
    [
        CLAIM,
        RULE + "\nText.\n\nBun dies too. It is gone. <!-- seen: frm-x -->\n",
        RULE + "\n| effect on Deno |\n| --- |\n",
        CLAIM.replace("it.", "it. <!-- seen: frm-x --> Bun does not."),
    ],
)
def test_a_sentence_about_a_runtime_needs_its_row(chapter: str) -> None:
    (found,) = with_rows(chapter)
    assert "no observation shows this" in found


@pytest.mark.parametrize(
    "chapter",
    [
        CLAIM.replace("it.", "it. <!-- seen: frm-x -->"),
        CLAIM.replace("it.", "it.\n<!-- seen: frm-x frm-x -->"),
        RULE + "\nBun is a runtime. <!-- no claim --> It is gone.\n",
        RULE + "\n| effect on Deno <!-- seen: frm-x --> |\n| --- |\n| it ends |\n",
        RULE + "\n```\nNode\n```\n",
        RULE + "\n<!-- generated: x -->\nNode\n<!-- end -->\n",
        RULE + "\n## What Node does\n",
    ],
)
def test_a_sentence_about_a_runtime_has_its_row(chapter: str) -> None:
    assert with_rows(chapter) == []


def test_a_mark_names_a_row_that_was_measured() -> None:
    (found,) = with_rows(CLAIM.replace("it.", "it. <!-- seen: frm-y -->"))
    assert found == "20-framing.md, FRM-001: frm-y is no row of measured.json"


def test_a_mark_is_no_part_of_an_intent() -> None:
    spec = build.Spec()
    spec.add_chapter(
        "20-framing.md", "# 20 Framing (FRM)\n\n" + CLAIM.replace("it.", "it. <!-- seen: frm-x -->")
    )
    assert spec.rules[0].intent == "Node dies without it."


def test_majors_that_agree_stand_together() -> None:
    names = ["Node 12", "Node 13", "Node 14", "Node 15", "Bun"]
    grouped = build.generate.grouped
    assert grouped(dict.fromkeys(names, "a")) == "Node, Bun: a"
    assert grouped({**dict.fromkeys(names, "a"), "Node 15": "b"}) == "Node 12 to 14, Bun: a; Node 15: b"
    assert grouped({**dict.fromkeys(names, "a"), "Node 13": "b"}) == "Node 12, 14, 15, Bun: a; Node 13: b"


def test_bad_prose_is_not_written(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_tree(tmp_path)
    (tmp_path / "spec" / "20-framing.md").write_text("# 20 Framing (FRM)\n\nOne MUST.\n", "utf-8")
    assert build.main([], tmp_path) == 1
    assert "MUST outside a rule" in capsys.readouterr().err
    assert not (tmp_path / "spec" / "requirements.json").exists()
