"""Values to JSON texts: the definition of the values that this package writes. `nodechannel._json.fast` has to agree.

This module imports only modules that are there already. So it also serves while orjson is being imported: a signal handler that sends in
that moment, or another thread.
"""

from __future__ import annotations

from enum import Enum

from nodechannel._json.framing import LONGEST_LINE, blocks
from nodechannel._json.paths import path_of
from nodechannel._json.text import JsonText
from nodechannel.errors import InvalidJson, InvalidMessage

try:
    from _json import encode_basestring
except ImportError:  # PyPy
    from json.encoder import encode_basestring

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Any, NoReturn

MAX_SAFE_INTEGER = 2**53 - 1
"""Beyond it JavaScript rounds, unless the integer is a double exactly ([JSN-007])."""


def encode(
    message: object,
    unsafe_integers: bool = False,
    allow_nan: bool = True,
    default: Callable[[Any], Any] | None = None,
) -> bytes:
    """Return the whole frame of a message: compact JSON in UTF-8 and the line feed.

    A message is made of None, bool, int, float, str, list, tuple and dict with str keys, of subclasses of
    these, and of the types that orjson writes on its own: a member of a plain enum stands for its value, a `uuid.UUID`
    for its text. As with `JSON.stringify` NaN and the infinities become null and lone surrogates are escaped.

    Raises `InvalidMessage` when it holds another value, when it holds itself, and when no V8 could read it
    because of its length ([JSN-003]).

    Args:
        message: the value.
        unsafe_integers: write integers that JavaScript rounds too ([JSN-007]).
        allow_nan: write NaN and the infinities as null; else they are refused.
        default: called with a value of any other type; returns the value that is written in its place.
    """
    if isinstance(message, JsonText):
        data = message.text
    else:
        text = _Writer(unsafe_integers, allow_nan, default).write(message)
        # [FRM-001] [JSN-006] Surrogates alone have no UTF-8; the handler writes their escape, which is that of JSON too.
        data = text.encode("utf-8", "backslashreplace")
    frame = data + b"\n"  # [FRM-003]
    if len(frame) > LONGEST_LINE + 1:
        raise InvalidMessage(f"its {len(frame) - 1} bytes are more than Node can read ({LONGEST_LINE})", "$")
    return frame


def encode_many(
    messages: list[object],
    unsafe_integers: bool = False,
    allow_nan: bool = True,
    default: Callable[[Any], Any] | None = None,
) -> list[bytes]:
    """Return the `blocks` of the frames of many messages; raises `InvalidMessage` when any of them cannot be sent."""
    frames = []
    for index, message in enumerate(messages):
        try:
            frames.append(encode(message, unsafe_integers, allow_nan, default))
        except InvalidMessage as error:
            raise InvalidMessage(error.reason, f"$[{index}]{error.path[1:]}") from None
    return blocks(frames)


_WRITTEN = (str, int, float, type(None), dict, list, tuple)
# Levels of containers and translations of one value together: a function that returns its argument would never end.
_MOST_TRANSLATIONS = 1000


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
    """Writes a message with a stack of its own: it knows the path of a refused value, and depth is free."""

    __slots__ = ("_allow_nan", "_default", "_identities", "_open", "_parts", "_unsafe_integers")

    def __init__(
        self, unsafe_integers: bool, allow_nan: bool, default: Callable[[Any], Any] | None = None
    ) -> None:
        self._unsafe_integers = unsafe_integers
        self._allow_nan = allow_nan
        self._default = default
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
        if self._default is not None and not isinstance(value, _WRITTEN):
            value = self._by_default(value)
        # Methods of the base classes, because orjson takes the data of a subclass, not its own methods.
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
        """Return the text of a value that orjson translates under any options."""
        while isinstance(value, Enum) and not isinstance(value, str | int | list | dict):
            value = value.value
        if type(value).__name__ == "UUID" and type(value).__module__ == "uuid":
            return str(value)
        if type(value).__module__ == "orjson" and type(value).__name__ == "Fragment":
            return self._fragment(value)
        return value

    def _by_default(self, value: object) -> object:
        """Return the result of the caller's function for a value of a foreign type, again until the type is known."""
        assert self._default is not None
        left = _MOST_TRANSLATIONS - len(self._open)
        while left > 0 and not isinstance(value, _WRITTEN):
            value = self._standing_for(self._default(value))
            left -= 1
        if left <= 0:
            self._refuse(f"default= came to no known type in {_MOST_TRANSLATIONS} steps")
        return value

    def _fragment(self, fragment: object) -> object:
        """Return the value of an `orjson.Fragment`, so that its line feeds are not written ([FRM-002])."""
        import orjson

        from nodechannel._json.exact import decode

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
            self._refuse(f"{type(value).__name__} is not a type of JSON (default= can translate it)")
        text = float.__repr__(value)
        if text not in ("nan", "inf", "-inf"):
            return text
        if not self._allow_nan:
            self._refuse(f"{text}, which JSON has no word for")
        return "null"  # [JSN-002]

    def _integer(self, value: int) -> str:
        if not -MAX_SAFE_INTEGER <= value <= MAX_SAFE_INTEGER and not _is_double(value):
            if not self._unsafe_integers:  # [JSN-007]
                self._refuse("an integer beyond 2**53 - 1 that JavaScript would round")
            if abs(value) >= _OVERFLOW:
                self._refuse("an integer that is too large for a double")
        return int.__repr__(value)

    def _refuse(self, reason: str) -> NoReturn:
        keys = [container.key for container in self._open if container.key is not None]
        raise InvalidMessage(reason, path_of(keys))


_OVERFLOW = 2**1024 - 2**970  # from here on the nearest double is infinite


def _is_double(value: int) -> bool:
    """Tell whether JavaScript would write the same integer again: it is a double exactly, or the shortest digits of one."""
    if abs(value) >= _OVERFLOW:
        return False
    double = float(value)
    return int(double) == value or _shortest(double) == value


def _shortest(double: float) -> int:
    """Return the integer that JavaScript writes for a large double: the digits that tell it from its neighbours, and zeros."""
    mantissa, _, exponent = repr(double).partition("e")
    whole, _, fraction = mantissa.partition(".")
    zeros = int(exponent or 0) - len(fraction)
    return int(whole + fraction) * 10**zeros if zeros >= 0 else int(double)
