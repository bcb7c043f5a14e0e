"""The reading of a recording, which anybody may have cut or changed. The entries before a damage are read, and the damage is named."""

import contextlib
import json
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, BinaryIO

from channelkit.errors import UsageError
from channelkit.limits import LONGEST_LINE
from channelkit.resources import schema
from channelkit.schema import Schema
from channelkit.tap.record import SUFFIX, VERSION, Entry
from channelkit.wire.values import show
from channelkit.wire.visible import visible

_LONGEST_CUT = 1 << 20
"""Bytes of the longest entry that a crash cuts. The tap reads fewer at once, so a larger number is a damaged number."""
_SMALL = 1 << 16
"""A number of bytes that are read without a look at the length of the file."""
_FURTHER = re.compile(rb'\n\{"t":\d+,"way":"')
"""The beginning of an entry: with it behind a cut entry, the file goes on, and the number of bytes is damaged."""
_USUAL = re.compile(rb'\{"t":([1-9]\d{0,14}),"way":"(down|up)","size":([1-9]\d{0,14})\}\n')
"""The line of bytes without descriptors. Nearly all lines are such, so neither JSON nor the schema is asked about them."""


@dataclass(frozen=True, slots=True)
class Damage:
    """Where the reading of a file ended before the end of the file, and why."""

    offset: int
    """Where the entry begins that could not be read."""
    reason: str
    cut: bool = False
    """The file ends amid its last entry, as after a crash. This is no fault of a recording."""

    def told(self, path: Path) -> str:
        """The damage in a sentence."""
        if self.cut:
            return f"{path} ends amid the entry at byte {self.offset}: {self.reason}"
        return f"{path} is damaged at byte {self.offset}, and ends there for a reader: {self.reason}"


@dataclass(slots=True)
class Recording:
    """The content of a file, up to its end or to its damage."""

    header: dict[str, Any]
    entries: list[Entry] = field(default_factory=list)
    damage: Damage | None = None

    @property
    def mode(self) -> str:
        """The name of the serialization, ``json`` where the environment names none."""
        return str(self.header.get("mode") or "json")


class Tail:
    """Reads the entries of a file that may still grow."""

    def __init__(self, file: BinaryIO, name: str) -> None:
        """Reads the header. Raises :class:`UsageError` when there is none."""
        self._file = file
        first = file.readline(LONGEST_LINE)
        self.header = _header(first, name)
        self._offset = len(first)
        self.damage: Damage | None = None
        """Why the last reading ended before the end of the file."""

    def entries(self) -> Iterator[Entry]:
        """The entries that are whole now and were not given before."""
        self.damage = None
        while head := self._file.readline(LONGEST_LINE):
            try:
                members = _members(head)
                data = self._data(int(members["size"]), len(head)) if "size" in members else b""
            except _UnreadableError as error:
                self.damage = Damage(self._offset, visible(error.reason), error.cut)
                self._file.seek(self._offset)
                return
            self._offset += len(head) + (len(data) + 1 if data else 0)
            yield Entry(
                members["t"],
                members.get("way", ""),
                data,
                tuple(members.get("fds", ())),
                members.get("end", ""),
                members.get("note", ""),
            )

    def _data(self, size: int, head: int) -> bytes:
        """The bytes behind a line. A size beyond the file takes no memory."""
        left = size + 1 if size <= _SMALL else self._left(head)
        if left > size:
            data = self._file.read(size + 1)
            if data.endswith(b"\n") and len(data) > size:
                return data[:-1]
            left = self._left(head)
        if left > size:
            raise _UnreadableError(f"no line feed follows the {size} bytes of the entry")
        self._file.seek(self._offset + head)
        reason = f"{size} bytes and a line feed are announced, and {max(left, 0)} bytes follow"
        cut = size <= _LONGEST_CUT and not _FURTHER.search(self._file.read(size))
        raise _UnreadableError(reason, cut=cut)

    def _left(self, head: int) -> int:
        """The bytes of the file behind the line of an entry."""
        return os.fstat(self._file.fileno()).st_size - self._offset - head


class _UnreadableError(Exception):
    """An entry cannot be read."""

    def __init__(self, reason: str, *, cut: bool = False) -> None:
        super().__init__(reason)
        self.reason, self.cut = reason, cut


def _header(first: bytes, name: str) -> dict[str, Any]:
    try:
        found = json.loads(first.decode())
        version = found.get("ctap")
    except (ValueError, AttributeError, RecursionError):
        raise UsageError(f"{name} is no recording of `channelkit tap`") from None
    if version != VERSION:
        raise UsageError(
            f"{name} is a recording of version {show(version, 80)}; this channelkit reads version {VERSION}"
        )
    fault = _kind("header").fault(found)
    if fault:
        raise UsageError(f"{name} has a damaged header: {visible(fault.told('the header'))}")
    header: dict[str, Any] = found
    return header


def _members(head: bytes) -> dict[str, Any]:
    """The members of a line, sound by the schema."""
    usual = _USUAL.fullmatch(head)
    if usual is not None:
        return {"t": int(usual[1]), "way": usual[2].decode(), "size": int(usual[3])}
    if not head.endswith(b"\n"):
        raise _UnreadableError("its line has no end", cut=len(head) < LONGEST_LINE)
    try:
        found = json.loads(head.decode())
    except ValueError as error:
        raise _UnreadableError(f"the line is no JSON ({error})") from None
    except RecursionError:
        raise _UnreadableError("the line has too many brackets within brackets") from None
    kinds = [kind for kind in ("note", "end") if isinstance(found, dict) and kind in found]
    fault = _kind(*(kinds[:1] or ["chunk"])).fault(found)
    if fault:
        raise _UnreadableError(fault.told("the entry"))
    members: dict[str, Any] = found
    return members


@cache
def _kind(name: str) -> Schema:
    """The schema of a kind of line."""
    definitions = schema("kit/recording.json")["$defs"]
    return Schema(definitions[name], definitions)


@contextlib.contextmanager
def opened(path: Path) -> Iterator[Tail]:
    """A recording that is read piece by piece. Raises :class:`UsageError`."""
    try:
        with path.open("rb") as file:
            yield Tail(file, str(path))
    except OSError as error:
        raise UsageError(f"{path}: {error.strerror}") from None


def read(path: Path) -> Recording:
    """A whole recording. Raises :class:`UsageError`."""
    with opened(path) as tail:
        entries = list(tail.entries())
        return Recording(tail.header, entries, tail.damage)


def recordings(places: list[Path]) -> list[Path]:
    """The files that are named, and those in the folders that are named. Raises :class:`UsageError`."""
    found = [
        path for place in places for path in (sorted(place.glob(f"*{SUFFIX}")) if place.is_dir() else [place])
    ]
    if not found:
        raise UsageError(f"no recording in {', '.join(map(str, places))}")
    return found
