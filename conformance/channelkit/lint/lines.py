"""Chapters 20 and 30 as a recording shows them: the bytes of a line."""

import re
from collections.abc import Iterator
from decimal import Decimal
from itertools import islice

from channelkit.lint.check import Check, Report
from channelkit.lint.sighting import Sighting
from channelkit.tap.record import DOWN, UP
from channelkit.wire.values import parse

_MOST_JOINED = 1 << 20
_MOST_TRIED = 32
"""Places of a line at which a whole message is looked for; a line of brackets has as many places as bytes."""
_MOST_REREAD = 16 * _MOST_JOINED
"""Bytes that are read again to find out whether lines form a message together; each line may end it."""
_LONGEST_NUMBER = 4000
"""Digits that Python converts; with more of them JSON has no double either."""
_BLANK = b" \t\r"
_BLANKS = re.compile(rb"[ \t\r]")
_STRING = re.compile(rb'"(?:[^"\\]|\\.)*+"?')
"""A string, with or without its end: a search that fails at each quote would read the line as many times."""
_AS_ZERO = bytes.maketrans(b"123456789", b"000000000")
_DIGITS = b"0" * 16
_LONG_NUMBER = re.compile(rb"(?<![0-9.eE+-])-?[0-9]{16,}(?![0-9.eE])")
_WORDS = re.compile(rb"(?<![A-Za-z0-9_$])(?:NaN|-?Infinity)(?![A-Za-z0-9_$])")
_SURROGATE = re.compile(rb"\xed[\xa0-\xbf][\x80-\xbf]")
_CLOSING = dict(zip(b'{["', b'}]"', strict=True))
_BOM = b"\xef\xbb\xbf"
_ADVANCED = re.compile(rb"\0..?.?\xff[\x0d-\x10]", re.DOTALL)


class Lines(Check):
    """The frames of the serialization ``json``."""

    def __init__(self, report: Report) -> None:
        super().__init__(report)
        self._fragments: dict[str, list[Sighting]] = {DOWN: [], UP: []}
        """Lines without a value that may be parts of one message."""
        self._joined = {DOWN: bytearray(), UP: bytearray()}
        """Their bytes."""
        self._reread = {DOWN: 0, UP: 0}
        self._first = {DOWN: True, UP: True}

    def frame(self, seen: Sighting) -> None:
        """Judges a line."""
        first, self._first[seen.way] = self._first[seen.way], False
        if not seen.frame.problem:
            if self._fragments[seen.way]:
                self._settle(seen.way)
            self._good(seen)
            return
        faults = list(_faults(seen.raw[:-1]))
        if first:
            self.broken("BOO-017", seen, "the first bytes are no message")
        for rule, text in faults:
            self.broken(rule, seen, text)
        if not faults:
            self._fragment(seen)
        elif self._fragments[seen.way]:
            self._settle(seen.way)

    def _good(self, seen: Sighting) -> None:
        raw = seen.raw
        if len(raw.translate(None, _BLANK)) < len(raw) and _BLANKS.search(_STRING.sub(b"", raw)):
            self.broken("FRM-007", seen, "white space between tokens")
        long = _DIGITS in raw.translate(_AS_ZERO)
        for found in _LONG_NUMBER.finditer(_blanked(raw)) if long else ():
            if len(found[0]) > _LONGEST_NUMBER:
                continue
            number = int(found[0])
            if abs(number) >= 1 << 53 and _rounded(number):
                self.broken("JSN-007", seen, f"{found[0][:40].decode()} is no double", at=found.start())

    def _fragment(self, seen: Sighting) -> None:
        """Keeps a line that is no JSON until the lines behind it tell whether they form a message together."""
        fragments = self._fragments[seen.way]
        fragments.append(seen)
        joined = self._joined[seen.way]
        joined += seen.raw
        if len(joined) > _MOST_JOINED or self._reread[seen.way] > _MOST_REREAD:
            self._settle(seen.way)
        elif len(fragments) > 1 and _may_end(joined) and self._form_a_message(seen.way):
            self.broken(
                "FRM-002",
                fragments[0],
                f"a line feed inside of a message, which takes {len(fragments)} lines",
            )
            self.broken("FLO-005", fragments[0], f"a message in {len(fragments)} frames")
            if _BLANKS.search(_STRING.sub(b"", joined)):
                self.broken("FRM-007", fragments[0], "white space between tokens")
            self._forget(seen.way)

    def _form_a_message(self, way: str) -> bool:
        joined = bytes(self._joined[way])
        self._reread[way] += len(joined)
        return (
            _is_json(joined)
            or _is_json(joined.replace(b"\n", b""))
            or _is_json(joined[:-1].replace(b"\n", b"\\n"))
        )

    def _forget(self, way: str) -> None:
        self._fragments[way].clear()
        self._joined[way].clear()
        self._reread[way] = 0

    def _settle(self, way: str) -> None:
        """The kept lines are faults of their own."""
        for one in self._fragments[way]:
            self._no_json(one)
        self._forget(way)

    def _no_json(self, seen: Sighting) -> None:
        text = seen.raw[:-1]
        if _values_in_a_row(text):
            self.broken("FRM-003", seen, "two messages without a line feed between them")
        elif (at := _interrupted(text)) > 0:
            self.broken("FRM-008", seen, "a message within the bytes of another one", at=at)
            self.broken("JSN-001", seen, seen.frame.problem)
        else:
            self.broken("JSN-001", seen, seen.frame.problem)

    def finish(self) -> None:
        """Judges the kept lines."""
        for way in (DOWN, UP):
            self._settle(way)


