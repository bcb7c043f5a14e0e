"""Kinds of steps: each is declared once, and schema, check, table and execution follow from that."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from channelkit.catalogue import members
from channelkit.catalogue.echoed import as_echo
from channelkit.catalogue.form import written
from channelkit.catalogue.loading import case_of, fault_of, load_file
from channelkit.cli.main import main
from channelkit.errors import UsageError
from channelkit.schema import Schema
from channelkit.steps.expect import AWAITED
from channelkit.steps.kinds import KINDS, NAME, step, words
from channelkit.steps.wanted import describe
from support.kit import CASES, judge

if TYPE_CHECKING:
    from types import ModuleType

    from channelkit.steps.kinds import Step
    from channelkit.steps.scene import Scene

ROOT = Path(__file__).resolve().parents[2]


def generator() -> ModuleType:
    """The script that writes the schema and the tables of the README."""
    spec = importlib.util.spec_from_file_location("generate_kit", ROOT / "conformance" / "generate.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def entry(*steps: Step, **others: Any) -> dict[str, Any]:
    return {
        "id": "t-one",
        "title": "A title",
        "rules": ["FRM-001"],
        "level": "MUST",
        "roles": ["child"],
        "rung": 0,
        "steps": list(steps),
        "outcomes": {"ok": "conform"},
        **others,
    }


@pytest.mark.parametrize("name", ["case.json", "README.md"])
def test_what_follows_from_the_tables_is_up_to_date(name: str) -> None:
    (path,) = (path for path in generator().outputs() if path.name == name)
    assert path.read_text("utf-8") == generator().outputs()[path], "run `python conformance/generate.py`"


def test_a_member_never_has_the_name_of_a_kind() -> None:
    for names, owners in ((KINDS, KINDS.values()), (AWAITED, AWAITED.values())):
        for owner in owners:
            own = {*getattr(owner, "members", ()), *owner.optional}
            assert not own & names.keys()


def test_a_new_kind_is_declared_in_one_place(monkeypatch: pytest.MonkeyPatch) -> None:
    """Check, schema, table and execution know it."""
    seen = []
    try:

        @step(
            words("high", "low"),
            "The kit hums",
            "PITCH",
            optional={"for": NAME},
            outcomes=("deaf",),
            echo=True,
        )
        def hum(scene: Scene, step: Step) -> None:
            seen.append((scene.outcome, step["hum"]))

        monkeypatch.setattr(
            "channelkit.catalogue.loading.SCHEMA", Schema(members.document(), members.definitions())
        )
        assert fault_of(entry({"hum": "high", "for": "ever"})) == ""
        assert fault_of(entry({"hum": "hihg"})).endswith("did you mean 'high'?")
        assert fault_of(entry({"hmu": "high"})) == "t-one: unknown step 'hmu'; did you mean 'hum'?"
        validator = Draft202012Validator(members.document())
        assert validator.is_valid({"topic": "t", "cases": [entry({"hum": "low"})]})
        assert not validator.is_valid({"topic": "t", "cases": [entry({"hum": "none"})]})
        assert '| `{"hum": PITCH}` | The kit hums. |' in generator().PARTS["steps"]()
        case = case_of({**entry({"hum": "high"}, *CASES["sample-echo"].steps)}, "t")
        assert judge("right", case).judgement.verdict == "pass"
        assert seen == [("ok", "high")]
        driven = case_of(entry({"write": ["1\n"]}, {"hum": "low"}, {"barrier": True}, rung=1), "t")
        echoed = as_echo(driven)
        assert echoed is not None
        assert {"hum": "low"} in echoed.steps
    finally:
        KINDS.pop("hum", None)


def test_the_reason_of_a_step_is_no_part_of_its_expectation() -> None:
    """Reports compare expectations, and a better reason changes no result."""
    assert describe({"close_own": "s", "why": "a reason"}) == describe({"close_own": "s"})


TYPOS = [
    ({"expects": {"delivered": 1}}, "unknown step 'expects'; did you mean 'expect'?"),
    ({"expect": {"delivred": 1}}, "unknown expectation 'delivred'; did you mean 'delivered'?"),
    ({"expect": [{"eof": True, "stopp": True}]}, "unknown member 'stopp'; did you mean 'stop'?"),
    ({"expect": {"exit": "non-zero"}}, "did you mean 'nonzero'?"),
    ({"read_own": "s", "txt": "a"}, "unknown member 'txt'; did you mean 'text'?"),
    ({"descriptors": "ful"}, "steps[0].descriptors is none of"),
    ({"make": "tcp-sever", "name": "s"}, "did you mean 'tcp-server'?"),
    ({"write": [{"mesage": 1}]}, "unknown chunk 'mesage'; did you mean 'message'?"),
    ({"write": ["1\n"], "cut": [2]}, "the write has 2 bytes"),
    ({"write": ["1\n"], "at": 0}, "needs `fd`"),
    ({"barrier": True, "close_channel": True}, "is more than one step: barrier and close_channel"),
    ({"do": {"command": "send", "message": 1}}, "a step do needs rung 1"),
    ({"end_child": {"exit": 0}}, "only for the roles parent, primary"),
    (
        {"repeat": 2, "steps": [{"repeat": 2, "steps": [{"barrier": True}]}]},
        "no step repeat inside of a step repeat",
    ),
    ({}, "is no step: it is empty"),
]


@pytest.mark.parametrize(("wrong", "text"), TYPOS, ids=[text for _step, text in TYPOS])
def test_a_mistake_in_a_step_is_told_with_its_line(
    wrong: Step, text: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "bad.json"
    file.write_text(written({"topic": "t", "cases": [entry({"barrier": True}, wrong)]}))
    lines = file.read_text().splitlines()
    with pytest.raises(UsageError) as caught:
        load_file(file)
    told = str(caught.value)
    assert text.replace("steps[0]", "steps[1]") in told
    number = int(told.removeprefix(f"{file}:").partition(":")[0])
    # The step has the line after the barrier, and ends where the list of steps does.
    assert lines.index('        {"barrier": true},') + 2 <= number < lines.index("      ],") + 1
    assert main(["list", "--cases", str(file)]) == 2
    assert told in capsys.readouterr().err


@pytest.mark.parametrize(
    ("others", "text"),
    [
        ({"rungs": 0}, "unknown member 'rungs'; did you mean 'rung'?"),
        ({"level": "MUSST"}, "level is none of"),
        ({"outcomes": {"ok": "conforms"}}, "outcomes.ok"),
        ({"roles": ["child", "child"]}, "roles[1]"),
    ],
)
def test_a_mistake_in_a_case_is_told(others: dict[str, Any], text: str) -> None:
    assert text in fault_of(entry({"barrier": True}, **others))


VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-1, 5)
    | st.sampled_from(["", "a", "full", "zero", "udp4", "send", "\n"]),
    lambda inner: (
        st.lists(inner, max_size=2)
        | st.dictionaries(
            st.sampled_from(["command", "exit", "eof", "message", "cmd", "fd"]), inner, max_size=2
        )
    ),
    max_leaves=4,
)
SOUND = [one for case in CASES.values() for one in case.folded]
STEPS = st.sampled_from(SOUND) | st.sampled_from(sorted(KINDS)).flatmap(
    lambda name: st.dictionaries(
        st.sampled_from([name, *KINDS[name].members, *KINDS[name].optional, "why", "x"]), VALUES, max_size=3
    )
)


@given(STEPS)
def test_a_step_is_judged_as_the_schema_judges_it(one: Step) -> None:
    content = {"topic": "t", "cases": [entry(one)]}
    assert (members.SCHEMA.fault(content) is None) == Draft202012Validator(members.document()).is_valid(
        content
    )
