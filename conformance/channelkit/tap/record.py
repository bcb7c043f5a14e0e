"""The recording of a channel: a header, then entries, each a line of JSON. The bytes of a chunk follow its line.

    {"ctap":1,"mode":"json","command":["node","child.js"],…}
    {"t":1204,"way":"down","size":18,"fds":[{"kind":"stream",…}]}
    {"hello":"child"}⏎

A file only grows, each entry is a single write, and a reader stops at an entry that is not whole. ``schemas/kit/recording.json`` is the
schema of a line. Times are microseconds since the start of the recording.
"""

import json
import os
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

from channelkit.errors import UsageError

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


@dataclass(slots=True)
class Recording:
    """The content of a file. ``truncated`` says that its last entry is not whole."""

    header: dict[str, Any]
    entries: list[Entry] = field(default_factory=list)
    truncated: bool = False

    @property
    def mode(self) -> str:
        """The name of the serialization, ``json`` where the environment names none."""
        return str(self.header.get("mode") or "json")


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


class Tail:
    """Reads the entries of a file that may still grow."""

    def __init__(self, file: BinaryIO, name: str) -> None:
        """Reads the header. Raises :class:`UsageError` when there is none."""
        self._file = file
        first = file.readline()
        try:
            self.header: dict[str, Any] = json.loads(first)
            version = self.header.get("ctap")
        except (ValueError, AttributeError):
            raise UsageError(f"{name} is no recording of `channelkit tap`") from None
        if version != VERSION:
            raise UsageError(
                f"{name} is a recording of version {version}; this channelkit reads version {VERSION}"
            )
        self.rest = False
        """An entry has begun and is not whole."""

    def entries(self) -> Iterator[Entry]:
        """The entries that are whole now and were not given before."""
        while True:
            place = self._file.tell()
            entry = self._one()
            if entry is None:
                self.rest = bool(self._file.tell() - place)
                self._file.seek(place)
                return
            yield entry

    def _one(self) -> Entry | None:
        head = self._file.readline()
        if not head.endswith(b"\n"):
            return None
        try:
            members = json.loads(head)
            size = members.get("size")
            data = b"" if size is None else self._file.read(size + 1)
        except (
            ValueError,
            AttributeError,
            TypeError,
            OverflowError,
            MemoryError,
            RecursionError,
        ):  # a write that the system lost in a crash
            return None
        if not isinstance(members.get("t"), int) or members.get("way", "") not in ("", DOWN, UP):
            return None
        if not isinstance(members.get("fds", []), list):
            return None
        if size is not None and (len(data) != size + 1 or data[-1:] != b"\n"):
            return None
        return Entry(
            members["t"],
            members.get("way", ""),
            data[:-1],
            tuple(members.get("fds", ())),
            members.get("end", ""),
            members.get("note", ""),
        )


def read(path: Path) -> Recording:
    """A whole recording. Raises :class:`UsageError`."""
    try:
        with path.open("rb") as file:
            tail = Tail(file, str(path))
            return Recording(tail.header, list(tail.entries()), tail.rest)
    except OSError as error:
        raise UsageError(f"{path}: {error.strerror}") from None


def recordings(places: list[Path]) -> list[Path]:
    """The files that are named, and those in the folders that are named. Raises :class:`UsageError`."""
    found = [
        path for place in places for path in (sorted(place.glob(f"*{SUFFIX}")) if place.is_dir() else [place])
    ]
    if not found:
        raise UsageError(f"no recording in {', '.join(map(str, places))}")
    return found
