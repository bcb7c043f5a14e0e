"""JavaScript values that Python has no type for, as `serialization="advanced"` carries them.

    from nodechannel import js

    child.send(js.Map([("big", js.BigInt(2**70)), ("gone", js.undefined), ("when", js.Date(0))]))

A value of that class arrives as an instance of it and can be sent back unchanged. Every class can be compared, copied, pickled and
printed in a form that Python reads. Classes are hashable where they cannot change.

Where JavaScript compares by identity (the keys of a `Map`, the members of a `Set`), these classes do the same: strings, numbers,
booleans, `None`, `undefined` and `BigInt` are compared by value, every other object by identity.
"""

from __future__ import annotations

from collections.abc import MutableMapping, MutableSet, Sequence
from math import isfinite
from reprlib import recursive_repr

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Hashable, Iterable, Iterator, Mapping
    from typing import Any, ClassVar, Self, SupportsIndex

    # `Buffer` of collections.abc came with Python 3.12.
    from typing_extensions import Buffer

MAX_SAFE_INTEGER = 2**53 - 1
MAX_ARRAY_LENGTH = 2**32 - 1


class Undefined:
    """The type of `undefined`, which is its only instance."""

    __slots__ = ()

    def __bool__(self) -> bool:
        return False

    def __repr__(self) -> str:
        return "js.undefined"

    def __reduce__(self) -> str:
        return "undefined"


undefined: Undefined = Undefined()
"""JavaScript's `undefined`: false, equal to itself alone."""


class BigInt(int):
    """A BigInt. Arithmetic gives plain integers; an integer beyond 2**53 - 1 in magnitude is sent as a BigInt anyway."""

    __slots__ = ()

    def __repr__(self) -> str:
        # Python refuses to write very long numbers in decimal.
        return f"js.BigInt({int.__repr__(self) if self.bit_length() < 4096 else hex(self)})"

    def __str__(self) -> str:
        return int.__repr__(self)


class _Value:
    """Base of immutable values: equality, hash and copies from the attributes that `_fields` names."""

    __slots__ = ()
    _fields: tuple[str, ...] = ()

    def _state(self) -> tuple[Any, ...]:
        return tuple(getattr(self, name) for name in self._fields)

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError(f"{type(self).__name__} objects cannot be changed")

    def __eq__(self, other: object) -> bool:
        return self._state() == other._state() if type(other) is type(self) else NotImplemented

    def __hash__(self) -> int:
        return hash((type(self), self._state()))

    def __repr__(self) -> str:
        return f"js.{type(self).__name__}({', '.join(map(repr, self._state()))})"

    def __reduce__(self) -> tuple[type[Self], tuple[Any, ...]]:
        return type(self), self._state()


_DATE_RANGE = 8_640_000_000_000_000


class Date(_Value):
    """A Date that `datetime` cannot hold: an invalid date, or a year outside 1 to 9999.

    Attributes:
        milliseconds: time since 1970-01-01 UTC, a whole number; NaN for an invalid date.
    """

    __slots__ = ("milliseconds",)
    milliseconds: int | float

    def __init__(self, milliseconds: float | str) -> None:
        value = float(milliseconds)
        # False for NaN too.
        within = abs(value) <= _DATE_RANGE
        object.__setattr__(self, "milliseconds", int(value) if within else float("nan"))

    @property
    def valid(self) -> bool:
        """Whether it names a time."""
        return type(self.milliseconds) is int

    def _state(self) -> tuple[int | str]:
        # As text NaN can be typed, and is equal to itself.
        return (int(self.milliseconds) if self.valid else "nan",)


_FLAGS = "dgimsuvy"


class RegExp(_Value):
    """A RegExp. Python does not check that JavaScript can compile `source`; a Node process dies of a source that it cannot compile.

    Attributes:
        source: the pattern.
        flags: letters of ``dgimsuvy`` in this order. Node reads ``d`` from 16 on and ``v`` from 20 on.
    """

    __slots__ = ("flags", "source")
    _fields = ("source", "flags")
    source: str
    flags: str

    def __init__(self, source: str, flags: str = "") -> None:
        wrong = set(flags) - set(_FLAGS)
        if wrong or len(set(flags)) != len(flags) or {"u", "v"} <= set(flags):
            raise ValueError(
                f"{flags!r} are not flags of a RegExp: letters of {_FLAGS}, each once, not u with v"
            )
        object.__setattr__(self, "source", source)
        object.__setattr__(self, "flags", "".join(sorted(flags)))


