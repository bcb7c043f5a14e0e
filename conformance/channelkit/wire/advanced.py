"""The serialization ``advanced``: a length of four bytes and a value in V8's format for each message.

Values beyond JSON are tagged as the contract tags them. An object that comes again is a reference: the tag ``ref`` with the number of
the object, in the order in which objects begin.
"""

import math
import re
import struct
from collections.abc import Generator
from dataclasses import dataclass, field
from typing import Any

from channelkit.wire.serialization import Frame
from channelkit.wire.transcript import KEPT
from channelkit.wire.v8write import written
from channelkit.wire.values import UNDEFINED, tagged, untag

LENGTH = 4
"""Bytes of the length in front of a frame."""
LARGEST = 1 << 31
"""A length from here on has the wrong sign for some readers."""
DEEP = 1000
_LONGEST_TEXT = 536_870_888
_MOST_BITS = 1 << 30
_ERROR_TYPES = {
    "E": "EvalError",
    "R": "RangeError",
    "F": "ReferenceError",
    "S": "SyntaxError",
    "T": "TypeError",
    "U": "URIError",
}
_VIEWS = (
    *(
        "Int8Array",
        "Uint8Array",
        "Uint8ClampedArray",
        "Int16Array",
        "Uint16Array",
        "Int32Array",
        "Uint32Array",
    ),
    *("Float32Array", "Float64Array", "DataView", "Buffer", "BigInt64Array", "BigUint64Array"),
    "Float16Array",
)
_PARTS = "msc"
"""The parts of an Error in the order of ADV-047, behind its type."""
_FLAGS = "gimyusldv"
"""Flags of a RegExp by their bits; ``l`` belongs to V8's own tests."""
_VERSIONS = range(13, 17)
_LONGEST_AGO = 8.64e15
"""The most milliseconds that a Date has on either side of 1970."""
_LAST_INDEX = (1 << 32) - 2
_ZEROS = re.compile(r"e([+-])0+(?=\d)")

Step = Generator[Any, Any, Any]


class Malformed(Exception):
    """Bytes that are no value; ``at`` is their place."""

    def __init__(self, at: int, text: str) -> None:
        super().__init__(text)
        self.at = at


@dataclass(slots=True)
class Remark:
    """A property of a frame that a rule of chapter 35 is about."""

    rule: str
    at: int
    text: str


@dataclass(slots=True)
class Reading:
    """The result of reading a frame."""

    value: Any = UNDEFINED
    remarks: list[Remark] = field(default_factory=list)
    texts: list[tuple[int, int, int]] = field(default_factory=list)
    """Places of texts that are no names: begin, end, and bytes of a character."""
    numbers: list[tuple[int, int]] = field(default_factory=list)
    """Places of numbers: begin and end."""
    version: int = 0


