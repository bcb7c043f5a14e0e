"""Steps that stand for a list of steps: the list replaces them when a case file is read."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from channelkit.errors import UsageError
from channelkit.schema import close_to
from channelkit.steps.kept import fill_value, names_in
from channelkit.steps.kinds import COUNT, KINDS, NAME, OBJECT, Kind, Step, list_of

Fragments = Mapping[str, Sequence[Step]]
"""The fragments of a case file by name."""

KINDS["use"] = Kind(
    "use",
    NAME,
    'The steps of a fragment of the file. With `"with": {NAME: VALUE}`, the text `"@NAME@"` in the place of a value stands for that value',
    "FRAGMENT",
    optional={"with": OBJECT},
)

KINDS["repeat"] = Kind(
    "repeat",
    COUNT,
    'The steps N times. The text `"@round@"` in the place of a value stands for the number of the round, from 0 on',
    "N",
    members={"steps": list_of({"$ref": "#/$defs/step"})},
)


def with_fragments(steps: Sequence[Step], fragments: Fragments) -> Iterator[Step]:
    """The steps with every ``use`` step replaced; the first step of the fragment takes over its ``why``.

    Raises :class:`UsageError` for an unknown fragment or value.
    """
    for step in steps:
        if "use" in step:
            first, *rest = with_fragments(*_fragment(step, fragments))
            yield {**first, "why": step["why"]} if "why" in step else first
            yield from rest
        elif "steps" in step:
            yield {**step, "steps": list(with_fragments(step["steps"], fragments))}
        else:
            yield step


def _fragment(step: Step, fragments: Fragments) -> tuple[Sequence[Step], Fragments]:
    """The steps of a fragment with their values, and the fragments before it, which its steps may use."""
    name, values = step["use"], step.get("with", {})
    if name not in fragments:
        raise UsageError(f"unknown fragment '{name}'{close_to(name, fragments)}")
    steps = fragments[name]
    require_names(values, steps, f"the fragment {name}")
    earlier = list(fragments)[: list(fragments).index(name)]
    return fill_value(values, steps), {one: fragments[one] for one in earlier}


def require_names(values: Mapping[str, Any], steps: Sequence[Step], owner: str) -> None:
    """Raises :class:`UsageError` for a value that no step uses."""
    used = names_in(steps)
    for name in values:
        if name not in used:
            raise UsageError(f"{owner} has no value '{name}'{close_to(name, used)}")


def unrolled(steps: Sequence[Step]) -> Iterator[Step]:
    """The steps with every ``repeat`` step written out."""
    for step in steps:
        if "repeat" in step:
            for number in range(step["repeat"]):
                yield from fill_value({"round": number}, step["steps"])
        else:
            yield step