class Boxed(_Value):
    """A primitive in an object, like `new Number(5)`.

    Attributes:
        value: a bool, an int, a float, a str or a `BigInt`.
    """

    __slots__ = ("value",)
    _fields = ("value",)
    value: bool | float | str

    def __init__(self, value: bool | float | str) -> None:
        if not isinstance(value, bool | int | float | str):
            raise TypeError(f"a bool, int, float, str or BigInt can be boxed, not {type(value).__name__}")
        object.__setattr__(self, "value", value)

    def __eq__(self, other: object) -> bool:
        return same(self.value) == same(other.value) if type(other) is Boxed else NotImplemented

    def __hash__(self) -> int:
        return hash((Boxed, same(self.value)))

    def __repr__(self) -> str:
        value = self.value
        return f"js.Boxed({f'float({str(value)!r})' if isinstance(value, float) and not isfinite(value) else repr(value)})"


def same(value: object) -> Hashable:
    """Return a key that is equal for two values exactly when JavaScript's `Map` takes them for the same key (SameValueZero)."""
    kind = type(value)
    if kind is str or value is None:
        return value
    if kind is bool:
        return kind, value
    if kind is float or (kind is int and abs(value) <= MAX_SAFE_INTEGER):  # type: ignore[arg-type]
        return ("NaN" if value != value else value), float
    if isinstance(value, int):
        # Text, because a sender can choose integers that all have the same hash.
        return f"{int(value):x}", BigInt
    return value if kind is Undefined else (id(value),)


class Map(MutableMapping["Any", "Any"]):
    """A Map: any keys, in the order of insertion.

    Keys that are objects are compared by identity: ``m[b"abc"]`` finds only the very object that was put in. Two maps are equal when
    their primitive keys have equal values and their other entries are equal in their order.
    """

    __slots__ = ("_entries",)

    def __init__(self, entries: Mapping[Any, Any] | Iterable[tuple[Any, Any]] = ()) -> None:
        self._entries: dict[Hashable, tuple[Any, Any]] = {}
        self.update(entries)

    def __getitem__(self, key: object) -> Any:
        try:
            return self._entries[same(key)][1]
        except KeyError:
            raise KeyError(key) from None

    def __setitem__(self, key: Any, value: Any) -> None:
        token = same(key)
        # As in JavaScript, the first spelling of a key stays.
        first = self._entries.get(token)
        self._entries[token] = (key if first is None else first[0], value)

    def __delitem__(self, key: object) -> None:
        try:
            del self._entries[same(key)]
        except KeyError:
            raise KeyError(key) from None

    def __iter__(self) -> Iterator[Any]:
        return (key for key, _ in self._entries.values())

    def __len__(self) -> int:
        return len(self._entries)

    def __contains__(self, key: object) -> bool:
        return same(key) in self._entries

    def pairs(self) -> list[tuple[Any, Any]]:
        """Return the entries as a list."""
        return list(self._entries.values())

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Map):
            return NotImplemented
        mine, others = _split(self._entries), _split(other._entries)
        return mine == others

    __hash__: ClassVar[None]  # type: ignore[assignment]

    @recursive_repr("js.Map(...)")
    def __repr__(self) -> str:
        return f"js.Map({self.pairs()!r})"

    def __reduce__(self) -> tuple[Any, ...]:
        return Map, (), None, None, iter(self.pairs())


