"""The contract of adapters, checked line by line: the schema is the contract, and this reads as much of JSON Schema as it uses.

Nothing outside the standard library is needed, so that the kit stays one file that any Python runs.
"""

import re
from collections.abc import Callable
from functools import cache
from typing import Any

from channelkit.resources import schema
from channelkit.wire.values import show

_IGNORED = frozenset(("$schema", "$id", "$defs", "title", "description"))
_TYPES: dict[str, Callable[[Any], bool]] = {
    "object": lambda value: isinstance(value, dict),
    "array": lambda value: isinstance(value, list),
    "string": lambda value: isinstance(value, str),
    "boolean": lambda value: isinstance(value, bool),
    "null": lambda value: value is None,
    "number": lambda value: isinstance(value, int | float) and not isinstance(value, bool),
    "integer": lambda value: (
        isinstance(value, int | float) and not isinstance(value, bool) and value == int(value)
    ),
}


def fault_of(line: Any, kind: str) -> str:
    """What is wrong with a line as it travels, tags and all; ``kind`` is ``command``, ``reply`` or ``event``. Empty when nothing is."""
    return _fault(line, _contract()["$defs"][kind], "")


@cache
def _contract() -> dict[str, Any]:
    return schema("kit/contract.json")


def _fault(value: Any, rules: dict[str, Any], at: str) -> str:
    """The first fault, with the place where it is."""
    for keyword, argument in rules.items():
        if keyword in _IGNORED or keyword in ("then", "additionalProperties"):
            continue  # the latter two belong to `if` and `properties`
        found = _KEYWORDS[keyword](value, argument, rules, at)
        if found:
            return found
    return ""


def _said(at: str, text: str) -> str:
    return f"{at or 'the line'} {text}"


def _ref(value: Any, name: str, _rules: dict[str, Any], at: str) -> str:
    return _fault(value, _contract()["$defs"][name.rpartition("/")[2]], at)


def _type(value: Any, names: Any, _rules: dict[str, Any], at: str) -> str:
    wanted = [names] if isinstance(names, str) else names
    return (
        ""
        if any(_TYPES[name](value) for name in wanted)
        else _said(at, f"is no {' or '.join(wanted)}: {show(value, 80)}")
    )


def _required(value: Any, names: list[str], _rules: dict[str, Any], at: str) -> str:
    missing = [name for name in names if isinstance(value, dict) and name not in value]
    return _said(at, f"has no `{missing[0]}`") if missing else ""


def _properties(value: Any, members: dict[str, Any], rules: dict[str, Any], at: str) -> str:
    if not isinstance(value, dict):
        return ""
    unknown = value.keys() - members.keys() if rules.get("additionalProperties") is False else ()
    if unknown:
        return _said(at, f"has a member `{min(unknown)}` that the contract does not know")
    known = [name for name in members if name in value]
    return next(
        filter(None, (_fault(value[name], members[name], f"{at}.{name}".lstrip(".")) for name in known)), ""
    )


def _dependent(value: Any, needs: dict[str, list[str]], rules: dict[str, Any], at: str) -> str:
    present = [names for name, names in needs.items() if isinstance(value, dict) and name in value]
    return next(filter(None, (_required(value, names, rules, at) for names in present)), "")


def _items(value: Any, rule: dict[str, Any], _rules: dict[str, Any], at: str) -> str:
    members = value if isinstance(value, list) else []
    return next(
        filter(None, (_fault(one, rule, f"{at}[{number}]") for number, one in enumerate(members))), ""
    )


def _prefix(value: Any, firsts: list[dict[str, Any]], _rules: dict[str, Any], at: str) -> str:
    members = list(zip(value, firsts, strict=False)) if isinstance(value, list) else []
    found = (_fault(one, rule, f"{at}[{number}]") for number, (one, rule) in enumerate(members))
    return next(filter(None, found), "")


def _one_of(value: Any, choices: list[dict[str, Any]], _rules: dict[str, Any], at: str) -> str:
    """Of several faults the most telling is that of the choice whose constants fit."""
    faults = [_fault(value, choice, at) for choice in choices]
    fitting = faults.count("")
    if fitting == 1:
        return ""
    if fitting > 1:
        return _said(at, "is two things at once")
    meant = [fault for fault, choice in zip(faults, choices, strict=True) if _is_meant(value, choice)]
    return meant[0] if meant else _said(at, f"is nothing that the contract knows: {show(value, 120)}")


def _is_meant(value: Any, choice: dict[str, Any]) -> bool:
    constants = {
        name: rule["const"] for name, rule in choice.get("properties", {}).items() if "const" in rule
    }
    return isinstance(value, dict) and all(
        _same(value.get(name), constant) for name, constant in constants.items()
    )


def _if(value: Any, condition: dict[str, Any], rules: dict[str, Any], at: str) -> str:
    return "" if _fault(value, condition, at) else _fault(value, rules["then"], at)


def _not(value: Any, unwanted: dict[str, Any], _rules: dict[str, Any], at: str) -> str:
    if _fault(value, unwanted, at):
        return ""
    names = unwanted.get("required")
    return _said(at, f"must not have `{names[0]}`" if names else f"must not be {show(value, 80)}")


def _same(left: Any, right: Any) -> bool:
    return bool(left == right) and isinstance(left, bool) == isinstance(right, bool)


_KEYWORDS: dict[str, Callable[[Any, Any, dict[str, Any], str], str]] = {
    "$ref": _ref,
    "type": _type,
    "required": _required,
    "properties": _properties,
    "dependentRequired": _dependent,
    "items": _items,
    "prefixItems": _prefix,
    "oneOf": _one_of,
    "if": _if,
    "not": _not,
    "const": lambda value, wanted, _rules, at: (
        "" if _same(value, wanted) else _said(at, f"is not {show(wanted)}: {show(value, 80)}")
    ),
    "enum": lambda value, wanted, _rules, at: (
        ""
        if any(_same(value, one) for one in wanted)
        else _said(at, f"is none of {show(wanted)}: {show(value, 80)}")
    ),
    "pattern": lambda value, pattern, _rules, at: (
        ""
        if not isinstance(value, str) or re.search(pattern, value)
        else _said(at, f"does not look like {pattern}: {show(value, 80)}")
    ),
    "minLength": lambda value, least, _rules, at: (
        "" if not isinstance(value, str) or len(value) >= least else _said(at, "is too short")
    ),
    "minItems": lambda value, least, _rules, at: (
        "" if not isinstance(value, list) or len(value) >= least else _said(at, "has too few members")
    ),
    "maxItems": lambda value, most, _rules, at: (
        "" if not isinstance(value, list) or len(value) <= most else _said(at, "has too many members")
    ),
    "minimum": lambda value, least, _rules, at: (
        "" if not _TYPES["number"](value) or value >= least else _said(at, f"is less than {least}: {value}")
    ),
    "maximum": lambda value, most, _rules, at: (
        "" if not _TYPES["number"](value) or value <= most else _said(at, f"is more than {most}: {value}")
    ),
}
"""Keyword to what it demands. A keyword that is not here is a mistake in the schema, and a :class:`KeyError`."""
