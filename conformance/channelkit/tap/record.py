"""The recording of a channel: a header, then entries, each a line of JSON. The bytes of a chunk follow its line.

    {"ctap":1,"mode":"json","command":["node","child.js"],…}
    {"t":1204,"way":"down","size":18,"fds":[{"kind":"stream",…}]}
    {"hello":"child"}⏎

A file only grows, each entry is a single write, and `reading` stops at an entry that is not whole. ``schemas/kit/recording.json`` is the
schema of a line. Times are microseconds since the start of the recording.
"""

import json
import os
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

VERSION = 1
"""Version of the format."""
DOWN, UP = "down", "up"
"""From the parent to the child, and from the child to the parent."""
SUFFIX = ".ctap"
PARENT_HOLDS_BOTH = "the parent holds the end of the child"
"""A note of the tap."""
_NEVER = 1 << 62


@dataclass(frozen=True, slots=True)
class Entry:
    """An entry of a recording: bytes of a way, the end of a way, or a note."""

    time: int
    """Microseconds since the start."""
    way: str = ""
    """Empty for a note."""
    data: bytes = b""
    descriptors: tuple[dict[str, Any], ...] = ()
    """The descriptors that came with the first byte."""
    end: str = ""
    """How the way ended: ``closed``, ``half-closed`` or ``reset``."""
    note: str = ""


def line(members: dict[str, Any]) -> bytes:
    """A line of a recording."""
    return json.dumps(members, ensure_ascii=True, separators=(",", ":")).encode() + b"\n"


def encoded(entry: Entry) -> bytes:
    """An entry as it stands in the file."""
    return b"".join(_parts(entry))


def _parts(entry: Entry) -> tuple[bytes, ...]:
    """An entry in parts, so that long bytes are not copied."""
    if not entry.way:
        return (line({"t": entry.time, "note": entry.note}),)
    if entry.end:
        return (line({"t": entry.time, "way": entry.way, "end": entry.end}),)
    if not entry.descriptors:  # the usual case, without an encoder
        head = b'{"t":%d,"way":"%s","size":%d}\n' % (entry.time, entry.way.encode(), len(entry.data))
    else:
        head = line(
            {"t": entry.time, "way": entry.way, "size": len(entry.data), "fds": list(entry.descriptors)}
        )
    return head, entry.data, b"\n"


class Writer:
    """Writes a recording, in parts of a limited size. A failure to write ends only the recording.

    Of the parts, the first and the latest stay.
    """

    def __init__(self, path: Path, header: dict[str, Any], limit: int | None = None, keep: int = 4) -> None:
        """Creates the file. Raises :class:`OSError`. An existing file with this name stays, and the new file gets a number."""
        self._started = time.monotonic_ns()
        self._header = {"ctap": VERSION, **header}
        self._limit = limit or _NEVER
        self._keep = max(2, keep)
        self._parts: list[Path] = []
        self._offsets = {DOWN: 0, UP: 0}
        self._written = 0
        self.path, self._file = _create(path)
        self._put_header()

    @property
    def alive(self) -> bool:
        """Whether entries are still written."""
        return self._file >= 0

    def now(self) -> int:
        """The time of an entry."""
        return (time.monotonic_ns() - self._started) // 1000

    def fileno(self) -> int:
        """The descriptor, -1 once the recording has ended."""
        return self._file

    def add(self, entry: Entry) -> None:
        """Appends an entry."""
        if self._file < 0:
            return
        parts = _parts(entry)
        size = sum(map(len, parts))
        if self._written + size > self._limit and self._written > 0:
            self._next_part()
        self._put(size, *parts)
        if entry.data:
            self._offsets[entry.way] += len(entry.data)

    def _put_header(self) -> None:
        header = line(self._header)
        self._put(len(header), header)

    def _put(self, size: int, *parts: bytes) -> None:
        """Writes an entry, in a single call unless the system takes less."""
        try:
            count = os.writev(self._file, parts)
            self._written += count
            if count < size:
                self._put(size - count, b"".join(parts)[count:])
        except OSError:
            self.close()

    def _next_part(self) -> None:
        """Begins another part; offsets in its header say how much came before."""
        self.close()
        self._parts.append(self.path)
        number = int(self._header.get("part", 1)) + 1
        self._header = {**self._header, "part": number, "offsets": dict(self._offsets)}
        first = self._parts[0]
        try:
            self.path, self._file = _create(first.with_name(f"{first.stem}.part{number}{first.suffix}"))
            while len(self._parts) >= self._keep:
                self._parts.pop(1).unlink()
        except OSError:
            return
        self._written = 0
        self._put_header()

    def close(self) -> None:
        """Ends the recording."""
        if self._file >= 0:
            os.close(self._file)
            self._file = -1


def _create(path: Path) -> tuple[Path, int]:
    number = 1
    while True:
        candidate = path if number == 1 else path.with_name(f"{path.stem}-{number}{path.suffix}")
        try:
            return candidate, os.open(candidate, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        except FileExistsError:
            number += 1
