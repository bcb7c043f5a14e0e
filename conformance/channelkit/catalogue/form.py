"""The canonical form of a case file: a value that fits stands on a single line, and every step has a line of its own."""

import json
from collections.abc import Iterator
from typing import Any

from channelkit.catalogue.members import MEMBERS
from channelkit.errors import UsageError

WIDTH = 140
"""Columns of a line. Only a text that is longer by itself makes a longer line."""

_OPEN = ("cases", "steps", "fragments", "each")
"""Lists whose members never share a line."""
_LONG_LISTS = tuple(f'"{name}": ' for name in _OPEN)
_OUTCOMES = '"outcomes": '
_FRAGMENT = 2
"""The depth in a file at which the lists of steps of fragments stand."""
_MARGIN = 4
"""The further lines of a value are indented by so many columns more than its first line."""


class _Number(str):
    """A number with the spelling of the file."""

    __slots__ = ()


def formatted(text: str) -> str:
    """The canonical form of the text of a case file; numbers keep their spelling. Raises :class:`UsageError`."""
    try:
        content = json.loads(
            text, parse_int=_Number, parse_float=_Number, parse_constant=_refuse, object_pairs_hook=_object
        )
    except ValueError as error:
        raise UsageError(str(error)) from error
    return written(content)


def _refuse(word: str) -> Any:
    raise ValueError(f"{word} is not JSON")


def _object(members: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(members)
    if len(found) < len(members):
        names = [name for name, _value in members]
        twice = next(name for name in names if names.count(name) > 1)
        raise ValueError(f"an object has two members {twice}")
    return found


def written(content: Any) -> str:
    """The canonical text of the content of a case file."""
    if isinstance(content, dict) and isinstance(content.get("cases"), list):
        content = {**content, "cases": [_ordered(case) for case in content["cases"]]}
    return "".join(f"{line}\n" for line in _lines(content, "", "", 0))


def _ordered(case: Any) -> Any:
    if not isinstance(case, dict):
        return case
    return {name: case[name] for name in (*MEMBERS, *case) if name in case}


def _lines(value: Any, head: str, tail: str, depth: int) -> Iterator[str]:
    """The lines of a value; ``head`` stands before it and ``tail`` follows it."""
    margin = "  " * depth
    fits = len(margin + head + _inline(value) + tail) <= WIDTH
    is_fragment = depth == _FRAGMENT and isinstance(value, list)
    if depth and not is_fragment and not _is_open(value, head, fits=fits):
        yield from _filled(value, head, tail, margin)
        return
    opening, *members, closing = _members(value)
    yield f"{margin}{head}{opening}"
    for number, (name, member) in enumerate(members, 1):
        yield from _lines(member, name, "," if number < len(members) else "", depth + 1)
    yield f"{margin}{closing}{tail}"


def _is_open(value: Any, head: str, *, fits: bool) -> bool:
    """Whether each member of a value has a line of its own."""
    if not value or not isinstance(value, dict | list):
        return False
    holds_steps = isinstance(value, dict) and any(isinstance(value.get(name), list) for name in _OPEN)
    return holds_steps or head in _LONG_LISTS or (head == _OUTCOMES and not fits)


def _filled(value: Any, head: str, tail: str, margin: str) -> Iterator[str]:
    """Puts as many parts of a value on a line as it holds."""
    line = ""
    *parts, last = _parts(value, head, WIDTH - len(margin) - _MARGIN)
    for part in (*parts, last + tail):
        if line and len(margin + line + part.rstrip()) > WIDTH:
            yield margin + line.rstrip()
            line = " " * _MARGIN
        line += part
    yield margin + line


def _parts(value: Any, head: str, room: int) -> Iterator[str]:
    """The text of a value in parts, between which a line may end. A part that fits in a line stays whole."""
    whole = head + _inline(value)
    if not value or not isinstance(value, dict | list) or len(whole) < room:
        yield whole
        return
    opening, *members, closing = _members(value)
    for number, (name, member) in enumerate(members, 1):
        *parts, last = _parts(member, (head + opening if number == 1 else "") + name, room)
        yield from parts
        yield last + (", " if number < len(members) else closing)


def _members(value: Any) -> list[Any]:
    """The opening bracket, each member with the text before it, the closing bracket."""
    if isinstance(value, dict):
        return ["{", *((f"{_string(name)}: ", member) for name, member in value.items()), "}"]
    return ["[", *(("", member) for member in value), "]"]


def _inline(value: Any) -> str:
    if not value or not isinstance(value, dict | list):
        return _scalar(value)
    opening, *members, closing = _members(value)
    return f"{opening}{', '.join(name + _inline(member) for name, member in members)}{closing}"


def _scalar(value: Any) -> str:
    if isinstance(value, _Number):
        return str(value)
    return _string(value) if isinstance(value, str) else json.dumps(value)


def _string(text: str) -> str:
    """A JSON string in which only the characters that no reader can see are escaped."""
    quoted = json.dumps(text, ensure_ascii=False)
    return quoted if quoted.isprintable() else "".join(map(_visible, quoted))


def _visible(character: str) -> str:
    return character if character.isprintable() else json.dumps(character)[1:-1]
