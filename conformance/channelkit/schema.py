"""Reads the part of JSON Schema that the kit's own schemas use, and names the place where a value does not fit.

The module needs only the standard library, so that the kit stays a file that every Python runs.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from difflib import get_close_matches
from typing import Any

from channelkit.wire.values import show

Rules = Mapping[str, Any] | bool
"""A schema: its keywords; True accepts every value, False accepts none."""
Place = tuple[str | int, ...]
"""The names and numbers that lead from a value to a part of it."""

_IGNORED = frozenset(("$schema", "$id", "$defs", "title", "description", "then"))
"""Keywords without a check of their own. The last keyword belongs to `if`."""


@dataclass(frozen=True, slots=True)
class Fault:
    """The fault of a value, and the part of the value that has it."""

    text: str
    place: Place = ()
    names_it: bool = False
    """The text already names the part."""

    def below(self, step: str | int) -> "Fault":
        """The same fault, seen from the value around this value."""
        return replace(self, place=(step, *self.place))

    def told(self, root: str) -> str:
        """The fault in a sentence; ``root`` names the whole value."""
        if self.names_it:
            return self.text
        where = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in self.place)
        return f"{where.lstrip('.') or root} {self.text}"


def close_to(word: str, known: Iterable[str]) -> str:
    """``; did you mean …?`` with the known word that is closest; empty when none is close."""
    found = get_close_matches(word, list(known), 1)
    return f"; did you mean '{found[0]}'?" if found else ""


@dataclass(slots=True)
class Schema:
    """Rules together with the definitions that their references name."""

    rules: Rules
    definitions: Mapping[str, Rules]

    def fault(self, value: Any) -> Fault | None:
        """The first fault of a value, None when it fits."""
        if self.rules is True:
            return None
        if self.rules is False:
            return Fault("is not allowed here")
        for keyword, argument in self.rules.items():
            found = None if keyword in _IGNORED else _KEYWORDS[keyword](self, value, argument)
            if found is not None:
                return found
        return None

    def part(self, rules: Rules) -> "Schema":
        """Rules with the same definitions."""
        return Schema(rules, self.definitions)

    def get(self, keyword: str) -> Any:
        """The argument of a keyword, None when it is absent."""
        return self.rules.get(keyword) if isinstance(self.rules, Mapping) else None


def _first(faults: Iterable[Fault | None]) -> Fault | None:
    return next((fault for fault in faults if fault is not None), None)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


_TYPES: dict[str, Callable[[Any], bool]] = {
    "object": lambda value: isinstance(value, dict),
    "array": lambda value: isinstance(value, list),
    "string": lambda value: isinstance(value, str),
    "boolean": lambda value: isinstance(value, bool),
    "null": lambda value: value is None,
    "number": _is_number,
    "integer": lambda value: _is_number(value) and (isinstance(value, int) or value.is_integer()),
}


def _ref(schema: Schema, value: Any, name: str) -> Fault | None:
    return schema.part(schema.definitions[name.rpartition("/")[2]]).fault(value)


def _type(_schema: Schema, value: Any, names: Any) -> Fault | None:
    if isinstance(names, str) and _TYPES[names](value):
        return None
    wanted = [names] if isinstance(names, str) else names
    if any(_TYPES[name](value) for name in wanted):
        return None
    return Fault(f"is no {' or '.join(wanted)}: {show(value, 80)}")


def _required(schema: Schema, value: Any, names: list[str]) -> Fault | None:
    missing = [name for name in names if isinstance(value, dict) and name not in value]
    if not missing:
        return None
    misspelled = next((name for name in _unknown_members(schema, value) if close_to(name, missing)), None)
    return _unknown("member", misspelled, missing) if misspelled else Fault(f"has no `{missing[0]}`")


def _unknown_members(schema: Schema, value: dict[str, Any]) -> list[str]:
    if schema.get("additionalProperties") is not False:
        return []
    return [name for name in value if name not in schema.get("properties")]


def _properties(schema: Schema, value: Any, members: Mapping[str, Rules]) -> Fault | None:
    present = [name for name in value if name in members] if isinstance(value, dict) else []
    return _first(_member(schema.part(members[name]), value, name) for name in present)


def _additional(schema: Schema, value: Any, others: Rules) -> Fault | None:
    if not isinstance(value, dict):
        return None
    known = schema.get("properties") or {}
    rest = [name for name in value if name not in known]
    if rest and others is False:
        return _unknown("member", rest[0], known)
    return _first(_member(schema.part(others), value, name) for name in rest)


def _member(schema: Schema, value: Any, step: Any) -> Fault | None:
    fault = schema.fault(value[step])
    return None if fault is None else fault.below(step)


def _dependent(schema: Schema, value: Any, needs: dict[str, list[str]]) -> Fault | None:
    present = [names for name, names in needs.items() if isinstance(value, dict) and name in value]
    return _first(_required(schema, value, names) for names in present)


def _items(schema: Schema, value: Any, rules: Rules) -> Fault | None:
    places = range(len(value)) if isinstance(value, list) else ()
    return _first(_member(schema.part(rules), value, place) for place in places)


def _prefix(schema: Schema, value: Any, firsts: list[Rules]) -> Fault | None:
    places = range(min(len(value), len(firsts))) if isinstance(value, list) else ()
    return _first(_member(schema.part(firsts[place]), value, place) for place in places)


# ---- choices -------------------------------------------------------------------------------------------------


def _one_of(schema: Schema, value: Any, choices: list[dict[str, Any]]) -> Fault | None:
    """When no choice fits, the fault comes from the choice that the value names by its constants or its members."""
    if isinstance(value, dict) and (names := _names(choices)):
        return _named_choice(schema, value, names)
    faults = [schema.part(choice).fault(value) for choice in choices]
    fitting = faults.count(None)
    if fitting == 1:
        return None
    if fitting > 1:
        return Fault("is two things at once")
    meant = [
        fault for fault, choice in zip(faults, choices, strict=True) if _is_meant(schema.part(choice), value)
    ]
    return meant[0] if meant else Fault(f"fits none of the choices: {show(value, 120)}")


_NAMED: dict[int, tuple[list[dict[str, Any]], dict[str, dict[str, Any]]]] = {}
"""The results of :func:`_names` by the identity of the choices; each entry keeps its choices, so that no other list gets their identity."""


def _names(choices: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """The choices among objects by the name of the member that tells them apart; empty when no member does."""
    if id(choices) not in _NAMED:
        _NAMED[id(choices)] = choices, _named_by(choices)
    return _NAMED[id(choices)][1]


def _named_by(choices: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    objects = [choice for choice in choices if choice.get("type") == "object"]
    named = {
        choice["title"]: choice for choice in objects if choice.get("title") in choice.get("required", ())
    }
    return named if len(named) == len(objects) else {}


def _named_choice(schema: Schema, value: dict[str, Any], names: dict[str, dict[str, Any]]) -> Fault | None:
    noun = schema.get("title") or "member"
    given = [name for name in names if name in value]
    if len(given) == 1:
        return schema.part(names[given[0]]).fault(value)
    if given:
        return Fault(f"is more than one {noun}: {' and '.join(given)}", (given[1],))
    if not value:
        return Fault(f"is no {noun}: it is empty")
    likely = next((name for name in value if close_to(name, names)), next(iter(value)))
    return _unknown(noun, likely, names)


def _unknown(noun: str, name: str, known: Iterable[str]) -> Fault:
    return Fault(f"unknown {noun} '{name}'{close_to(name, known)}", (name,), names_it=True)


def _is_meant(choice: Schema, value: Any) -> bool:
    """Whether a value that does not fit is of the type and has the constant words of a choice."""
    name = choice.get("$ref")
    if name is not None:
        return _is_meant(choice.part(choice.definitions[name.rpartition("/")[2]]), value)
    if choice.get("oneOf"):
        return any(_is_meant(choice.part(one), value) for one in choice.get("oneOf"))
    if choice.get("type") and _type(choice, value, choice.get("type")):
        return False
    members = choice.get("properties") or {}
    return all(
        isinstance(value, dict) and _same(value.get(name), rules["const"])
        for name, rules in members.items()
        if isinstance(rules, Mapping) and isinstance(rules.get("const"), str)
    )


def _if(schema: Schema, value: Any, condition: Rules) -> Fault | None:
    return None if schema.part(condition).fault(value) else schema.part(schema.get("then")).fault(value)


def _not(schema: Schema, value: Any, unwanted: dict[str, Any]) -> Fault | None:
    if schema.part(unwanted).fault(value):
        return None
    names = unwanted.get("required")
    return Fault(f"must not have `{names[0]}`" if names else f"must not be {show(value, 80)}")


# ---- values --------------------------------------------------------------------------------------------------


def _same(left: Any, right: Any) -> bool:
    return bool(left == right) and isinstance(left, bool) == isinstance(right, bool)


def _const(_schema: Schema, value: Any, wanted: Any) -> Fault | None:
    return None if _same(value, wanted) else Fault(f"is not {show(wanted)}: {show(value, 80)}")


def _enum(_schema: Schema, value: Any, wanted: list[Any]) -> Fault | None:
    if any(_same(value, one) for one in wanted):
        return None
    words = [one for one in wanted if isinstance(one, str)]
    hint = close_to(value, words) if isinstance(value, str) else ""
    return Fault(f"is none of {show(wanted)}: {show(value, 80)}{hint}")


def _pattern(_schema: Schema, value: Any, pattern: str) -> Fault | None:
    fits = not isinstance(value, str) or re.search(pattern, value)
    return None if fits else Fault(f"does not look like {pattern}: {show(value, 80)}")


def _least(
    kind: type[str | list[Any] | dict[str, Any]], noun: str
) -> Callable[[Schema, Any, int], Fault | None]:
    def check(_schema: Schema, value: Any, least: int) -> Fault | None:
        return Fault(noun) if isinstance(value, kind) and len(value) < least else None

    return check


def _most_items(_schema: Schema, value: Any, most: int) -> Fault | None:
    return Fault("has too many members") if isinstance(value, list) and len(value) > most else None


def _unique(_schema: Schema, value: Any, wanted: bool) -> Fault | None:
    if not wanted or not isinstance(value, list):
        return None
    twice = next((at for at, one in enumerate(value) if any(_same(one, other) for other in value[:at])), None)
    return None if twice is None else Fault(f"is there twice: {show(value[twice], 80)}", (twice,))


def _minimum(_schema: Schema, value: Any, least: float) -> Fault | None:
    return Fault(f"is less than {least}: {value}") if _is_number(value) and value < least else None


def _maximum(_schema: Schema, value: Any, most: float) -> Fault | None:
    return Fault(f"is more than {most}: {value}") if _is_number(value) and value > most else None


def _above(_schema: Schema, value: Any, bound: float) -> Fault | None:
    return Fault(f"is not more than {bound}: {value}") if _is_number(value) and value <= bound else None


_KEYWORDS: dict[str, Callable[[Schema, Any, Any], Fault | None]] = {
    "$ref": _ref,
    "type": _type,
    "required": _required,
    "properties": _properties,
    "additionalProperties": _additional,
    "dependentRequired": _dependent,
    "items": _items,
    "prefixItems": _prefix,
    "oneOf": _one_of,
    "if": _if,
    "not": _not,
    "const": _const,
    "enum": _enum,
    "pattern": _pattern,
    "minLength": _least(str, "is too short"),
    "minItems": _least(list, "has too few members"),
    "minProperties": _least(dict, "has too few members"),
    "maxItems": _most_items,
    "uniqueItems": _unique,
    "minimum": _minimum,
    "maximum": _maximum,
    "exclusiveMinimum": _above,
}
"""Keyword to its check. A keyword that is not here is a mistake in the schema, and a :class:`KeyError`."""
