"""Messages of the mode `advanced` as the contract tags them, and back."""

from __future__ import annotations

import datetime as dt
from collections.abc import Generator, Iterable
from typing import Any

from tags import tag_number

from nodechannel import js

Lowered = Generator[Any, Any, Any]
_EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)


def lower(message: object) -> object:
    """Return a message as the contract has it; an object that comes again is a reference to its number."""
    # A list of generators stands for the stack: a message can be deeper than Python recurses.
    waiting = [_Lowering().value(message)]
    result: object = None
    while waiting:
        try:
            waiting.append(waiting[-1].send(result))
            result = None
        except StopIteration as end:
            waiting.pop()
            result = end.value
    return result


class _Lowering:
    """The numbers of the objects that have begun."""

    def __init__(self) -> None:
        self._numbers: dict[int, int] = {}

    def value(self, value: object) -> Lowered:
        if value is js.undefined:
            return {"$": "undefined"}
        if value is None or isinstance(value, bool | str):
            return value
        if isinstance(value, int):
            large = isinstance(value, js.BigInt) or abs(value) > js.MAX_SAFE_INTEGER
            return {"$": "bigint", "v": str(int(value))} if large else value
        if isinstance(value, float):
            return tag_number(value)
        if id(value) in self._numbers:
            return {"$": "ref", "v": self._numbers[id(value)]}
        self._numbers[id(value)] = len(self._numbers)
        if type(value) is list:
            return (yield self._all(value))
        name, content = yield self._object(value)
        return {"$": name, "v": content}

    def _object(self, value: Any) -> Lowered:
        match value:
            case dict():
                return "object", (yield self._members(value))
            case js.Array():
                elements = {str(at): one for at, one in enumerate(value)}
                return "array", [len(value), sorted((yield self._members(elements | value.properties)))]
            case js.SparseArray():
                elements = {str(at): one for at, one in value.elements.items()}
                return "array", [value.length, sorted((yield self._members(elements | value.properties)))]
            case js.Map():
                return "map", (yield self._pairs(value.pairs()))
            case set() | js.Set():
                return "set", (yield self._all(value))
            case js.Error():
                return "error", (yield self._error(value))
            case js.Boxed():
                return "boxed", (yield self.value(value.value))
            case _:
                return self._leaf(value)

    def _leaf(self, value: Any) -> tuple[str, object]:
        match value:
            case js.RegExp():
                return "regexp", [value.source, value.flags]
            case js.Date():
                return "date", tag_number(value.milliseconds)
            case dt.datetime():
                return "date", (value - _EPOCH) // dt.timedelta(milliseconds=1)
            case js.ArrayBuffer():
                return "arraybuffer", value.hex()
            case js.TypedArray():
                return "view", [value.kind, value.data.hex()]
            case _:
                return "view", ["Buffer", bytes(value).hex()]

    def _all(self, values: Iterable[object]) -> Lowered:
        lowered = []
        for one in values:
            lowered.append((yield self.value(one)))  # noqa: PERF401 - a comprehension cannot yield
        return lowered

    def _pairs(self, pairs: Iterable[tuple[object, object]]) -> Lowered:
        lowered = []
        for pair in pairs:
            lowered.append((yield self._all(pair)))  # noqa: PERF401 - a comprehension cannot yield
        return lowered

    def _members(self, members: dict[str, Any]) -> Lowered:
        lowered = []
        for name, member in members.items():
            lowered.append([name, (yield self.value(member))])
        return lowered

    def _error(self, error: js.Error) -> Lowered:
        texts = [{"$": "undefined"} if text is None else text for text in (error.message, error.stack)]
        cause = [] if error.cause is js.NO_CAUSE else [(yield self.value(error.cause))]
        return [error.name, *texts, *cause]


def lift(message: object) -> Any:
    """Return the message that the contract says."""
    return _Lifting().value(message)


class _Lifting:
    """The objects that have begun."""

    def __init__(self) -> None:
        self._begun: list[Any] = []

    def _begin(self, value: Any) -> Any:
        self._begun.append(value)
        return value

    def value(self, value: Any) -> Any:
        if isinstance(value, list):
            items: list[Any] = self._begin([])
            items.extend(map(self.value, value))
            return items
        if not isinstance(value, dict):
            return value
        if "$" not in value or value["$"] == "object":
            made: dict[str, Any] = self._begin({})
            pairs = value["v"] if "$" in value else value.items()
            made.update((name, self.value(member)) for name, member in pairs)
            return made
        return self._tagged(value["$"], value.get("v"))

    def _tagged(self, name: str, content: Any) -> Any:
        match name:
            case "undefined":
                return js.undefined
            case "number":
                return float(content)
            case "bigint":
                return js.BigInt(content)
            case "ref":
                return self._begun[content]
            case "map":
                entries = self._begin(js.Map())
                entries.update((self.value(key), self.value(one)) for key, one in content)
                return entries
            case "set":
                members = self._begin(js.Set())
                members.update(map(self.value, content))
                return members
            case "array":
                return self._array(*content)
            case "error":
                return self._error(*content)
            case _:
                return self._begin(self._leaf(name, content))

    def _array(self, length: int, members: list[tuple[str, Any]]) -> js.SparseArray:
        array: js.SparseArray = self._begin(js.SparseArray(length))
        for name, member in members:
            if name.isdigit():
                array[int(name)] = self.value(member)
            else:
                array.properties[name] = self.value(member)
        return array

    def _error(self, name: str, message: Any, stack: Any, *cause: Any) -> js.Error:
        texts = [None if isinstance(text, dict) else text for text in (message, stack)]
        error: js.Error = self._begin(js.Error(name, *texts))
        if cause:
            error.cause = self.value(cause[0])
        return error

    def _leaf(self, name: str, content: Any) -> Any:
        match name:
            case "date":
                return js.Date(self.value(content))
            case "regexp":
                return js.RegExp(*content)
            case "boxed":
                return js.Boxed(self.value(content))
            case "arraybuffer":
                return js.ArrayBuffer(bytes.fromhex(content))
            case "view":
                kind, data = content[0], bytes.fromhex(content[1])
                return data if kind == "Buffer" else js.TypedArray(kind, data)
            case other:
                raise ValueError(f"Python has no value for the tag {other!r}")
