"""Messages as Python values: every number is a double, ``undefined`` is a value of its own, and the depth has no limit.

JSON on the wire is read strictly, the way ``JSON.parse`` reads it. On the control channel a tag stands for each
value that JSON cannot hold; :func:`untag` turns tags into values.
"""

import json
import re
from typing import Any, Final, final

from channelkit.wire.visible import visible


@final
class Undefined:
    """JavaScript's ``undefined``; the only instance is :data:`UNDEFINED`."""

    def __repr__(self) -> str:
        return "undefined"


UNDEFINED: Final = Undefined()


@final
class Anything:
    """A value that a case does not look at; the only instance is :data:`ANYTHING`."""

    def __repr__(self) -> str:
        return "anything"


ANYTHING: Final = Anything()

_SPECIAL = {"-0": -0.0, "Infinity": float("inf"), "-Infinity": float("-inf"), "NaN": float("nan")}
_SURROGATE = re.compile("[\ud800-\udfff]")
_TOKEN = re.compile(
    r'[ \t\n\r]*(?:(?P<mark>[\[\]{}:,])|(?P<text>"(?:[^"\\\x00-\x1f]++|\\.)*+")'
    r"|(?P<number>-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?)|(?P<word>true|false|null))"
)
_WORDS = {"true": True, "false": False, "null": None}


def parse(text: str) -> Any:
    """Reads a JSON text; numbers become floats. Raises :class:`ValueError` when it is not JSON."""
    try:
        return _DECODER.decode(text)
    except RecursionError:
        return _parse_deep(text)


def _refuse(word: str) -> Any:
    raise ValueError(f"{word} is not JSON")


_DECODER = json.JSONDecoder(parse_int=float, parse_constant=_refuse)
_ENCODER = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":"))
_SHOWING = json.JSONEncoder(ensure_ascii=False, default=repr)


def _parse_deep(text: str) -> Any:
    """Like :func:`parse`, without recursion; slower. A stack of open containers replaces the call stack."""
    root: list[Any] = []
    open_containers: list[Any] = [root]
    keys: list[str | None] = [None]
    expected = "value"
    position = 0
    end = len(text.rstrip(" \t\n\r"))
    while position < end:
        token = _TOKEN.match(text, position)
        if token is None:
            raise ValueError(f"not JSON at character {position}")
        position = token.end()
        expected = _take(token, open_containers, keys, expected)
    if len(open_containers) != 1 or expected != "end" or len(root) != 1:
        raise ValueError("unexpected end of JSON")
    return root[0]


def _take(token: re.Match[str], stack: list[Any], keys: list[str | None], expected: str) -> str:
    """Applies a token to the open containers and returns the kinds of token that may come next."""
    mark = token["mark"]
    if mark in ("[", "{") and expected in ("value", "value or ]"):
        container: Any = [] if mark == "[" else {}
        _put(stack, keys, container)
        stack.append(container)
        keys.append(None)
        return "value or ]" if mark == "[" else "key or }"
    if (mark == "]" and expected in ("value or ]", ", or ]")) or (
        mark == "}" and expected in ("key or }", ", or }")
    ):
        stack.pop()
        keys.pop()
        return _after(stack)
    if mark == "," and expected in (", or ]", ", or }"):
        return "value" if expected == ", or ]" else "key"
    if mark == ":" and expected == ":":
        return "value"
    if token["text"] is not None and expected in ("key", "key or }"):
        keys[-1] = json.loads(token["text"])
        return ":"
    if mark is None and expected in ("value", "value or ]"):
        _put(stack, keys, _scalar(token))
        return _after(stack)
    raise ValueError(f"expected {expected} at character {token.start()}")


def _scalar(token: re.Match[str]) -> Any:
    if token["text"] is not None:
        return json.loads(token["text"])
    return float(token["number"]) if token["number"] is not None else _WORDS[token["word"]]


