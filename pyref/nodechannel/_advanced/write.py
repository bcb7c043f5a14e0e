"""The definition of the values that this package writes in advanced mode.

A container is written by a generator, which yields the path and the value of each member. The generators that wait stand on a list, so the
path of a refused value is known and Python's stack is no limit.
"""

from __future__ import annotations

from enum import Enum
from uuid import UUID

from nodechannel import js
from nodechannel._advanced import tags
from nodechannel._advanced.output import FrameTooLong, Output
from nodechannel._advanced.writeleaves import (
    LEAVES,
    PRIMITIVES,
    Refused,
    buffer,
    double,
    integer,
    name,
    string,
    tag,
    varint,
)
from nodechannel._json import codec
from nodechannel._json.paths import path_of
from nodechannel._json.text import JsonText
from nodechannel.errors import InvalidMessage

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterable
    from typing import Any, TypeAlias, TypeVar

    # Yields steps of a path and values; writes the bytes between them.
    Container: TypeAlias = Generator[tuple[int | str, Any], None, None]
    Default: TypeAlias = Callable[[Any], Any]
    _Function = TypeVar("_Function")

# [ADV-028] Node 22 dies of 1,532 levels.
DEEPEST = 1000

_LETTERS = {name: bytes([letter]) for letter, name in tags.ERROR_LETTERS.items()}


def write(message: object, default: Default | None = None) -> bytes:
    """Return the frame of a message, its length before it; raises `InvalidMessage`."""
    writer = Writer(default)
    try:
        writer.write(message)
        return writer.out.frame()
    except Refused as refusal:
        raise InvalidMessage(refusal.reason, path_of(writer.path)) from None
    except FrameTooLong as error:
        raise InvalidMessage(f"its {error.size} bytes are more than Node can read") from None


class Writer:
    """Writes a message.

    Attributes:
        out: the output.
    """

    __slots__ = ("_default", "_steps", "_stood_for", "_waiting", "out")

    def __init__(self, default: Default | None) -> None:
        self.out = Output()
        self._default = default
        self._waiting: list[Container] = []
        # For each container that waits the member that is being written, None between two.
        self._steps: list[int | str | None] = []
        # The results of `default` for values, by its identity. Both are kept, so that no identity is used twice.
        self._stood_for: dict[int, tuple[object, object]] = {}

    @property
    def path(self) -> list[int | str]:
        """The steps to the value that is being written."""
        return [step for step in self._steps if step not in (None, "")]

    def write(self, message: object) -> None:
        """Write a message; raises `Refused`."""
        self._begin(message)
        while self._waiting:
            self._steps[-1] = None
            member = next(self._waiting[-1], None)
            if member is None:
                self._waiting.pop()
                self._steps.pop()
            else:
                self._steps[-1] = member[0]
                self._begin(member[1])

    def _begin(self, value: Any) -> None:
        """Write a value that holds no other, or begin a container."""
        kind = type(value)
        if kind in PRIMITIVES:
            PRIMITIVES[kind](self.out, value)
        elif id(value) in self.out.numbers:
            # [ADV-031]
            self.out.parts.append(tag(tags.REFERENCE) + varint(self.out.numbers[id(value)]))
        elif kind in LEAVES:
            self._number(value)
            LEAVES[kind](self.out, value)
        elif kind in _CONTAINERS:
            self._number(value)
            self._enter(_CONTAINERS[kind], value)
        else:
            self._unusual(value)

    def _number(self, value: object) -> None:
        """Number an object; numbers follow each other in the order of the frame ([ADV-031])."""
        self.out.numbers[id(value)] = len(self.out.numbers)

    def _enter(self, container: Callable[[Output, Any], Container], value: object) -> None:
        if len(self._waiting) >= DEEPEST:
            raise Refused(f"more than {DEEPEST} levels of nesting, which Node cannot read")
        self._waiting.append(container(self.out, value))
        self._steps.append(None)

    def _unusual(self, value: Any) -> None:
        """Write a value whose type only resembles a known one, or has to be translated."""
        # The order is that of JSON: an Enum that is a str is a str.
        if isinstance(value, str):
            string(self.out, str.__str__(value))
        elif isinstance(value, int):
            integer(self.out, int.__int__(value))
        elif isinstance(value, float):
            double(self.out, float.__float__(value))
        elif (container := _of_base(value, _CONTAINERS)) is not None:
            self._number(value)
            self._enter(container, value)
        elif (leaf := _of_base(value, LEAVES)) is not None:
            self._number(value)
            leaf(self.out, value)
        else:
            self._translated(value)

    def _translated(self, value: Any) -> None:
        if isinstance(value, Enum):
            self._begin(value.value)
        elif isinstance(value, UUID):
            string(self.out, str(value))
        elif _is_buffer(value):
            self._number(value)
            buffer(self.out, value)
        elif self._default is None and not isinstance(value, JsonText):
            raise Refused(f"{type(value).__name__} is no type of JavaScript (default= can translate it)")
        else:
            self._enter(self._stand_in, value)

    def _stand_in(self, _out: Output, value: Any) -> Container:
        """Write the value of a JSON text or what `default` gives, as a level of nesting that has no bytes of its own."""
        if id(value) not in self._stood_for:
            self._stood_for[id(value)] = value, self._translation(value)
        yield "", self._stood_for[id(value)][1]

    def _translation(self, value: Any) -> object:
        if isinstance(value, JsonText):
            return codec.decode(value.text)
        assert self._default is not None
        return self._default(value)


