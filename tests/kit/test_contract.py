"""The contract of adapters: the kit's own check of each line agrees with the schema."""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from channelkit.cli.main import main
from channelkit.process.contract import fault_of
from support.kit import SAMPLE, command

ROOT = Path(__file__).resolve().parents[2] / "schemas"
SCHEMA = json.loads((ROOT / "kit" / "contract.json").read_text("utf-8"))
WITNESSES = sorted((ROOT / "examples" / "kit" / "contract").glob("*/*.json"))
KINDS = ("command", "reply", "event")
VALIDATORS = {
    kind: Draft202012Validator({**SCHEMA, "oneOf": [{"$ref": f"#/$defs/{kind}"}]}) for kind in KINDS
}


def agree(line: Any) -> None:
    for kind in KINDS:
        assert (fault_of(line, kind) == "") == VALIDATORS[kind].is_valid(line), (kind, fault_of(line, kind))


@pytest.mark.parametrize("path", WITNESSES, ids=lambda path: f"{path.parent.name}/{path.name}")
def test_witnesses_are_judged_as_the_schema_judges_them(path: Path) -> None:
    line = json.loads(path.read_text("utf-8"))
    agree(line)
    assert any(fault_of(line, kind) == "" for kind in KINDS) == (path.parent.name == "valid")


SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(-2, 300)
    | st.sampled_from(["", "x", "127.0.0.1:1", "local", "-0", "number", "undefined"])
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["$", "v", "name", "type", "blame", "code", "text", "a"]), inner, max_size=4
        )
    ),
    max_leaves=6,
)
NAMES = st.sampled_from(sorted(set(re.findall(r'"(\w+|\$)": {', json.dumps(SCHEMA["$defs"])))))
FIXED = {
    "command": st.sampled_from(["hello", "open", "send", "make", "prove", "close", "exit", "frobnicate"]),
    "event": st.sampled_from(["message", "error", "disconnect", "exit", "ready"]),
    "id": st.integers(0, 3),
    "ok": st.booleans(),
}
LINES = st.dictionaries(NAMES, VALUES, max_size=5).flatmap(
    lambda line: st.fixed_dictionaries({}, optional=FIXED).map(lambda fixed: {**line, **fixed})
)


@given(LINES)
def test_any_line_is_judged_as_the_schema_judges_it(line: dict[str, Any]) -> None:
    agree(line)


@pytest.mark.parametrize(
    ("line", "kind", "words"),
    [
        ({"id": 1}, "reply", "has no `ok`"),
        ({"id": "1", "ok": True}, "reply", "id is no integer"),
        (
            {"event": "error", "blame": "them", "code": "E", "text": ""},
            "event",
            'blame is none of ["local", "remote"]',
        ),
        ({"event": "message"}, "event", "has no `message`"),
        (
            {"event": "message", "message": {"$": "frob", "v": "1"}},
            "event",
            "message.$ is none of",
        ),
        ({"event": "frob"}, "event", "fits none of the choices"),
        ({"id": 1, "command": "exit", "code": 256}, "command", "code is more than 255"),
        (
            {"id": 1, "command": "prove", "handle": "h", "text": "x", "too": 1},
            "command",
            "unknown member 'too'; did you mean 'to'?",
        ),
    ],
)
def test_a_fault_is_told_where_it_is(line: dict[str, Any], kind: str, words: str) -> None:
    assert words in fault_of(line, kind)


def test_a_run_can_validate(capsys: pytest.CaptureFixture[str]) -> None:
    words = ["run", "--cases", str(SAMPLE), "-k", "sample-echo", "--rung", "2", "--child"]
    lie = shlex.join(command("driven", "no-language"))
    assert main([*words, lie]) == 0
    assert main([*words, lie, "--validate"]) == 3
    assert "the adapter broke the contract: reply: the line has no `language`" in capsys.readouterr().out
    assert main([*words, shlex.join(command("driven")), "--validate"]) == 0


def test_the_doctor_validates(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["doctor", "--rung", "2", "--child", shlex.join(command("driven", "no-language"))]) == 1
    assert "has no `language`" in capsys.readouterr().out
    assert main(["doctor", "--rung", "2", "--child", shlex.join(command("driven"))]) == 0