class Reader:
    """Reads a frame. A list of unfinished containers replaces the call stack, so depth is no obstacle."""

    def __init__(self, frame: bytes) -> None:
        self._data = frame
        self._at = LENGTH
        self._objects: list[Any] = []
        self._errors = 0
        self.reading = Reading()

    def read(self) -> Reading:
        """Reads the value. Raises :class:`Malformed`."""
        if len(self._data) <= LENGTH:
            raise Malformed(0, "a frame of no bytes")
        if self._byte() != 0xFF:
            raise Malformed(LENGTH, f"a frame that begins with {self._data[LENGTH]:#04x} and not with 0xff")
        self.reading.version = self._byte()
        self.reading.value = self._run()
        return self.reading

    def _run(self) -> Any:
        stack: list[Step] = [self._value()]
        result: Any = None
        while stack:
            if len(stack) == 2 * DEEP + 2:
                self._remark("ADV-028", f"values in each other to more than {DEEP} levels")
            try:
                stack.append(stack[-1].send(result))
                result = None
            except StopIteration as end:
                stack.pop()
                result = end.value
        return result

    # ---- bytes

    def _byte(self) -> int:
        self._at += 1
        if self._at > len(self._data):
            raise Malformed(self._at - 1, "the frame ends within a value")
        return self._data[self._at - 1]

    def _take(self, size: int) -> bytes:
        if self._at + size > len(self._data):
            raise Malformed(self._at, "a length beyond the end of the frame")
        self._at += size
        return self._data[self._at - size : self._at]

    def _varint(self) -> int:
        value = shift = 0
        while True:
            byte = self._byte()
            value |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                return value & 0xFFFFFFFF

    def _double(self) -> float:
        begin = self._at
        number = float(struct.unpack("<d", self._take(8))[0])
        self.reading.numbers.append((begin, self._at))
        return number

    def _remark(self, rule: str, text: str, at: int | None = None) -> None:
        self.reading.remarks.append(Remark(rule, self._at if at is None else at, text))

    # ---- values

    def _tag(self) -> str:
        while (byte := self._byte()) == 0:
            pass
        return chr(byte)

    def _peek(self) -> str:
        place = self._at
        tag = self._tag()
        self._at = place
        return tag

    def _value(self) -> Step:
        place = self._at
        tag = self._tag()
        while tag == "?":
            self._varint()
            tag = self._tag()
        leaf = _LEAVES.get(tag)
        if leaf is not None:
            return leaf(self)
        container = _CONTAINERS.get(tag)
        if container is None:
            raise Malformed(place, f"{tag!r} is the tag of no value of chapter 35")
        return (yield container(self))

    def _number(self, begin: int, value: float) -> float:
        self.reading.numbers.append((begin, self._at))
        return value

    def _integer(self) -> float:
        begin = self._at
        coded = self._varint()
        return self._number(begin, float((coded >> 1) ^ -(coded & 1)))

    def _unsigned(self) -> float:
        begin = self._at
        return self._number(begin, float(self._varint()))

    def _bigint(self) -> Any:
        coded = self._varint()
        size = coded >> 1
        if size * 8 > _MOST_BITS:
            self._remark("ADV-027", "a BigInt of more than 2^30 bits")
        begin = self._at
        magnitude = int.from_bytes(self._take(size), "little")
        self.reading.numbers.append((begin, self._at))
        # Python refuses to write more than 4300 digits.
        return tagged(
            "bigint", str(-magnitude if coded & 1 else magnitude) if size < 1000 else f"{size} bytes"
        )

    def _text(self, tag: str, *, name: bool = False) -> str:
        size = self._varint()
        width = 2 if tag == "c" else 1
        if tag == "c":
            if size % 2:
                raise Malformed(self._at, "two-byte characters of an odd number of bytes")
            if self._at % 2:
                self._remark("ADV-022", "two-byte characters at an odd position of the frame")
        if size // width > _LONGEST_TEXT:
            self._remark("ADV-026", f"a string of {size // width} characters")
        begin = self._at
        data = self._take(size)
        if not name:
            self.reading.texts.append((begin, self._at, width))
        encoding = {'"': "latin-1", "c": "utf-16-le", "S": "utf-8"}[tag]
        return data.decode(encoding, "replace" if tag == "S" else "surrogatepass")

    def _string(self, tag: str) -> str:
        return self._text(tag)

    def _begin(self, value: Any) -> Any:
        self._objects.append(value)
        return value

    def _reference(self) -> Any:
        number = self._varint()
        if number >= len(self._objects):
            raise Malformed(self._at, f"a reference to object {number}, which has not begun")
        if self._errors:
            self._remark("ADV-048", "a reference behind an Error")
        return tagged("ref", float(number))

    def _name(self) -> Any:
        tag = self._tag()
        if tag in '"cS':
            return self._text(tag, name=True)
        if tag in "IUN":
            value = self._integer() if tag == "I" else self._unsigned() if tag == "U" else self._double()
            self.reading.numbers.pop()
            return _number_as_name(value)
        raise Malformed(self._at - 1, f"{tag!r} is the tag of no name")

    def _members(self, into: dict[str, Any], end: str) -> Step:
        count = 0
        while self._peek() != end:
            place = self._at
            name = self._name()
            if name in into:
                self._remark("ADV-034", f"the name {name!r} twice in an object", place)
            into[name] = None
            into[name] = yield self._value()
            count += 1
        self._tag()
        if self._varint() != count:
            raise Malformed(self._at, "a wrong number of names")

    def _object(self) -> Step:
        value: dict[str, Any] = self._begin({})
        yield self._members(value, "{")
        return value

    def _dense(self) -> Step:
        length = self._varint()
        if length > len(self._data):
            raise Malformed(self._at, "a length beyond the end of the frame")
        self._begin(None)
        members: dict[str, Any] = {}
        for index in range(length):
            if self._peek() == "-":
                self._tag()
            else:
                members[str(index)] = yield self._value()
        yield self._members(members, "$")
        return self._array(length, members)

    def _sparse(self) -> Step:
        length = self._varint()
        self._begin(None)
        members: dict[str, Any] = {}
        yield self._members(members, "@")
        return self._array(length, members)

    def _array(self, length: int, members: dict[str, Any]) -> Any:
        """A list, if there are no holes and no members beside the elements; else a tag with all members."""
        if self._varint() != length:
            raise Malformed(self._at, "two lengths of one array")
        if len(members) == length and all(str(index) in members for index in range(length)):
            return [members[str(index)] for index in range(length)]
        indices = [int(name) for name in members if name.isdecimal() and int(name) <= _LAST_INDEX]
        longest = max((length, *(index + 1 for index in indices)))
        return tagged("array", [float(longest), sorted([name, value] for name, value in members.items())])

    def _own(self, name: str, content: Any) -> Any:
        """A value that is an object of its own."""
        return self._begin(tagged(name, content))

    def _date(self) -> Any:
        milliseconds = self._double()
        whole = abs(milliseconds) <= _LONGEST_AGO
        return self._own("date", float(int(milliseconds)) if whole else math.nan)

    def _pattern(self) -> Any:
        text = self._text(self._tag())
        bits = self._varint()
        if bits >= 0x200 or bits & 0x40:
            raise Malformed(self._at, f"flags of a RegExp that do not exist: {bits:#x}")
        flags = sorted(flag for place, flag in enumerate(_FLAGS) if bits >> place & 1)
        return self._own("regexp", [text, "".join(flags)])

    def _map(self) -> Step:
        pairs: list[Any] = []
        self._begin(pairs)
        while self._peek() != ":":
            pairs.append((yield self._value()))
        self._tag()
        if self._varint() != len(pairs) or len(pairs) % 2:
            raise Malformed(self._at, "a wrong count of a Map")
        return tagged("map", [list(pair) for pair in zip(pairs[::2], pairs[1::2], strict=True)])

    def _set(self) -> Step:
        members: list[Any] = []
        self._begin(members)
        while self._peek() != ",":
            members.append((yield self._value()))
        self._tag()
        if self._varint() != len(members):
            raise Malformed(self._at, "a wrong count of a Set")
        return tagged("set", members)

    def _blob(self, size: int) -> bytes:
        begin = self._at
        data = self._take(size)
        self.reading.texts.append((begin, self._at, 1))
        return data

    def _buffer(self) -> Any:
        return self._of_buffer(self._blob(self._varint()))

    def _resizable(self) -> Any:
        size, most = self._varint(), self._varint()
        if size > most:
            raise Malformed(self._at, "an ArrayBuffer of more bytes than its limit")
        return self._of_buffer(self._blob(size))

    def _of_buffer(self, data: bytes) -> Any:
        """An ``ArrayBuffer``, or the view in V8's own form that follows it."""
        buffer = self._own("arraybuffer", data.hex())
        if self._data[self._at : self._at + 1] != b"V":
            return buffer
        self._remark("ADV-042", "a view in V8's own form and not as an object of the host")
        self._tag()
        kind, offset, size = self._tag(), self._varint(), self._varint()
        if self.reading.version > 13:
            self._varint()
        if kind not in _OWN_VIEWS:
            raise Malformed(self._at, f"a view of the unknown kind {kind!r}")
        if offset + size > len(data):
            raise Malformed(self._at, "a view beyond its buffer")
        return self._own("view", [_OWN_VIEWS[kind], data[offset : offset + size].hex()])

    def _host(self) -> Step:
        place = len(self._objects)
        self._begin(None)
        kind = self._varint()
        if kind == 0:
            number = self._varint()
            if number >= len(_VIEWS):
                raise Malformed(self._at, f"a view of the unknown kind {number}")
            value = tagged("view", [_VIEWS[number], self._blob(self._varint()).hex()])
            self._objects[place] = value
            return value
        if kind != 1 or self._peek() != "o":
            raise Malformed(self._at, "an object of the host that is neither a view nor an object")
        return (yield self._value())

    def _error(self) -> Step:
        self._errors += 1
        name = "Error"
        parts: dict[str, Any] = {}
        self._begin(None)
        last = -1
        while (tag := self._tag()) != ".":
            place = self._at - 1
            if tag in _ERROR_TYPES:
                name = _ERROR_TYPES[tag]
            elif tag in _PARTS:
                if tag != "c" and self._peek() not in '"cS':
                    raise Malformed(place, "a message or stack that is no string")
                parts[tag] = yield self._value()
            else:
                raise Malformed(place, f"{tag!r} is no part of an Error")
            rank = _PARTS.find(tag)
            if rank < last or (rank < 0 and parts):
                self._remark("ADV-047", "the parts of an Error out of order", place)
            last = max(last, rank)
        cause = [parts["c"]] if "c" in parts else []
        return tagged("error", [name, parts.get("m", UNDEFINED), parts.get("s", UNDEFINED), *cause])


