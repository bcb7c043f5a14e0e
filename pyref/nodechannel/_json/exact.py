"""JSON texts to values: the definition of reading, as `JSON.parse` does it, in Python's types. `writing` is its twin.

Correct before fast: no nesting is too deep, no number too long. `nodechannel._json.fast` has to agree.

===================  ==================================================================================
JSON                 Python
===================  ==================================================================================
integer literal      `int` from -2**63 to 2**64 - 1, beyond that the nearest `float`, possibly infinite
``-0``               ``-0.0``
other number         `float`, infinite where a double overflows
string               `str`; the escape of a lone surrogate is that lone surrogate
bytes not in UTF-8   U+FFFD, one for each part that cannot continue
object, array        `dict`, `list`
===================  ==================================================================================
"""

from __future__ import annotations

import re
from json.decoder import JSONDecodeError, JSONDecoder
from json.decoder import scanstring as _scanstring  # type: ignore[attr-defined]
from typing import TYPE_CHECKING, Any, NoReturn

from nodechannel.errors import InvalidJson

if TYPE_CHECKING:
    from collections.abc import Sequence

    from nodechannel._json.framing import Line


def decode(line: Line) -> Any:
    """Return the value of a line, which has no line feed of its own.

    Raises `InvalidJson` when the line is not a JSON text as `JSON.parse` understands it.
    """
    # Never json.loads(bytes): it guesses UTF-16, skips a byte order mark and lets encoded surrogates by.
    text = line.decode("utf-8", "replace")  # [FRM-028]
    try:
        if not _is_deep(text):
            # [JSN-020, JSN-021, JSN-023, JSN-027, JSN-028]
            return _decoder.decode(text)
        return _DeepReader(text).read()  # [JSN-029]
    except ValueError as error:  # [JSN-030]
        reason = _reason(error, text)
    # Outside of the handler: an error that keeps the one before, with its traceback, costs many times the memory.
    raise InvalidJson(reason, bytes(line))


def decode_lines(lines: Sequence[Line]) -> list[Any]:
    """Return the values of many lines; raises `InvalidJson` when any of them is no JSON."""
    return [decode(line) for line in lines]


# Levels that the standard library's reader may descend: the stack of a thread may be small, and a reader in C does not see its end.
_DEEPEST = 64
_not_brackets = re.compile(r'[^]["{}]+|"(?:[^"\\]+|\\.)*"?', re.DOTALL).sub


def _is_deep(text: str) -> bool:
    """Tell whether a text is nested deeper than that, or looks like it; in linear time."""
    if text.count("[") + text.count("{") <= _DEEPEST:
        return False
    brackets = _not_brackets("", text)
    for _ in range(_DEEPEST):
        brackets = brackets.replace("[]", "").replace("{}", "")
        if not brackets:
            return False
    return True


# [FRM-025]
_BLANK = " \t\n\r"


def _reason(error: ValueError, text: str) -> str:
    if not text.strip(_BLANK):
        return "it is blank"
    return f"{error.msg} (character {error.pos})" if isinstance(error, JSONDecodeError) else str(error)


_LEAST_INT, _GREATEST_INT = -(2**63), 2**64 - 1
_LONGEST_INT = len(str(_LEAST_INT))


def _integer(literal: str) -> float:
    """Read an integer literal ([JSN-024]), without the limit that `int` has on digits."""
    if literal == "-0":
        return -0.0  # [JSN-025]
    if len(literal) <= _LONGEST_INT:
        value = int(literal)
        if _LEAST_INT <= value <= _GREATEST_INT:
            return value
    return float(literal)  # [JSN-026]


def _refuse_constant(name: str) -> NoReturn:
    """Refuse `NaN` and the infinities, which Python's reader takes although they are no JSON."""
    raise ValueError(f"{name} is not JSON")


# [JSN-022]
_decoder = JSONDecoder(parse_int=_integer, parse_constant=_refuse_constant)

_blanks = re.compile(rf"[{_BLANK}]*").match
_number = re.compile(r"-?(?:0|[1-9][0-9]*)(\.[0-9]+)?([eE][-+]?[0-9]+)?").match
_LITERALS = {"t": ("true", True), "f": ("false", False), "n": ("null", None)}


class _DeepReader:
    """Reads a JSON text with a stack of its own, where the standard library's reader runs out of Python's."""

    __slots__ = ("_at", "_keys", "_open", "_text")

    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0
        # The containers that are open, outermost first, and for each the key that waits for its value.
        self._open: list[list[Any] | dict[str, Any]] = []
        self._keys: list[str] = []

    def read(self) -> Any:
        """Return the value of the whole text."""
        value = self._first_complete()
        while self._open:
            value = self._put(value)
        if self._peek():
            self._fail("Extra data")
        return value

    def _put(self, value: Any) -> Any:
        """Put a complete value into its container; return the next one, which may be the container."""
        container = self._open[-1]
        if isinstance(container, list):
            container.append(value)
            end = "]"
        else:
            container[self._keys[-1]] = value
            end = "}"
        found = self._peek()
        if found == end:
            self._at += 1
            self._keys.pop()
            return self._open.pop()
        if found != ",":
            self._fail("Expecting ',' delimiter")
        self._at += 1
        if end == "}":
            self._keys[-1] = self._key()
        return self._first_complete()

    def _first_complete(self) -> Any:
        """Open containers down to the first value that is complete: a scalar or an empty container."""
        while True:
            found = self._peek()
            if found == "[":
                self._at += 1
                if self._peek() == "]":
                    self._at += 1
                    return []
                self._open.append([])
                self._keys.append("")
            elif found == "{":
                self._at += 1
                if self._peek() == "}":
                    self._at += 1
                    return {}
                self._open.append({})
                self._keys.append(self._key())
            else:
                return self._scalar(found)

    def _key(self) -> str:
        if self._peek() != '"':
            self._fail("Expecting property name enclosed in double quotes")
        key = self._string()
        if self._peek() != ":":
            self._fail("Expecting ':' delimiter")
        self._at += 1
        return key

    def _scalar(self, found: str) -> Any:
        if found == '"':
            return self._string()
        if found in _LITERALS:
            name, value = _LITERALS[found]
            if self._text.startswith(name, self._at):
                self._at += len(name)
                return value
        number = _number(self._text, self._at)
        if number is None:
            self._fail("Expecting value")
        self._at = number.end()
        return float(number[0]) if number[1] or number[2] else _integer(number[0])

    def _string(self) -> str:
        value: str
        value, self._at = _scanstring(self._text, self._at + 1, True)
        return value

    def _peek(self) -> str:
        """Skip blanks; return the character after them, empty at the end."""
        blanks = _blanks(self._text, self._at)
        if blanks:
            self._at = blanks.end()
        return self._text[self._at : self._at + 1]

    def _fail(self, reason: str) -> NoReturn:
        raise JSONDecodeError(reason, self._text, self._at)
