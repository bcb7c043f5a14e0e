"""A driven child of the mode ``advanced`` that passes every case of chapter 35, in the simplest possible way; copies of it are broken.

Messages stay as the contract tags them: bytes become tagged JSON, and tagged JSON becomes bytes. The program shares nothing with the
reference or the kit. Run as ``advanced_peer.py echo`` it sends each frame back and reads none.
"""

import json
import os
import select
import socket
import struct
import sys

MOST = 1 << 26
DEEP = 200
LAST_INDEX = 2**32 - 2
VIEWS = "Int8Array Uint8Array Uint8ClampedArray Int16Array Uint16Array Int32Array Uint32Array Float32Array Float64Array DataView Buffer"
KINDS = [*VIEWS.split(), "BigInt64Array", "BigUint64Array", "Float16Array"]
OWN_VIEWS = dict(zip("bBCwWdDfF?", KINDS, strict=False))
SIZES = {"w": 2, "W": 2, "d": 4, "D": 4, "f": 4, "F": 8}
ERRORS = {
    "E": "EvalError",
    "R": "RangeError",
    "F": "ReferenceError",
    "S": "SyntaxError",
    "T": "TypeError",
    "U": "URIError",
}
FLAGS = "gimyus?dv"
UNDEFINED = {"$": "undefined"}


class Bad(Exception):
    """A frame that is no message."""


class Refused(Exception):
    """A message that cannot be sent."""


def number(value):
    """A double as the contract has it."""
    if value != value:
        return {"$": "number", "v": "NaN"}
    if value in (float("inf"), float("-inf")):
        return {"$": "number", "v": "Infinity" if value > 0 else "-Infinity"}
    if str(value) == "-0.0":
        return {"$": "number", "v": "-0"}
    return value


def name_of(value):
    """A number as the name of a member."""
    if value is None or isinstance(value, bool | list | dict):
        raise Bad("a name that is no number")
    return str(int(value)) if abs(value) < 1e21 and value == int(value) else repr(float(value))


# ---- reading -------------------------------------------------------------------------------------------------


