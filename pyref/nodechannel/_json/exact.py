"""The definition of what this package reads and writes: `JSON.parse` and `JSON.stringify`, in Python's types.

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
from enum import Enum
from json.decoder import JSONDecodeError, JSONDecoder
from json.decoder import scanstring as _scanstring  # type: ignore[attr-defined]
from json.encoder import encode_basestring, encode_basestring_ascii
from typing import TYPE_CHECKING, Any, NoReturn
from uuid import UUID

from nodechannel._json.framing import LONGEST_LINE, blocks
from nodechannel._json.plain import MAX_SAFE_INTEGER
from nodechannel.errors import InvalidJson, InvalidMessage

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from nodechannel._json.framing import Line

# ---- reading ----------------------------------------------------------------------------------------


def decode(line: Line) -> Any:
    """Return the value of one line, which has no line feed of its own.

    Raises `InvalidJson` when the line is not a JSON text as `JSON.parse` understands it.
    """
    # Never json.loads(bytes): it guesses UTF-16, skips a byte order mark and lets encoded surrogates by.
    text = line.decode("utf-8", "replace")  # [FRM-028]
    try:
        try:
            # [JSN-020, JSN-021, JSN-023, JSN-027, JSN-028]
            return _decoder.decode(text)
        except RecursionError:
            return _DeepReader(text).read()  # [JSN-029]
    except ValueError as error:  # [JSN-030]
        raise InvalidJson(_reason(error, text), bytes(line)) from None


def decode_lines(lines: Sequence[Line]) -> list[Any]:
    """Return the values of many lines; raises `InvalidJson` when any of them is no JSON."""
    return [decode(line) for line in lines]


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


# ---- writing ----------------------------------------------------------------------------------------


def encode(message: object, unsafe_integers: bool = False, allow_nan: bool = True) -> bytes:
    """Return the whole frame of a message: compact JSON in UTF-8 and the line feed.

    A message is made of None, bool, int, float, str, list, tuple and dict with str keys, of subclasses of
    these, and of what orjson writes on its own: a member of a plain enum stands for its value, a `uuid.UUID`
    for its text. As with `JSON.stringify` NaN and the infinities become null and lone surrogates are escaped.

    Raises `InvalidMessage` when it holds something else, when it holds itself, and when no V8 could read it
    because of its length ([JSN-003]).

    Args:
        message: the value.
        unsafe_integers: write integers beyond 2**53 - 1 in magnitude, which JavaScript rounds ([JSN-007]).
        allow_nan: write NaN and the infinities as null; else they are refused.
    """
    text = _Writer(unsafe_integers, allow_nan).write(message)
    # [FRM-001] [JSN-006] Surrogates alone have no UTF-8; the handler writes what is their escape in JSON too.
    frame = text.encode("utf-8", "backslashreplace") + b"\n"  # [FRM-003]
    if len(frame) > LONGEST_LINE + 1:
        raise InvalidMessage(f"its {len(frame) - 1} bytes are more than Node can read ({LONGEST_LINE})", "$")
    return frame


def encode_many(messages: list[object], unsafe_integers: bool = False, allow_nan: bool = True) -> list[bytes]:
    """Return the `blocks` of the frames of many messages; raises `InvalidMessage` when any of them cannot be sent."""
    frames = []
    for index, message in enumerate(messages):
        try:
            frames.append(encode(message, unsafe_integers, allow_nan))
        except InvalidMessage as error:
            raise InvalidMessage(error.reason, f"$[{index}]{error.path[1:]}") from None
    return blocks(frames)


class _Container:
    """An array or object that is being written."""

    __slots__ = ("end", "entries", "identity", "key", "separator")

    def __init__(self, identity: int, entries: Iterator[tuple[Any, Any]], end: str) -> None:
        self.identity = identity
        self.entries = entries
        self.end = end
        self.separator = ""
        self.key: int | str | None = None


class _Writer:
    """Writes one message with a stack of its own: it knows the path of what it refuses, and depth is free."""

    __slots__ = ("_allow_nan", "_identities", "_open", "_parts", "_unsafe_integers")

    def __init__(self, unsafe_integers: bool, allow_nan: bool) -> None:
        self._unsafe_integers = unsafe_integers
        self._allow_nan = allow_nan
        self._parts: list[str] = []
        self._open: list[_Container] = []
        self._identities: set[int] = set()

    def write(self, message: object) -> str:
        """Return the JSON text of a message."""
        self._value(message)
        while self._open:
            self._advance(self._open[-1])
        return "".join(self._parts)

    def _advance(self, container: _Container) -> None:
        """Write the next entry of a container, or its end."""
        for key, value in container.entries:
            self._parts.append(container.separator)
            container.separator = ","
            if container.end == "}":
                container.key = None  # so that a bad key is reported at its object
                self._parts.append(self._key(key))
            container.key = key
            self._value(value)
            return
        self._parts.append(container.end)
        self._identities.remove(container.identity)
        self._open.pop()

    def _key(self, key: object) -> str:
        if not isinstance(key, str):
            self._refuse(f"the key {key!r:.40} is not a str")
        return encode_basestring(key) + ":"

    def _value(self, value: object) -> None:
        value = self._standing_for(value)
        # Methods of the base classes, because orjson takes the data of a subclass, not what it overrides.
        if isinstance(value, dict):
            self._enter(value, "{", iter(list(dict.items(value))), "}")
        elif isinstance(value, list):
            self._enter(value, "[", enumerate(list.__iter__(value)), "]")
        elif isinstance(value, tuple):
            self._enter(value, "[", enumerate(tuple.__iter__(value)), "]")
        else:
            self._parts.append(self._scalar(value))

    def _enter(self, value: object, start: str, entries: Iterator[tuple[Any, Any]], end: str) -> None:
        if id(value) in self._identities:
            self._refuse("it holds itself")
        self._identities.add(id(value))
        self._parts.append(start)
        self._open.append(_Container(id(value), entries, end))

    def _standing_for(self, value: Any) -> object:
        """Return what is written for a value that orjson translates whatever its options say."""
        while isinstance(value, Enum) and not isinstance(value, str | int | list | dict):
            value = value.value
        if type(value) is UUID:
            return str(value)
        if type(value).__module__ == "orjson" and type(value).__name__ == "Fragment":
            return self._fragment(value)
        return value

    def _fragment(self, fragment: object) -> object:
        """Return the value of an `orjson.Fragment`, so that its line feeds are not written ([FRM-002])."""
        import orjson

        try:
            return decode(orjson.dumps(fragment))
        except (InvalidJson, TypeError):
            self._refuse("the text of an orjson.Fragment is not JSON")

    def _scalar(self, value: object) -> str:
        if value is None:
            return "null"
        if isinstance(value, str):
            return encode_basestring(value)  # [JSN-005]
        if isinstance(value, bool):
            return "true" if value else "false"
        if isinstance(value, int):
            return self._integer(value)
        if not isinstance(value, float):
            self._refuse(f"{type(value).__name__} is not a type of JSON")
        text = float.__repr__(value)
        if text not in ("nan", "inf", "-inf"):
            return text
        if not self._allow_nan:
            self._refuse(f"{text}, which JSON has no word for")
        return "null"  # [JSN-002]

    def _integer(self, value: int) -> str:
        if not -MAX_SAFE_INTEGER <= value <= MAX_SAFE_INTEGER:
            if not self._unsafe_integers:  # [JSN-007]
                self._refuse("an integer beyond 2**53 - 1, which JavaScript would round")
            try:
                float(value)
            except OverflowError:
                self._refuse("an integer that is too large for a double")
        return int.__repr__(value)

    def _refuse(self, reason: str) -> NoReturn:
        keys = [container.key for container in self._open if container.key is not None]
        raise InvalidMessage(reason, _path(keys))


_plain_name = re.compile(r"[A-Za-z_$][A-Za-z0-9_$]*").fullmatch
_SHOWN_STEPS = 20


def _path(keys: list[int | str]) -> str:
    """`$.users[3].id`; the middle of a very long path is left out."""
    if len(keys) > _SHOWN_STEPS:
        half = _SHOWN_STEPS // 2
        return f"${_steps(keys[:half])}...{_steps(keys[-half:])}"
    return "$" + _steps(keys)


def _steps(keys: list[int | str]) -> str:
    return "".join(map(_step, keys))


def _step(key: int | str) -> str:
    if isinstance(key, int):
        return f"[{key}]"
    shown = key if len(key) <= 40 else key[:37] + "..."
    return f".{shown}" if _plain_name(shown) else f"[{encode_basestring_ascii(shown)}]"
