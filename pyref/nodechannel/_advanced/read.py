"""The definition of the values that this package reads in advanced mode.

A container is read by a generator: each bare `yield` asks for the next value of the stream. The generators that wait stand on a list,
so that Python's stack is no limit ([ADV-062]).

An object that is read can already be referred to. Whether an array has holes, or a set fits into Python's own, shows at its end. Until then
it is read as the common type. If that was wrong and a reference has used it, the frame is read a second time with the types known by then.
"""

from __future__ import annotations

import struct
from functools import partial

from nodechannel import js
from nodechannel._advanced import tags
from nodechannel._advanced.malformed import Malformed, Truncated
from nodechannel._advanced.names import index_of, name_of
from nodechannel._advanced.readleaves import LEAVES, skip_padding, string, typed_array, varint

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Generator
    from typing import Any, TypeAlias

    from nodechannel._advanced.readleaves import Frame

    # Asks for values, returns the container.
    Container: TypeAlias = Generator[None, Any, Any]

# A level that waits takes half a kilobyte, for two bytes of the frame. No Node writes 3,000 levels ([ADV-028]).
DEEPEST = 100_000

# In the place of an object whose generator has not made it yet.
_UNFINISHED = object()


def read(frame: Frame) -> Any:
    """Return the value of a frame whose header is good; raises `Malformed`."""
    # The types of objects whose common type was wrong, by their number.
    types: dict[int, type] = {}
    reader = Reader(frame, types)
    value = reader.value()
    # [ADV-063] Twice at most: the first reading finds all of them.
    return Reader(frame, types).value() if reader.misled else value