class Set(MutableSet["Any"]):
    """A Set with members that a Python set cannot hold side by side, in the order of insertion.

    Members that are objects are compared by identity, as the keys of a `Map` are.
    """

    __slots__ = ("_entries",)

    def __init__(self, members: Iterable[Any] = ()) -> None:
        self._entries: dict[Hashable, Any] = {}
        self.update(members)

    def add(self, value: Any) -> None:
        """Add a member unless it is there."""
        self._entries.setdefault(same(value), value)

    def update(self, members: Iterable[Any]) -> None:
        """Add members."""
        for member in members:
            self.add(member)

    def discard(self, value: object) -> None:
        """Remove a member if it is there."""
        self._entries.pop(same(value), None)

    def __contains__(self, value: object) -> bool:
        return same(value) in self._entries

    def __iter__(self) -> Iterator[Any]:
        return iter(self._entries.values())

    def __len__(self) -> int:
        return len(self._entries)

    def __eq__(self, other: object) -> bool:
        if isinstance(other, set | frozenset):
            other = Set(other)
        if not isinstance(other, Set):
            return NotImplemented
        return _split(self._entries) == _split(other._entries)

    __hash__: ClassVar[None]  # type: ignore[assignment]

    @recursive_repr("js.Set(...)")
    def __repr__(self) -> str:
        return f"js.Set({list(self)!r})"

    def __reduce__(self) -> tuple[Any, ...]:
        return Set, (), (list(self),)

    def __setstate__(self, state: tuple[list[Any]]) -> None:
        self.update(state[0])


def _split(entries: dict[Hashable, Any]) -> tuple[dict[Hashable, Any], list[Any]]:
    """Return the entries with primitive keys, and those of objects in their order."""
    objects = [entry for token, entry in entries.items() if type(token) is tuple and len(token) == 1]
    return {
        token: entry for token, entry in entries.items() if type(token) is not tuple or len(token) != 1
    }, objects


class Array(list["Any"]):
    """An Array that has properties beside its elements, like the result of `String.prototype.match`.

    Attributes:
        properties: the properties by their names.
    """

    __slots__ = ("properties",)

    def __init__(self, elements: Iterable[Any] = (), properties: Mapping[str, Any] | None = None) -> None:
        super().__init__(elements)
        self.properties: dict[str, Any] = dict(properties or {})

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, list):
            return NotImplemented
        others = other.properties if isinstance(other, Array) else {}
        return list.__eq__(self, other) and self.properties == others

    def __ne__(self, other: object) -> bool:
        return not self == other

    __hash__ = None

    @recursive_repr("js.Array(...)")
    def __repr__(self) -> str:
        return f"js.Array({list(self)!r}{f', {self.properties!r}' if self.properties else ''})"


class SparseArray(Sequence["Any"]):
    """An Array with holes. It takes memory for its elements alone, at any length.

    A hole reads as `undefined`. Assigning to an index beyond the end makes the array longer; deleting an index makes a hole.

    Attributes:
        length: the length, holes counted; at most 2**32 - 1.
        elements: the elements by their index.
        properties: the properties by their names.
    """

    __slots__ = ("elements", "length", "properties")

    def __init__(
        self,
        length: int = 0,
        elements: Mapping[int, Any] | None = None,
        properties: Mapping[str, Any] | None = None,
    ) -> None:
        self.length: int = length
        self.elements: dict[int, Any] = dict(elements or {})
        self.properties: dict[str, Any] = dict(properties or {})
        if (
            not max(self.elements, default=-1) < length <= MAX_ARRAY_LENGTH
            or min(self.elements, default=0) < 0
        ):
            raise ValueError(f"an Array of length {length} has no place for these elements")

    @property
    def holes(self) -> Iterator[int]:
        """The indices of holes, in their order."""
        return (index for index in range(self.length) if index not in self.elements)

    def _index(self, index: SupportsIndex) -> int:
        at = index.__index__()
        if at < 0:
            at += self.length
        if not 0 <= at < MAX_ARRAY_LENGTH:
            raise IndexError(f"index {index} is outside of the Array")
        return at

    def __len__(self) -> int:
        return self.length

    def __getitem__(self, index: SupportsIndex | slice) -> Any:
        if isinstance(index, slice):
            return [self[at] for at in range(*index.indices(self.length))]
        at = self._index(index)
        if at >= self.length:
            raise IndexError(f"index {index} is outside of the Array")
        return self.elements.get(at, undefined)

    def __setitem__(self, index: SupportsIndex, value: Any) -> None:
        at = self._index(index)
        self.length = max(self.length, at + 1)
        self.elements[at] = value

    def __delitem__(self, index: SupportsIndex) -> None:
        self.elements.pop(self._index(index), None)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, SparseArray):
            return NotImplemented
        return (self.length, self.elements, self.properties) == (
            other.length,
            other.elements,
            other.properties,
        )

    __hash__: ClassVar[None]  # type: ignore[assignment]

    @recursive_repr("js.SparseArray(...)")
    def __repr__(self) -> str:
        more = f", {self.properties!r}" if self.properties else ""
        return f"js.SparseArray({self.length}, {self.elements!r}{more})"