def _number_as_name(value: float) -> str:
    """The text of a number that is a name, as JavaScript writes it."""
    if value == value and abs(value) < 1e21 and value == int(value):
        return str(int(value))
    return _ZEROS.sub(r"e\1", repr(value)).replace("nan", "NaN").replace("inf", "Infinity")


_OWN_VIEWS = dict(zip("bBCwWdDfF?qQh", (name for name in _VIEWS if name != "Buffer"), strict=True))
_LEAVES: dict[str, Any] = {
    "_": lambda _reader: UNDEFINED,
    "0": lambda _reader: None,
    "T": lambda _reader: True,
    "F": lambda _reader: False,
    "I": Reader._integer,
    "U": Reader._unsigned,
    "N": Reader._double,
    "Z": Reader._bigint,
    '"': lambda reader: reader._string('"'),
    "c": lambda reader: reader._string("c"),
    "S": lambda reader: reader._string("S"),
    "^": Reader._reference,
    "D": Reader._date,
    "R": Reader._pattern,
    "n": lambda reader: reader._own("boxed", reader._double()),
    "y": lambda reader: reader._own("boxed", True),
    "x": lambda reader: reader._own("boxed", False),
    "s": lambda reader: reader._own("boxed", reader._text(reader._tag())),
    "z": lambda reader: reader._own("boxed", reader._bigint()),
    "B": Reader._buffer,
    "~": Reader._resizable,
}
_CONTAINERS: dict[str, Any] = {
    "o": Reader._object,
    "A": Reader._dense,
    "a": Reader._sparse,
    ";": Reader._map,
    "'": Reader._set,
    "\\": Reader._host,
    "r": Reader._error,
}