class Reader:
    """Reads a frame."""

    def __init__(self, body):
        self.body = body
        self.at = 2
        self.begun = 0
        self.depth = 0

    def read(self):
        """The message of the frame."""
        if self.body[:1] != b"\xff" or self.body[1] not in (13, 14, 15, 16):
            raise Bad("no header")
        return self.value()

    def take(self, size):
        """The next bytes."""
        if self.at + size > len(self.body):
            raise Bad("a length beyond the end")
        self.at += size
        return self.body[self.at - size : self.at]

    def varint(self):
        """An unsigned integer."""
        value = shift = 0
        while (byte := self.take(1)[0]) & 0x80:
            value |= (byte & 0x7F) << shift
            shift += 7
        return value | byte << shift

    def tag(self):
        """The next tag."""
        tag = chr(self.take(1)[0])
        return self.tag() if tag == "\0" else tag

    def comes(self, mark):
        """Whether a mark comes next; then it is taken."""
        place = self.at
        if self.tag() == mark:
            return True
        self.at = place
        return False

    def value(self):
        """The next value."""
        tag = self.tag()
        if tag in LEAVES:
            return LEAVES[tag](self)
        if tag not in OBJECTS:
            raise Bad(f"the tag {tag!r}")
        self.begun += 1
        self.depth += 1
        if self.depth > DEEP:
            raise Bad("too deep")
        found = OBJECTS[tag](self)
        self.depth -= 1
        return found

    def reference(self):
        """An object that has begun."""
        which = self.varint()
        if which >= self.begun:
            raise Bad("a reference to nothing")
        return {"$": "ref", "v": which}

    def int32(self):
        """A whole number in zigzag order."""
        coded = self.varint()
        return coded >> 1 ^ -(coded & 1)

    def uint32(self):
        """A whole number."""
        return self.varint() + 0

    def plain_double(self):
        """Eight bytes as a double."""
        return struct.unpack("<d", self.take(8))[0]

    def double(self):
        """A double."""
        return number(self.plain_double())

    def bigint(self):
        """Sign, length and magnitude."""
        head = self.varint()
        magnitude = int.from_bytes(self.take(head >> 1), "little")
        if head & 1 and not magnitude:
            raise Bad("minus zero")
        return {"$": "bigint", "v": str(-magnitude if head & 1 else magnitude)}

    def one_byte(self):
        """Characters of Latin-1."""
        return self.take(self.varint()).decode("latin-1")

    def two_byte(self):
        """Characters of UTF-16."""
        size = self.varint()
        if size % 2:
            raise Bad("half a character")
        return self.take(size).decode("utf-16-le", "surrogatepass")

    def utf8(self):
        """Characters of UTF-8."""
        return self.take(self.varint()).decode("utf-8", "replace")

    def string(self):
        """A value that must be a string."""
        found = self.value()
        if not isinstance(found, str):
            raise Bad("no string")
        return found

    def date(self):
        """A time in whole milliseconds."""
        time = self.plain_double()
        return {"$": "date", "v": int(time) if abs(time) <= 8.64e15 else number(float("nan"))}

    def regexp(self):
        """Pattern and flags."""
        source = self.string()
        bits = self.varint()
        if bits >> 9 or bits & 0x40:
            raise Bad("an unknown flag")
        return {"$": "regexp", "v": [source, "".join(sorted(FLAGS[n] for n in range(9) if bits >> n & 1))]}

    def error(self):
        """An Error with its parts in any order."""
        name, parts = "Error", {"m": UNDEFINED, "s": UNDEFINED}
        while (part := self.tag()) != ".":
            if part in ERRORS:
                name = ERRORS[part]
            elif part in "ms":
                parts[part] = self.string()
            elif part == "c":
                parts["c"] = self.value()
            else:
                raise Bad("no part of an Error")
        return {"$": "error", "v": [name, *parts.values()]}

    def object(self):
        """Names and values."""
        return {"$": "object", "v": list(self.members("{").items())}

    def dense(self):
        """An array element by element."""
        length = self.varint()
        if length > len(self.body) - self.at:
            raise Bad("more elements than bytes")
        found = {}
        for place in range(length):
            if not self.comes("-"):
                found[str(place)] = self.value()
        return self.array(length, self.members("$", found))

    def sparse(self):
        """An array name by name."""
        length = self.varint()
        return self.array(length, self.members("@"))

    def array(self, length, members):
        """A list, or a tag for holes and further members."""
        if self.varint() != length:
            raise Bad("two lengths")
        if "length" in members:
            raise Bad("a second length")
        if len(members) == length and all(str(place) in members for place in range(length)):
            return [members[str(place)] for place in range(length)]
        indices = [int(one) for one in members if one.isdecimal() and int(one) <= LAST_INDEX]
        longest = max([length, *(one + 1 for one in indices)])
        return {"$": "array", "v": [longest, sorted(members.items())]}

    def members(self, end, found=None):
        """The members behind those that were found."""
        members = found or {}
        count = 0
        while not self.comes(end):
            name = self.value()
            name = name if isinstance(name, str) else name_of(name)
            if name in members:
                raise Bad("a name twice")
            members[name] = self.value()
            count += 1
        if self.varint() != count:
            raise Bad("a wrong number of names")
        return members

    def map(self):
        """Keys and values."""
        parts = self.parts(":")
        if len(parts) % 2:
            raise Bad("a key without a value")
        return {"$": "map", "v": list(zip(parts[::2], parts[1::2], strict=True))}

    def set(self):
        """Members in their order."""
        return {"$": "set", "v": self.parts(",")}

    def parts(self, end):
        """Values up to a mark."""
        parts = []
        while not self.comes(end):
            parts.append(self.value())
        if self.varint() != len(parts):
            raise Bad("a wrong count")
        return parts

    def buffer(self):
        """An ArrayBuffer, or the view behind it."""
        data = self.take(self.varint())
        return (
            self.own_view(data)
            if self.body[self.at : self.at + 1] == b"V"
            else {"$": "arraybuffer", "v": data.hex()}
        )

    def resizable(self):
        """An ArrayBuffer with a limit."""
        size, most = self.varint(), self.varint()
        if size > most:
            raise Bad("more bytes than its limit")
        return {"$": "arraybuffer", "v": self.take(size).hex()}

    def own_view(self, data):
        """A view in V8's own form."""
        self.tag()
        kind, offset, size = self.tag(), self.varint(), self.varint()
        if kind not in OWN_VIEWS or offset + size > len(data) or offset % SIZES.get(kind, 1):
            raise Bad("a view beyond its buffer")
        return {"$": "view", "v": [OWN_VIEWS[kind], data[offset : offset + size].hex()]}

    def host(self):
        """A view, or a plain object."""
        kind = self.varint()
        if kind == 0:
            which = self.varint()
            if which >= len(KINDS):
                raise Bad("no kind of a view")
            return {"$": "view", "v": [KINDS[which], self.take(self.varint()).hex()]}
        if kind != 1 or not self.comes("o"):
            raise Bad("no object of the host")
        self.begun += 1
        return self.object()


