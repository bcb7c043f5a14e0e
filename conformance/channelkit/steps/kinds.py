"""The kinds of steps. Each kind is a function; its decorator declares the facts for the table, the check and the schema."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from channelkit.errors import HarnessError
from channelkit.schema import Rules
from channelkit.steps.scene import Scene

Step = dict[str, Any]
Function = Callable[[Scene, Step], None]

TRUE: Rules = {"const": True}
NAME: Rules = {"type": "string", "minLength": 1}
TEXT: Rules = {"type": "string"}
OBJECT: Rules = {"type": "object"}
COUNT: Rules = {"type": "integer", "minimum": 1}


def words(*choices: str) -> Rules:
    """A text that is one of these words."""
    return {"enum": list(choices)}


def word_or_value(*choices: str) -> Rules:
    """A text that is one of these words, or the name of a value that takes its place."""
    return {"oneOf": [words(*choices), {"type": "string", "pattern": "^@[a-z-]+@$"}]}


def text_like(pattern: str) -> Rules:
    """A text of a pattern, or the name of a value that takes its place."""
    return {"type": "string", "pattern": f"^({pattern}|@[a-z-]+@)$"}


def or_value(rules: Rules) -> Rules:
    """A value of a form, or the name of a value that takes its place."""
    return {"oneOf": [rules, {"type": "string", "pattern": "^@[a-z-]+@$"}]}


def list_of(rules: Rules) -> Rules:
    """A list with at least one member."""
    return {"type": "array", "minItems": 1, "items": rules}


def one_or_several(rules: Rules) -> Rules:
    """A value, or a list of them."""
    return {"oneOf": [rules, list_of(rules)]}


def _is_replaced(_scene: Scene, entry: Step) -> None:
    raise HarnessError(f"a step that stands for a list of steps was not replaced by the list: {entry!r}")


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of step."""

    name: str
    value: Rules
    """The value beside the name."""
    meaning: str
    """The effect of the step, in Markdown, for the table in ``conformance/README.md``."""
    example: str
    """The value and the members as the table shows them."""
    members: Mapping[str, Rules] = field(default_factory=dict)
    optional: Mapping[str, Rules] = field(default_factory=dict)
    roles: tuple[str, ...] = ()
    """The roles of a subject that the step applies to; all roles when empty."""
    rung: int = 0
    """The least rung at which a child can carry out the step."""
    outcomes: tuple[str, ...] = ()
    """Outcomes that the runner names when the step fails, beside the outcomes of every step."""
    ends: bool = False
    """The step changes the channel for good, so that no further case can follow in the same process."""
    echo: bool = False
    """An echo child can take part in the step, so that cases for driven adapters keep the step for it."""
    run: Function = _is_replaced

    @property
    def rules(self) -> dict[str, Any]:
        """The schema of a step of this kind."""
        return {
            "title": self.name,
            "type": "object",
            "required": [self.name, *self.members],
            "properties": {self.name: self.value, **self.members, **self.optional, "why": WHY},
            "additionalProperties": False,
        }


WHY: Rules = {"description": "Why the step is there.", "type": "string", "minLength": 1}

KINDS: dict[str, Kind] = {}
"""Every kind by its name, in the order of the modules."""


def step(
    value: Rules,
    meaning: str,
    example: str,
    *,
    members: Mapping[str, Rules] | None = None,
    optional: Mapping[str, Rules] | None = None,
    roles: tuple[str, ...] = (),
    rung: int = 0,
    outcomes: tuple[str, ...] = (),
    ends: bool = False,
    echo: bool = False,
) -> Callable[[Function], Function]:
    """Declares a kind of step. Its name is that of the function, and the parameters are the members of :class:`Kind`."""

    def declare(run: Function) -> Function:
        name = run.__name__
        KINDS[name] = Kind(
            name,
            value,
            meaning,
            example,
            members or {},
            optional or {},
            roles,
            rung,
            outcomes,
            ends,
            echo,
            run,
        )
        return run

    return declare


def kind_of(entry: Step) -> Kind:
    """The kind of a step that has been checked."""
    return next(KINDS[name] for name in entry if name in KINDS)
