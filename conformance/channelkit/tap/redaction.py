"""A recording without contents: texts and numbers of user messages are replaced, byte for byte, and their shape stays.

Names of members stay, as do words of JSON, the values that internal messages need, and all faults of a frame. So a redacted
recording breaks the same rules as the original recording.
"""

import re
from collections import deque
from collections.abc import Callable
from dataclasses import replace

from channelkit.tap.record import DOWN, UP, Entry
from channelkit.wire.advanced import LENGTH, Malformed, Reader
from channelkit.wire.modes import of_mode
from channelkit.wire.serialization import Serialization

MOST = 1 << 24
"""Bytes of an unfinished frame that are kept back. A longer frame is redacted without a look at its structure."""

_TOKEN = re.compile(
    rb'"(?P<text>(?:[^"\\]|\\.)*+)"(?P<colon>[ \t\r\n]*:)?|(?P<number>-?[0-9][0-9.eE+-]*)'
    rb"|(?P<word>true|false|null|undefined|NaN|Infinity)|(?P<other>[A-Za-z_$0-9]+)",
    re.DOTALL,
)
_OF_TEXT = re.compile(
    rb"\\u[dD][89abAB]..|\\u[dD][c-fC-F]..|\\u....|\\.|[\xc2-\xf4][\x80-\xbf]+|[\x20-\x7e]", re.DOTALL
)
_DIGIT = re.compile(rb"[0-9]")
_KEPT = frozenset(
    {
        *(b"cmd", b"type", b"dgramType", b"act", b"seq", b"ack", b"key", b"errno", b"accepted", b"count"),
        *(b"port", b"addressType", b"index", b"flags", b"backlog", b"fd", b"family"),
    }
)
"""Members of internal messages."""
_LARGEST = 2**53 - 1


class Redaction:
    """Takes entries and gives redacted entries to a sink, in their order. An entry waits until the frames in it are whole."""

    def __init__(self, mode: str, sink: Callable[[Entry], None]) -> None:
        self._ways = {name: _Way(of_mode(mode)) for name in (DOWN, UP)}
        self._waiting: deque[Entry] = deque()
        self._sink = sink

    def add(self, entry: Entry) -> None:
        """Takes an entry."""
        self._waiting.append(entry)
        if entry.way:
            way = self._ways[entry.way]
            way.add(entry.data)
            if entry.end:
                way.flush()
        while self._waiting and self._ready(self._waiting[0]):
            self._give(self._waiting.popleft())

    def _ready(self, entry: Entry) -> bool:
        return not entry.way or len(entry.data) <= len(self._ways[entry.way].done)

    def _give(self, entry: Entry) -> None:
        if entry.data:
            done = self._ways[entry.way].done
            size = len(entry.data)
            fds = tuple(_without_addresses(one) for one in entry.descriptors)
            entry = replace(entry, data=bytes(done[:size]), descriptors=fds)
            del done[:size]
        self._sink(entry)

    def close(self) -> None:
        """Gives out the waiting entries."""
        for way in self._ways.values():
            way.flush()
        while self._waiting:
            self._give(self._waiting.popleft())


def _without_addresses(descriptor: dict[str, object]) -> dict[str, object]:
    return {name: value for name, value in descriptor.items() if name not in ("local", "peer")}


class _Way:
    """The bytes of a way: unfinished frames, and redacted bytes that no entry has taken."""

    def __init__(self, serialization: Serialization) -> None:
        self._serialization = serialization
        self._raw = bytearray()
        self.done = bytearray()

    def add(self, data: bytes) -> None:
        seen = len(self._raw)
        self._raw += data
        begin = 0
        while (end := self._serialization.end(self._raw, begin, max(begin, seen))) >= 0:
            self.done += redacted(self._serialization.mode, bytes(self._raw[begin:end]))
            begin = end
        del self._raw[:begin]
        if len(self._raw) > MOST:
            self.flush()

    def flush(self) -> None:
        self.done += redacted(self._serialization.mode, bytes(self._raw))
        self._raw.clear()


def redacted(mode: str, frame: bytes) -> bytes:
    """A frame without its contents, of the same length."""
    return _advanced(frame) if mode == "advanced" else _lines(frame)


def _lines(frame: bytes) -> bytes:
    internal = re.match(rb'[ \t]*\{[ \t]*"cmd"[ \t]*:[ \t]*"NODE_.', frame) is not None
    kept = False

    def token(found: re.Match[bytes]) -> bytes:
        nonlocal kept
        if found["colon"] is not None:
            kept = internal and found["text"] in _KEPT
            return found[0]
        if kept or found["word"] is not None:
            kept = False
            return found[0]
        if found["text"] is not None:
            return b'"' + _OF_TEXT.sub(_character, found["text"]) + b'"'
        if found["number"] is not None:
            return _number(found["number"])
        return b"x" * len(found[0])

    return _TOKEN.sub(token, frame)


def _character(found: re.Match[bytes]) -> bytes:
    """A character of the same kind: escapes stay escapes, and halves of a pair stay halves."""
    text = found[0]
    if text[:2] == b"\\u" and len(text) == 6:
        half = text[2:3] in b"dD" and text[3:4] in b"89abABcdefCDEF"
        return b"\\ud800" if half and text[3:4] in b"89abAB" else b"\\udc00" if half else b"\\u0078"
    if text[:1] == b"\\":
        return text
    try:
        text.decode("utf-8")
    except UnicodeDecodeError:
        return text
    return b"x" * len(text)


def _number(text: bytes) -> bytes:
    """A number of as many digits, beyond 2^53-1 if it was."""
    try:
        large = abs(int(text)) > _LARGEST
    except ValueError:
        large = False
    if text[:2] in (b"00", b"01") or (len(text) > 1 and text[:1] == b"0" and text[1:2].isdigit()):
        return text[:1] + _DIGIT.sub(b"1", text[1:])
    return _DIGIT.sub(b"9" if large else b"1", text)


def _advanced(frame: bytes) -> bytes:
    reader = Reader(frame)
    try:
        reader.read()
    except Malformed as error:
        # Behind the fault, content cannot be told from structure.
        end = max(LENGTH, error.at + 1)
        return _blanked(frame[:end], reader) + b"x" * len(frame[end:])
    return _blanked(frame, reader)


def _blanked(frame: bytes, reader: Reader) -> bytes:
    data = bytearray(frame)
    internal = _internal(reader.reading.value)
    for begin, end, width in reader.reading.texts:
        if not (internal and bytes(frame[begin:end]).startswith((b"NODE_", b"net.", b"dgram.", b"udp"))):
            data[begin:end] = (b"x\0" if width == 2 else b"x") * ((end - begin) // width)
    if not internal:
        for begin, end in reader.reading.numbers:
            data[begin:end] = (
                bytes((byte & 0x80) | 1 for byte in data[begin:end])
                if end - begin < 8
                else _ONE[: end - begin].ljust(end - begin, b"\1")
            )
    return bytes(data[: len(frame)])


_ONE = bytes.fromhex("000000000000f03f")


def _internal(value: object) -> bool:
    command = value.get("cmd") if isinstance(value, dict) else None
    return isinstance(command, str) and command.startswith("NODE_")