LEAVES = {
    "_": lambda _reader: UNDEFINED,
    "0": lambda _reader: None,
    "T": lambda _reader: True,
    "F": lambda _reader: False,
    "I": Reader.int32,
    "U": Reader.uint32,
    "N": Reader.double,
    "Z": Reader.bigint,
    '"': Reader.one_byte,
    "c": Reader.two_byte,
    "S": Reader.utf8,
    "^": Reader.reference,
}
OBJECTS = {
    "o": Reader.object,
    "A": Reader.dense,
    "a": Reader.sparse,
    "D": Reader.date,
    "R": Reader.regexp,
    "r": Reader.error,
    "n": lambda reader: {"$": "boxed", "v": reader.double()},
    "y": lambda _reader: {"$": "boxed", "v": True},
    "x": lambda _reader: {"$": "boxed", "v": False},
    "s": lambda reader: {"$": "boxed", "v": reader.string()},
    "z": lambda reader: {"$": "boxed", "v": reader.bigint()},
    ";": Reader.map,
    "'": Reader.set,
    "B": Reader.buffer,
    "~": Reader.resizable,
    "\\": Reader.host,
}


# ---- writing -------------------------------------------------------------------------------------------------


def varint(value):
    """An unsigned integer."""
    return bytes([value]) if value < 0x80 else bytes([value & 0x7F | 0x80]) + varint(value >> 7)


