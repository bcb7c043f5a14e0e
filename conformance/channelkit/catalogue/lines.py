"""Where in the text of a JSON file a part of its value stands."""

import json
import re

from channelkit.schema import Place

_BLANK = re.compile(r"[ \t\n\r]*")
_DECODER = json.JSONDecoder()


def line_of(text: str, place: Place) -> int:
    """The number of the line on which a part begins, or the closest part around it that there is. ``text`` is valid JSON."""
    at = _skip(text, 0)
    for step in place:
        found = _member(text, at, step)
        if found is None:
            break
        at = found
    return text.count("\n", 0, at) + 1


def _skip(text: str, at: int) -> int:
    blank = _BLANK.match(text, at)
    return at if blank is None else blank.end()


def _member(text: str, at: int, step: str | int) -> int | None:
    """Where a member of the object or the list at ``at`` begins; None when there is none."""
    opening, number = text[at], 0
    if opening not in "{[":
        return None
    at = _skip(text, at + 1)
    while text[at] not in "}]":
        name: str | int = number
        if opening == "{":
            name, end = _DECODER.raw_decode(text, at)
            at = _skip(text, _skip(text, end) + 1)
        if name == step:
            return at
        _value, end = _DECODER.raw_decode(text, at)
        at = _skip(text, end)
        at = _skip(text, at + 1) if text[at] == "," else at
        number += 1
    return None