def _of_base(value: object, table: dict[type, _Function]) -> _Function | None:
    """Return the entry of a table for a base class of the value's type."""
    return next((table[base] for base in type(value).__mro__ if base in table), None)


def _is_buffer(value: Any) -> bool:
    try:
        memoryview(value)
    except TypeError:
        return False
    return True


# ---- containers -----------------------------------------------------------------------------------------------


def _object(out: Output, value: dict[Any, Any]) -> Container:
    out.parts.append(tag(tags.OBJECT))
    members = list(dict.items(value))
    yield from _members(out, members)
    out.parts.append(tag(tags.OBJECT_END) + varint(len(members)))


def _members(out: Output, members: Iterable[tuple[Any, Any]]) -> Container:
    for key, member in members:
        if not isinstance(key, str):
            raise Refused(f"the key {key!r:.40} is not a str (js.Map takes any key)")
        plain = str.__str__(key)
        name(out, plain)
        yield plain, member


def _array(out: Output, value: list[Any] | tuple[Any, ...]) -> Container:
    # Another thread may change the list meanwhile, and its length goes first.
    elements = tuple(value)
    out.parts.append(tag(tags.DENSE) + varint(len(elements)))
    yield from enumerate(elements)
    properties = list(value.properties.items()) if isinstance(value, js.Array) else []
    yield from _members(out, properties)
    out.parts.append(tag(tags.DENSE_END) + varint(len(properties)) + varint(len(elements)))


def _sparse(out: Output, value: js.SparseArray) -> Container:
    elements, properties = list(value.elements.items()), list(value.properties.items())
    out.parts.append(tag(tags.SPARSE) + varint(value.length))
    for index, element in elements:
        integer(out, index)
        yield index, element
    yield from _members(out, properties)
    out.parts.append(tag(tags.SPARSE_END) + varint(len(elements) + len(properties)) + varint(value.length))


def _map(out: Output, value: js.Map) -> Container:
    out.parts.append(tag(tags.MAP))
    entries = value.pairs()
    for index, (key, member) in enumerate(entries):
        yield f"<key {index}>", key
        yield f"<value {index}>", member
    out.parts.append(tag(tags.MAP_END) + varint(2 * len(entries)))


def _set(out: Output, value: js.Set | set[Any] | frozenset[Any]) -> Container:
    out.parts.append(tag(tags.SET))
    members = list(value)
    yield from enumerate(members)
    out.parts.append(tag(tags.SET_END) + varint(len(members)))


# [ADV-047] Message, stack, cause: the order that every Node reads which reads a cause at all.
def _error(out: Output, value: BaseException) -> Container:
    error = value if isinstance(value, js.Error) else js.Error.from_exception(value)
    out.parts.append(tag(tags.ERROR) + _LETTERS.get(error.name, b""))
    for letter, text in ((tags.ERROR_MESSAGE, error.message), (tags.ERROR_STACK, error.stack)):
        if text is not None:
            out.parts.append(tag(letter))
            string(out, text)
    if error.cause is not js.NO_CAUSE:
        out.parts.append(tag(tags.ERROR_CAUSE))
        yield "cause", error.cause
    out.parts.append(tag(tags.ERROR_END))


_CONTAINERS: dict[type, Callable[[Output, Any], Container]] = {
    dict: _object,
    list: _array,
    tuple: _array,
    set: _set,
    frozenset: _set,
    js.Array: _array,
    js.SparseArray: _sparse,
    js.Map: _map,
    js.Set: _set,
    js.Error: _error,
    BaseException: _error,
}
