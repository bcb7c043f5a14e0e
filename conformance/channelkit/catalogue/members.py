"""The members of a case. The schema of case files follows from them and from the kinds of steps."""

from dataclasses import dataclass
from typing import Any

from channelkit.process.session import POLICIES
from channelkit.schema import Rules, Schema
from channelkit.steps.expect import AWAITED
from channelkit.steps.kinds import KINDS, NAME, TEXT, list_of, text_like, words
from channelkit.steps.run import run_steps  # noqa: F401 (with it, every kind is declared)
from channelkit.wire.headers import WIRES

LEVELS = ("MUST", "SHOULD", "MAY", "INFO")
"""The levels, from the strictest to ``INFO``, which is only observed."""
ENDINGS = ("clean", "closed", "died", "hung")
ROLES = ("child", "parent", "worker", "primary")


@dataclass(frozen=True, slots=True)
class Member:
    """A member of a case."""

    rules: Rules
    meaning: str
    """The meaning in Markdown, for the table in ``conformance/README.md``."""
    required: bool = False


def _set_of(rules: Rules, least: int = 0) -> Rules:
    return {"type": "array", "minItems": least, "uniqueItems": True, "items": rules}


_TEXT_OR_NULL: Rules = {"type": ["string", "null"]}
_START: Rules = {
    "type": "object",
    "minProperties": 1,
    "properties": {
        "descriptor": {"type": "integer", "minimum": 3},
        "mode": _TEXT_OR_NULL,
        "env": {"type": "object", "additionalProperties": _TEXT_OR_NULL},
        "policy": words(*POLICIES),
    },
    "additionalProperties": False,
}
_NEED = r"^((receive|send):[A-Za-z.]+|socket-lists|ask-socket-lists|start|env)$"

MEMBERS: dict[str, Member] = {
    "id": Member(
        {"type": "string", "pattern": "^[a-z0-9]+(-[a-z0-9]+)+$"},
        "permanent, never used again; begins with the topic",
        required=True,
    ),
    "title": Member(NAME, "states a fact, without a modal verb", required=True),
    "rules": Member(
        _set_of({"type": "string", "pattern": "^[A-Z]{3}-[0-9]{3}$"}, 1),
        "requirement ids of `spec/`",
        required=True,
    ),
    "level": Member(words(*LEVELS), "`MUST`, `SHOULD`, `MAY` or `INFO`", required=True),
    "roles": Member(
        _set_of(words(*ROLES), 1),
        "roles of the subject: `child`, `parent` or both; `worker`; `primary`",
        required=True,
    ),
    "rung": Member(
        {"enum": [0, 1, 2, 3]},
        "the least rung: 0 when an echo child can show the behaviour, 1 or 2 when that needs a driven adapter. A parent is always driven",
        required=True,
    ),
    "needs": Member(
        _set_of({"type": "string", "pattern": _NEED}),
        "capabilities that the adapter declares; a missing one makes the case `unsupported`",
    ),
    "segment": Member(
        words("all", "none"),
        "`all`: the case runs again under every segmentation of each write; `none` is the default",
    ),
    "start": Member(
        _START,
        "the start of the subject. For a child: `descriptor`, the number of the channel (3); `mode`, the name of the serialization "
        '(`"json"`; null: none); `env`, further variables, which replace the usual ones (null: none). '
        "For a primary: its `policy` (`round-robin`)",
    ),
    "mode": Member(
        words("json", "advanced"),
        "the mode of the channel; only subjects of that mode are asked. `json` is the default",
    ),
    "wire": Member(
        words(*WIRES),
        "the form of the bytes: `windows` for cases about headers, which only subjects of that form are asked. `posix` is the default; "
        "such a case is asked in both forms",
    ),
    "fresh": Member({"type": "boolean"}, "true: the case needs a channel that carried no byte before"),
    "steps": Member(
        {"type": "array", "items": {"$ref": "#/$defs/step"}},
        "the steps in order; see below",
        required=True,
    ),
    "outcomes": Member(
        {"type": "object", "minProperties": 1, "additionalProperties": {"$ref": "#/$defs/outcome"}},
        'outcome → `conform`, `violate`, or `{"class": "lenient", "flag": F}`; an outcome that is not listed is a failure',
        required=True,
    ),
    "ending": Member(
        _set_of(words(*ENDINGS), 1),
        'how the subject may end: `clean`, `closed`, `died`, `hung`; `["clean"]` is the default',
    ),
    "guards": Member(NAME, "the real bug that the case guards against, in a sentence"),
    "each": Member(
        list_of({"type": "object", "minProperties": 1}),
        "rows: the entry stands for a case for each row, with the members of the row, such as `id` and `title`. "
        'Each further name of a row is a value, for which `"@NAME@"` stands in the steps',
    ),
    "like": Member(
        _set_of(NAME),
        "ids of cases that this case varies: a subject with a known deviation there may deviate here in the same way",
    ),
}
"""Every member of a case by its name, in canonical order."""


def _object(required: list[str], properties: dict[str, Rules], **others: Any) -> dict[str, Any]:
    return {
        "type": "object",
        **others,
        "required": required,
        "properties": properties,
        "additionalProperties": False,
    }


_CHUNKS: list[Rules] = [
    TEXT,
    _object(["hex"], {"hex": text_like("([0-9a-fA-F]{2})*")}, title="hex"),
    _object(["message"], {"message": True}, title="message"),
    _object(
        ["repeat", "times"], {"repeat": TEXT, "times": {"type": "integer", "minimum": 0}}, title="repeat"
    ),
]


def definitions() -> dict[str, Rules]:
    """The definitions of the schema."""
    required = [name for name, member in MEMBERS.items() if member.required]
    members = {name: _described(member.rules, member.meaning) for name, member in MEMBERS.items()}
    return {
        "case": {
            **_object(["steps"], members),
            "if": {"not": {"required": ["each"]}},
            "then": {"required": required},
        },
        "outcome": {
            "oneOf": [
                words("conform", "violate"),
                _object(
                    ["class", "flag"],
                    {
                        "class": {"const": "lenient"},
                        "flag": {"type": "string", "pattern": "^[A-Z][A-Za-z0-9]+$"},
                    },
                    title="class",
                ),
            ]
        },
        "chunk": {"title": "chunk", "oneOf": _CHUNKS},
        "step": {"title": "step", "oneOf": [_described(kind.rules, kind.meaning) for kind in KINDS.values()]},
        "expectation": {
            "title": "expectation",
            "oneOf": [_described(one.rules(name), one.meaning) for name, one in AWAITED.items()],
        },
    }


def _described(rules: Rules, meaning: str) -> Rules:
    return {"description": meaning, **rules} if isinstance(rules, dict) else rules


def document() -> dict[str, Any]:
    """The schema of case files, as ``schemas/kit/case.json`` holds it."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": "https://nodechannel.dev/schemas/kit/case.json",
        "title": "A file of conformance cases",
        "description": "The cases of a topic. Made by conformance/generate.py from the tables of channelkit.",
        **_object(
            ["topic", "cases"],
            {
                "topic": NAME,
                "fragments": {
                    "description": "Steps that several cases share, by name. A fragment may use the fragments before it.",
                    "type": "object",
                    "additionalProperties": list_of({"$ref": "#/$defs/step"}),
                },
                "cases": {"type": "array", "items": {"$ref": "#/$defs/case"}},
            },
        ),
        "$defs": definitions(),
    }


SCHEMA = Schema(document(), definitions())
"""The schema of case files, ready to read."""