class Writer:
    """Writes a frame."""

    def __init__(self):
        self.out = bytearray(b"\xff\x0d")

    def frame(self, message):
        """Length, header and value."""
        self.value(message)
        return struct.pack(">I", len(self.out)) + self.out

    def value(self, value):
        """One value."""
        if value is None or isinstance(value, bool):
            self.out += {None: b"0", True: b"T", False: b"F"}[value]
        elif isinstance(value, int | float):
            self.number(value)
        elif isinstance(value, str):
            self.text(value)
        elif isinstance(value, list):
            self.dense(value)
        elif "$" not in value:
            self.object(value.items())
        else:
            self.tagged(value["$"], value.get("v"))

    def number(self, value):
        """A whole number, or a double."""
        if isinstance(value, int) and -(2**31) <= value < 2**31:
            self.out += b"I" + varint((value << 1 ^ value >> 31) & 0xFFFFFFFF)
        else:
            self.out += b"N" + struct.pack("<d", value)

    def text(self, text):
        """A string with one or two bytes per character."""
        if all(one < "\u0100" for one in text):
            self.out += b'"' + varint(len(text)) + text.encode("latin-1")
            return
        data = text.encode("utf-16-le", "surrogatepass")
        if (len(self.out) + 1 + len(varint(len(data)))) % 2:
            self.out += b"\0"
        self.out += b"c" + varint(len(data)) + data

    def dense(self, values):
        """A list."""
        self.out += b"A" + varint(len(values))
        for one in values:
            self.value(one)
        self.out += b"$\0" + varint(len(values))

    def object(self, members):
        """Names and values."""
        self.out += b"o"
        self.members(members, b"{")

    def members(self, members, end):
        """The members up to a mark, and their number."""
        for name, member in members:
            self.text(name)
            self.value(member)
        self.out += end + varint(len(members))

    def tagged(self, tag, content):
        """A value with a tag of the contract."""
        if tag == "number":
            self.out += b"N" + struct.pack("<d", float(content.replace("Infinity", "inf")))
        elif tag == "undefined":
            self.out += b"_"
        elif tag == "object":
            self.object(content)
        elif tag == "ref":
            self.out += b"^" + varint(content)
        elif tag in ("map", "set"):
            self.collection(tag, content)
        elif tag == "array":
            self.sparse(*content)
        elif tag == "error":
            self.error(*content)
        else:
            self.leaf(tag, content)

    def leaf(self, tag, content):
        """A value without members."""
        if tag == "bigint":
            self.bigint(b"Z", int(content))
        elif tag == "date":
            time = float("nan") if isinstance(content, dict) else content
            self.out += b"D" + struct.pack("<d", time)
        elif tag == "regexp":
            self.regexp(*content)
        elif tag == "boxed":
            self.boxed(content)
        elif tag == "arraybuffer":
            data = bytes.fromhex(content)
            self.out += b"B" + varint(len(data)) + data
        elif tag == "view":
            self.view(content[0], bytes.fromhex(content[1]))
        else:
            raise Refused(f"the tag {tag!r}")

    def regexp(self, source, flags):
        """Pattern and flags."""
        self.out += b"R"
        self.text(source)
        self.out += varint(sum(1 << FLAGS.index(one) for one in flags))

    def view(self, kind, data):
        """A view as an object of the host."""
        self.out += b"\\\0" + varint(KINDS.index(kind)) + varint(len(data)) + data

    def bigint(self, tag, value):
        """Sign, length and magnitude."""
        data = abs(value).to_bytes((abs(value).bit_length() + 63) // 64 * 8, "little")
        self.out += tag + varint(len(data) << 1 | (value < 0)) + data

    def boxed(self, value):
        """A primitive in an object."""
        if isinstance(value, bool):
            self.out += b"y" if value else b"x"
        elif isinstance(value, str):
            self.out += b"s"
            self.text(value)
        elif isinstance(value, dict):
            self.bigint(b"z", int(value["v"]))
        else:
            self.out += b"n" + struct.pack("<d", value)

    def collection(self, tag, content):
        """A Map or a Set."""
        self.out += b";" if tag == "map" else b"'"
        parts = [part for pair in content for part in pair] if tag == "map" else content
        for part in parts:
            self.value(part)
        self.out += (b":" if tag == "map" else b",") + varint(len(parts))

    def sparse(self, length, members):
        """An array with holes or further members."""
        self.out += b"a" + varint(length)
        self.members(members, b"@")
        self.out += varint(length)

    def error(self, name, message, stack, *cause):
        """An Error: type, message, stack, cause."""
        self.out += b"r"
        self.out += "".join(letter for letter, one in ERRORS.items() if one == name).encode()
        for letter, part in ((b"m", message), (b"s", stack)):
            if part != UNDEFINED:
                self.out += letter
                self.text(part)
        for part in cause:
            self.out += b"c"
            self.value(part)
        self.out += b"."


# ---- the channel and the adapter ---------------------------------------------------------------------------------


def say(line):
    """A line of the control channel."""
    data = json.dumps(line).encode() + b"\n"
    while data:
        data = data[os.write(1, data) :]


class Driven:
    """Obeys the commands of the runner."""

    def __init__(self):
        self.end = None
        self.stream = b""
        self.lines = b""

    def receive(self):
        """A read, and every frame that it completes."""
        data = self.end.recv(65536)
        if not data:
            self.close()
            return
        self.stream += data
        while self.end is not None and len(self.stream) >= 4:
            (size,) = struct.unpack(">I", self.stream[:4])
            if size > MOST or self.stream[4:5] not in (b"", b"\xff"):
                self.error("no frame")
                self.close()
            elif len(self.stream) < 4 + size:
                return
            else:
                body, self.stream = self.stream[4 : 4 + size], self.stream[4 + size :]
                self.take(body)

    def take(self, body):
        """One frame."""
        try:
            message = Reader(body).read()
        except (Bad, IndexError) as error:
            self.error(str(error))
            return
        say({"event": "message", "message": message})

    def error(self, text):
        """An error of the peer."""
        say({"event": "error", "blame": "remote", "code": "BAD_FRAME", "text": text})

    def close(self):
        """The end of the channel."""
        self.end.close()
        self.end = None
        say({"event": "disconnect"})

    def obey(self, ask):
        """One command."""
        known = {"hello": self.hello, "open": self.open, "send": self.send, "disconnect": self.disconnect}
        if ask["command"] == "exit":
            sys.exit(ask["code"])
        if ask["command"] not in known:
            say({"id": ask["id"], "ok": False, "unsupported": True})
            return
        try:
            say({"id": ask["id"], "ok": True, **(known[ask["command"]](ask) or {})})
        except Refused as error:
            told = {"blame": "local", "code": "REFUSED", "text": str(error)}
            say({"id": ask["id"], "ok": False, "error": told})

    def hello(self, _ask):
        """Name, roles and capabilities."""
        facts = {"name": "advanced-peer", "version": "1", "language": "Python", "rung": 1, "contract": 1}
        return {**facts, "roles": ["child"], "capabilities": []}

    def open(self, _ask):
        """Takes the inherited channel."""
        self.end = socket.socket(fileno=int(os.environ["NODE_CHANNEL_FD"]))

    def send(self, ask):
        """A message of the user."""
        self.end.sendall(Writer().frame(ask["message"]))

    def disconnect(self, _ask):
        """Ends the channel."""
        self.close()

    def serve(self):
        """Runs until stdin ends."""
        while True:
            ready, _, _ = select.select([0, *([self.end] if self.end else [])], [], [])
            if self.end in ready:
                self.receive()
            if 0 in ready:
                data = os.read(0, 65536)
                if not data:
                    return
                *lines, self.lines = (self.lines + data).split(b"\n")
                for line in lines:
                    self.obey(json.loads(line))


def echo():
    """Sends each frame back as it came."""
    end = socket.socket(fileno=int(os.environ["NODE_CHANNEL_FD"]))
    stream = b""
    while data := end.recv(65536):
        stream += data
        while len(stream) >= 4 and len(stream) >= (size := 4 + struct.unpack(">I", stream[:4])[0]):
            whole, stream = stream[:size], stream[size:]
            end.sendall(whole)


if sys.argv[1:] == ["echo"]:
    echo()
else:
    Driven().serve()