class AdvancedFrames:
    """The serialization of Node's mode ``advanced``."""

    mode = "advanced"

    def frame(self, value: Any) -> bytes:
        """The frame of a value in version 13. Raises :class:`ValueError` for a value that only bytes in hex can say."""
        body = written(untag(value))
        return struct.pack(">I", len(body)) + body

    def echo(self, value: Any) -> Any:
        """The message itself: an echo child of this mode needs no codec."""
        return value

    def read(self, frame: bytes) -> Frame:
        """Reads a frame as a message."""
        raw = frame[LENGTH:]
        reader = Reader(frame)
        try:
            reading = reader.read()
        except Malformed as error:
            return Frame(raw[:KEPT], problem=f"{error} (byte {error.at})")
        if reading.version not in _VERSIONS:
            return Frame(raw[:KEPT], problem=f"version {reading.version}")
        twice = next((remark.text for remark in reading.remarks if remark.rule == "ADV-034"), "")
        return Frame(raw, reading.value, problem=twice)

    def end(self, data: bytes | bytearray, begin: int, _seen: int) -> int:
        """Where the frame ends by its length."""
        if len(data) < begin + LENGTH:
            return -1
        end = begin + LENGTH + int.from_bytes(data[begin : begin + LENGTH], "big")
        return end if end <= len(data) else -1

    def cuts(self, data: bytes) -> dict[str, list[int]]:
        """``frames``: between frames. ``header``: behind a length. ``length``: inside of a length."""
        starts = [0]
        while (end := self.end(data, starts[-1], 0)) >= 0:
            starts.append(end)
        inside = [start for start in starts if start + LENGTH < len(data)]
        return {
            "frames": [start for start in starts[1:] if start < len(data)],
            "header": [start + LENGTH for start in inside],
            "length": [start + 2 for start in inside],
        }