def _faults(text: bytes) -> Iterator[tuple[str, str]]:
    """The rules that a line without a value breaks by its bytes."""
    if not text.strip(b" \t\r"):
        yield "FRM-004", "a blank line"
        return
    if text.startswith(_BOM):
        yield "FRM-006", "a byte order mark"
    if b"\0" in text and not _ADVANCED.match(text):
        yield "FRM-005", "a byte 0x00"
    if _ADVANCED.match(text):
        yield "JSN-001", "a frame of the mode advanced on a channel of the mode json"
    try:
        text.decode("utf-8")
    except UnicodeDecodeError as error:
        yield "FRM-001", f"bytes that are no UTF-8 at byte {error.start}"
        if _SURROGATE.search(text):
            yield "JSN-006", "half of a pair as bytes and not as an escape"
    bare = _STRING.sub(b"", text)
    if _WORDS.search(bare):
        yield "JSN-002", "a number that JSON has no word for"
    if b"undefined" in bare:
        yield "JSN-003", "`undefined` in the place of a value"


def _is_json(text: bytes) -> bool:
    try:
        parse(text.decode("utf-8"))
    except ValueError:
        return False
    return True


def _values_in_a_row(text: bytes) -> bool:
    """Whether objects or arrays follow each other without a separator."""
    return any(
        _is_json(text[: at + 1]) and text[at + 1 : at + 2] in (b"{", b"[", b'"')
        for at in (
            found.start()
            for found in islice(re.finditer(rb'[\]}"](?=[{\["])', text[:_MOST_JOINED]), _MOST_TRIED)
        )
    )


def _interrupted(text: bytes) -> int:
    """Where within a line a whole message begins that ends with the line; 0 for none."""
    for found in islice(re.finditer(rb"[{\[]", text[:_MOST_JOINED]), _MOST_TRIED):
        if found.start() and _is_json(text[found.start() :]):
            return found.start()
    return 0


def _rounded(number: int) -> bool:
    try:
        return Decimal(repr(float(number))) != number
    except OverflowError:
        return True


def _blanked(raw: bytes) -> bytes:
    """The line with blanks in the place of its strings."""
    return _STRING.sub(lambda found: b" " * len(found[0]), raw)


def _may_end(joined: bytearray) -> bool:
    """Whether the last byte of lines closes what their first byte opens, as it does in nearly every message of several lines."""
    closing = _CLOSING.get(joined[0])
    end = next((byte for byte in reversed(joined) if byte not in b" \t\r\n"), None)
    return closing is None or closing == end