ERROR_NAMES = ("Error", "EvalError", "RangeError", "ReferenceError", "SyntaxError", "TypeError", "URIError")
"""The names of errors that the format can carry. An error of another name arrives as an `Error`; its stack still shows its name."""


class _Absent:
    """The cause of an error without a cause: `undefined` would be a cause."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "js.NO_CAUSE"

    def __reduce__(self) -> str:
        return "NO_CAUSE"


NO_CAUSE = _Absent()


class Error(Exception):
    """An Error, which can be raised.

    Attributes:
        name: one of `ERROR_NAMES`.
        message: the text, or None when the error has no message of its own.
        stack: the text of the stack, or None.
        cause: the value of `cause`, or `NO_CAUSE`. Node 12 and 14 cannot read an error with a cause.
    """

    def __init__(
        self, name: str = "Error", message: str | None = None, stack: str | None = None, cause: Any = NO_CAUSE
    ) -> None:
        super().__init__(name, message, stack)
        self.name = name
        self.message = message
        self.stack = stack
        self.cause = cause

    def __str__(self) -> str:
        return f"{self.name}: {self.message}" if self.message else self.name

    def _state(self) -> tuple[Any, ...]:
        return self.name, self.message, self.stack, self.cause

    def __eq__(self, other: object) -> bool:
        return self._state() == other._state() if isinstance(other, Error) else NotImplemented

    def __hash__(self) -> int:
        return hash((Error, self.name, self.message))

    @recursive_repr("js.Error(...)")
    def __repr__(self) -> str:
        shown = [repr(value) for value in self._state()]
        return f"js.Error({', '.join(shown[:3] if self.cause is NO_CAUSE else shown)})"

    def __reduce__(self) -> tuple[Any, ...]:
        return Error, (), self.__dict__

    @classmethod
    def from_exception(cls, error: BaseException) -> Error:
        """Return the Error for an exception of Python, as it is sent.

        The name is that of its type where JavaScript has the same. The stack begins with the type's own name, shows the traceback, and
        the exceptions that caused this one. `cause` stays empty, because Node 12 and 14 cannot read it ([ADV-049]).
        """
        name = type(error).__name__
        return cls(name if name in ERROR_NAMES else "Error", str(error), _stack(error))


def _stack(error: BaseException) -> str:
    """Return the traceback as V8 writes a stack: the innermost call first, causes behind it."""
    from traceback import extract_tb, format_exception_only

    lines: list[str] = []
    shown: set[int] = set()
    current: BaseException | None = error
    while current is not None and id(current) not in shown:
        lines.append(("[cause]: " if shown else "") + "".join(format_exception_only(current)).strip())
        lines += [
            f"    at {frame.name} ({frame.filename}:{frame.lineno})"
            for frame in reversed(extract_tb(current.__traceback__))
        ]
        shown.add(id(current))
        current = current.__cause__ or (None if current.__suppress_context__ else current.__context__)
    return "\n".join(lines)


class ArrayBuffer(bytearray):
    """An ArrayBuffer.

    Attributes:
        max_byte_length: the limit of a resizable buffer, None for a buffer of a fixed length. Node 12 to 18 cannot read a resizable buffer.
    """

    __slots__ = ("max_byte_length",)

    max_byte_length: int | None

    def __init__(self, data: Buffer | int = b"", max_byte_length: int | None = None) -> None:
        super().__init__(data)
        if max_byte_length is not None and max_byte_length < len(self):
            raise ValueError(f"{len(self)} bytes are more than max_byte_length ({max_byte_length})")
        self.max_byte_length = max_byte_length

    def __eq__(self, other: object) -> bool:
        if isinstance(other, ArrayBuffer) and other.max_byte_length != self.max_byte_length:
            return False
        return bytearray.__eq__(self, other)

    def __ne__(self, other: object) -> bool:
        return not self == other

    __hash__ = None

    def __repr__(self) -> str:
        more = "" if self.max_byte_length is None else f", {self.max_byte_length}"
        return f"js.ArrayBuffer({bytes(self)!r}{more})"

    def __reduce_ex__(self, protocol: SupportsIndex) -> tuple[Any, ...]:
        return ArrayBuffer, (bytes(self), self.max_byte_length)


KINDS = {
    "Int8Array": "b",
    "Uint8Array": "B",
    "Uint8ClampedArray": "B",
    "Int16Array": "h",
    "Uint16Array": "H",
    "Int32Array": "i",
    "Uint32Array": "I",
    "Float32Array": "f",
    "Float64Array": "d",
    "DataView": "B",
    "BigInt64Array": "q",
    "BigUint64Array": "Q",
    "Float16Array": "e",
}
"""The kinds of a `TypedArray` and the format of their elements, in the words of `struct`. Node reads the BigInt kinds from 16 on,
`Float16Array` from 24 on."""

ITEM_SIZES = {"b": 1, "B": 1, "h": 2, "H": 2, "e": 2, "i": 4, "I": 4, "f": 4, "d": 8, "q": 8, "Q": 8}


class TypedArray(Sequence["Any"]):
    """A typed array or a DataView over bytes that it does not copy.

    `numpy.asarray` takes it without a copy. `view` is a memoryview of its elements; from Python 3.12 on so is ``memoryview(array)``.

    Attributes:
        kind: a key of `KINDS`.
        data: its bytes, a memoryview of format ``B``.
    """

    __slots__ = ("data", "kind")

    def __init__(self, kind: str, data: Buffer) -> None:
        if kind not in KINDS:
            raise ValueError(f"{kind!r} is no kind of a typed array: {', '.join(KINDS)}")
        self.kind: str = kind
        self.data: memoryview[int] = memoryview(data).cast("B")
        if len(self.data) % self.itemsize:
            raise ValueError(f"{len(self.data)} bytes are no whole number of elements of {kind}")

    @property
    def itemsize(self) -> int:
        """Bytes of an element."""
        return ITEM_SIZES[KINDS[self.kind]]

    @property
    def view(self) -> memoryview:
        """The elements, without a copy; the bytes of a `Float16Array`, whose format `memoryview` lacks in most versions."""
        format_ = KINDS[self.kind]
        return self.data if format_ in "Be" else self.data.cast(format_)  # type: ignore[call-overload]

    def tolist(self) -> list[Any]:
        """Return the elements."""
        if KINDS[self.kind] != "e":
            return self.view.tolist()
        from struct import iter_unpack

        return [value for (value,) in iter_unpack("=e", self.data)]

    def __len__(self) -> int:
        return len(self.data) // self.itemsize

    def __getitem__(self, index: SupportsIndex | slice) -> Any:
        if isinstance(index, slice) or KINDS[self.kind] == "e":
            return self.tolist()[index]
        return self.view[index]

    def __bytes__(self) -> bytes:
        return bytes(self.data)

    def __buffer__(self, flags: int) -> memoryview:
        return self.view

    @property
    def __array_interface__(self) -> dict[str, Any]:
        format_ = KINDS[self.kind]
        letter = {"e": "f", "f": "f", "d": "f"}.get(format_, "u" if format_.isupper() else "i")
        return {
            "version": 3,
            "shape": (len(self),),
            "typestr": f"{'|' if self.itemsize == 1 else '<'}{letter}{self.itemsize}",
            "data": self.data,
        }

    def __eq__(self, other: object) -> bool:
        return (
            (self.kind, self.data) == (other.kind, other.data)
            if isinstance(other, TypedArray)
            else NotImplemented
        )

    __hash__: ClassVar[None]  # type: ignore[assignment]

    def __repr__(self) -> str:
        return f"js.TypedArray({self.kind!r}, {bytes(self.data)!r})"

    def __reduce__(self) -> tuple[Any, ...]:
        return TypedArray, (self.kind, bytes(self.data))