class Reader:
    """A pass over a frame.

    Attributes:
        misled: a reference has used an object of the wrong type.
    """

    __slots__ = ("_at", "_frame", "_objects", "_types", "_used", "misled")

    def __init__(self, frame: Frame, types: dict[int, type]) -> None:
        self._frame = frame
        self._at = 2
        self._objects: list[Any] = []
        self._types = types
        self._used: set[int] = set()
        self.misled = False

    def value(self) -> Any:
        """Return the value; bytes after it are ignored, as Node does ([ADV-023])."""
        waiting: list[Container] = []
        try:
            value = self._start(waiting)
            while waiting:
                try:
                    waiting[-1].send(value)
                except StopIteration as done:
                    waiting.pop()
                    value = done.value
                else:
                    value = self._start(waiting)
        except (IndexError, struct.error):
            raise Truncated from None
        return value

    def _start(self, waiting: list[Container]) -> Any:
        """Read a value that holds no other, or begin a container; a generator is started by sending it None."""
        tag = self._tag()
        if tag in _CONTAINERS:
            if len(waiting) >= DEEPEST:
                raise Malformed(f"more than {DEEPEST} levels of nesting", self._at - 1)
            waiting.append(_CONTAINERS[tag](self))
            return None
        if tag in _OBJECTS:
            return _OBJECTS[tag](self)
        if tag not in LEAVES:
            raise Malformed(f"{tag:#04x} begins no value", self._at - 1)
        value, self._at = LEAVES[tag](self._frame, self._at, self._objects)
        return value

    # ---- parts ------------------------------------------------------------------------------------------------

    def _peek(self) -> int:
        """Return the next tag without taking it."""
        self._at = skip_padding(self._frame, self._at)
        return self._frame[self._at]

    def _tag(self) -> int:
        tag = self._peek()
        self._at += 1
        return tag

    def _varint(self) -> int:
        value, self._at = varint(self._frame, self._at)
        return value

    def _string(self) -> str:
        value, self._at = string(self._frame, self._at)
        return value

    def _count(self, found: int) -> None:
        """Compare a count at the end of a container with the entries that were there ([ADV-033])."""
        at = self._at
        if self._varint() != found:
            raise Malformed(f"a container of {found} has another count", at)

    def _open(self, common: type) -> int:
        """Take a number for an object that is of the common type until more is known; return the number."""
        self._objects.append(self._types.get(len(self._objects), common)())
        return len(self._objects) - 1

    def _close(self, number: int, kind: type) -> Any:
        """Return the object of that number, which is to be of a type."""
        found = self._objects[number]
        if type(found) is not kind:
            self._types[number] = kind
            self.misled |= number in self._used
            found = self._objects[number] = kind()
        return found

    def _key(self) -> str:
        tag = self._peek()
        # [ADV-032]
        if tag in (tags.INT32, tags.UINT32, tags.DOUBLE):
            value, self._at = LEAVES[tag](self._frame, self._at + 1, self._objects)
            return name_of(value)
        return self._string()

    def _members(self, end: int) -> Generator[None, Any, dict[str, Any]]:
        """Read names and values up to a tag, and their count."""
        members: dict[str, Any] = {}
        while self._peek() != end:
            at = self._at
            name = self._key()
            if name in members:
                raise Malformed(f"the name {name!r:.40} comes twice", at)
            members[name] = yield
        self._at += 1
        self._count(len(members))
        return members

    # ---- containers -------------------------------------------------------------------------------------------

    def _object(self) -> Container:
        # Filled at the end: until then only references know it.
        found: dict[str, Any] = {}
        self._objects.append(found)
        members = yield from self._members(tags.OBJECT_END)
        found.update(members)
        return found

    def _dense(self) -> Container:
        at, length = self._at, self._varint()
        if length > len(self._frame) - self._at:  # [ADV-061] each element takes a byte
            raise Malformed(f"an array of {length} elements is longer than the frame", at)
        place = self._open(list)
        elements = {}
        for index in range(length):
            if self._peek() == tags.HOLE:
                self._at += 1
            else:
                elements[index] = yield
        properties = yield from self._members(tags.DENSE_END)
        self._count(length)
        return self._array(place, length, elements, properties)

    def _sparse(self) -> Container:
        length = self._varint()
        place = self._open(list)
        properties = yield from self._members(tags.SPARSE_END)
        self._count(length)
        return self._array(place, length, {}, properties)

    def _array(self, place: int, length: int, elements: dict[int, Any], properties: dict[str, Any]) -> Any:
        """Return an array of elements and properties, some of which may be elements."""
        names = {}
        for name, value in properties.items():
            index = index_of(name)
            if index is None:
                names[name] = value
            elif index in elements:
                raise Malformed(f"the element {index} comes twice", self._at)
            else:
                elements[index] = value
        if "length" in names:
            raise Malformed("an array has a second length", self._at)
        length = max(length, max(elements, default=-1) + 1)
        if len(elements) < length:
            sparse: js.SparseArray = self._close(place, js.SparseArray)
            sparse.length, sparse.elements, sparse.properties = length, elements, names
            return sparse
        # [ADV-035]
        found = self._close(place, js.Array if names else list)
        found += map(elements.__getitem__, range(length))
        if names:
            found.properties = names
        return found

    def _map(self) -> Container:
        found = js.Map()
        self._objects.append(found)
        count = 0
        while self._peek() != tags.MAP_END:
            key = yield
            found[key] = yield
            count += 2
        self._at += 1
        self._count(count)
        return found

    def _set(self) -> Container:
        place = self._open(set)
        members = []
        while self._peek() != tags.SET_END:
            members.append((yield))
        self._at += 1
        self._count(len(members))
        distinct = js.Set(members)
        if _fits_python(distinct):
            plain: set[Any] = self._close(place, set)
            plain |= set(distinct)
            return plain
        found: js.Set = self._close(place, js.Set)
        found.update(distinct)
        return found

    def _error(self) -> Container:
        found = js.Error()
        self._objects.append(found)
        # [ADV-046] The parts come in any order: old versions of Node write the cause before the stack.
        while (part := self._varint() & 0xFF) != tags.ERROR_END:  # a varint that V8 cuts to a byte
            if part in tags.ERROR_LETTERS:
                found.name = tags.ERROR_LETTERS[part]
            elif part == tags.ERROR_MESSAGE:
                found.message = self._string()
            elif part == tags.ERROR_STACK:
                found.stack = self._string()
            elif part == tags.ERROR_CAUSE:
                found.cause = yield
            else:
                raise Malformed(f"{part:#04x} is no part of an Error", self._at - 1)
        return found

    def _reference(self) -> Any:
        at, number = self._at, self._varint()
        if number >= len(self._objects) or self._objects[number] is _UNFINISHED:
            raise Malformed(f"a reference to the object {number}, which has not begun", at)
        self._used.add(number)
        return self._perhaps_view(self._objects[number])

    def _buffer(self, *, resizable: bool = False) -> Any:
        at, length = self._at, self._varint()
        limit = self._varint() if resizable else None
        if limit is not None and limit < length:
            raise Malformed(f"a resizable buffer of {length} bytes has the limit {limit}", at)
        end = self._at + length
        if end > len(self._frame):  # [ADV-061]
            raise Truncated
        found = js.ArrayBuffer(memoryview(self._frame)[self._at : end], limit)
        self._objects.append(found)
        self._at = end
        return self._perhaps_view(found)

    def _perhaps_view(self, found: Any) -> Any:
        """Return the view of an ArrayBuffer if one follows, as V8 itself writes it; else the value."""
        if type(found) is js.ArrayBuffer and self._next_is(tags.NATIVE_VIEW):
            self._at += 1
            return self._native_view(found)
        return found

    def _next_is(self, tag: int) -> bool:
        """Whether a tag comes next; here a frame may end as well."""
        at = self._at
        while at < len(self._frame) and self._frame[at] == tags.PADDING:
            at += 1
        if self._frame[at : at + 1] != bytes([tag]):
            return False
        self._at = at
        return True

    def _native_view(self, buffer: js.ArrayBuffer) -> js.TypedArray:
        at = self._at
        letter, offset, length = self._varint(), self._varint(), self._varint()
        flags = self._varint() if self._frame[1] >= tags.VIEW_FLAGS_VERSION else 0
        kind = tags.NATIVE_KINDS.get(letter)
        if kind is None:
            raise Malformed(f"{letter:#04x} is no kind of a view", at)
        if flags & 1 and offset <= len(buffer):  # its length follows that of the buffer
            length = len(buffer) - offset
        item = js.ITEM_SIZES[js.KINDS[kind]]
        if offset + length > len(buffer) or offset % item or (length % item and not flags & 1):
            raise Malformed(f"a view of {length} bytes at {offset} does not fit its buffer", at)
        found = typed_array(kind, memoryview(buffer)[offset : offset + length])
        self._objects.append(found)
        return found

    def _host_object(self) -> Container:
        """Read a view or another object of the host, which arrives as a plain object with its number twice ([ADV-043])."""
        if self._frame[self._at] != tags.HOST_OTHER:
            value, self._at = LEAVES[tags.HOST_OBJECT](self._frame, self._at, self._objects)
            return value
        self._at += 1
        place = len(self._objects)
        self._objects.append(_UNFINISHED)
        at = self._at
        value = yield
        if isinstance(value, str | int | float | None | js.Undefined):
            raise Malformed("an object of the host is no object", at)
        self._objects[place] = value
        return value

    def _counted(self) -> Container:
        """Skip a count of objects, which old versions of V8 wrote before a value."""
        self._varint()
        return (yield)


_CONTAINERS: dict[int, Callable[[Reader], Container]] = {
    tags.OBJECT: Reader._object,
    tags.DENSE: Reader._dense,
    tags.SPARSE: Reader._sparse,
    tags.MAP: Reader._map,
    tags.SET: Reader._set,
    tags.ERROR: Reader._error,
    tags.HOST_OBJECT: Reader._host_object,
    tags.OBJECT_COUNT: Reader._counted,
}
_OBJECTS: dict[int, Callable[[Reader], Any]] = {
    tags.REFERENCE: Reader._reference,
    tags.ARRAY_BUFFER: Reader._buffer,
    tags.RESIZABLE_BUFFER: partial(Reader._buffer, resizable=True),
}


def _fits_python(members: js.Set) -> bool:
    """Whether a Python set keeps these apart, in time that a sender cannot blow up: BigInts can all have one hash."""
    plain = all(type(value) in _PLAIN for value in members)
    return plain and len(set(members)) == len(members)


_PLAIN = frozenset({str, int, float, bool, type(None), js.Undefined})