def _put(stack: list[Any], keys: list[str | None], value: Any) -> None:
    if isinstance(stack[-1], list):
        stack[-1].append(value)
    else:
        stack[-1][keys[-1]] = value


def _after(stack: list[Any]) -> str:
    if len(stack) == 1:
        return "end"
    return ", or ]" if isinstance(stack[-1], list) else ", or }"


ADVANCED_TAGS = frozenset(
    ("bigint", "date", "regexp", "boxed", "map", "set", "array", "arraybuffer", "view", "error", "ref")
)
"""Tags of values that only the mode ``advanced`` carries."""


def tagged(name: str, content: Any) -> dict[str, Any]:
    """A value of ``advanced`` as it is compared. No name of an own member begins with NUL in a case."""
    return {f"\0{name}": content}


def untag(value: Any, *, large: bool = False) -> Any:
    """A copy of ``value`` in which tagged values stand for themselves. Raises :class:`ValueError` on a bad tag.

    ``large`` also knows the tags that only case files use, for values that would fill a page.
    """
    root: list[Any] = [value]
    pending: list[Any] = [root]
    while pending:
        container = pending.pop()
        for key in range(len(container)) if isinstance(container, list) else list(container):
            member = _untag_one(container[key], large=large)
            if isinstance(member, list | dict):
                member = member.copy()
                pending.append(member)
            container[key] = member
    return root[0]


def expand(value: Any) -> Any:
    """A copy of ``value`` in which the tags for large values are replaced by these values. All further tags are kept."""
    if isinstance(value, list):
        return [expand(member) for member in value]
    if not isinstance(value, dict):
        return value
    if value.get("$") in ("repeat", "nested", "members"):
        return _untag_one(value, large=True)
    return {name: expand(member) for name, member in value.items()}


def _untag_one(value: Any, *, large: bool) -> Any:
    if not isinstance(value, dict) or "$" not in value:
        return value
    tag = value["$"]
    if tag == "undefined":
        return UNDEFINED
    if tag == "number" and isinstance(value.get("v"), str) and value["v"] in _SPECIAL:
        return _SPECIAL[value["v"]]
    if tag == "object" and _is_pairs(value.get("v")):
        return dict(value["v"])
    if tag in ADVANCED_TAGS and value.keys() == {"$", "v"}:
        return tagged(tag, value["v"])
    if large and tag == "any":
        return ANYTHING
    if large and tag == "repeat":
        return str(value["s"]) * int(value["times"])
    if large and tag == "nested":
        return _nested(int(value["depth"]))
    if large and tag == "members":
        return {f"m{number}": number for number in range(int(value["times"]))}
    raise ValueError(f"unknown tag {tag!r}")


def _is_pairs(value: Any) -> bool:
    return isinstance(value, list) and all(
        isinstance(one, list) and len(one) == 2 and isinstance(one[0], str) for one in value
    )


def _nested(depth: int) -> list[Any]:
    innermost: list[Any] = []
    for _ in range(depth - 1):
        innermost = [innermost]
    return innermost


def compact(value: Any) -> bytes:
    """The compact JSON text of an untagged ``value``, in UTF-8; lone surrogates are escaped as Node escapes them.

    Raises :class:`ValueError` for a value that JSON cannot hold.
    """
    text = _ENCODER.encode(value)
    return _SURROGATE.sub(lambda found: f"\\u{ord(found[0]):04x}", text).encode()


def show(value: Any, width: int = 300) -> str:
    """A line for people; never fails."""
    try:
        text = _SHOWING.encode(_integers(value))
    except RecursionError:
        text = f"<{type(value).__name__} too deep to show>"
    return visible(text) if len(text) <= width else f"{visible(text[:width])}… ({len(text)} characters)"


def _integers(value: Any) -> Any:
    if isinstance(value, float) and value.is_integer() and abs(value) < 2**53 and str(value) != "-0.0":
        return int(value)
    if isinstance(value, list):
        return [_integers(member) for member in value]
    if isinstance(value, dict):
        return {key: _integers(member) for key, member in value.items()}
    return value
