"""Segmentations: the same bytes in different writes, and the descriptor on different bytes of its frame.

A receiver that depends on where a read ends passes some of them and fails others.
"""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from itertools import pairwise

MOST_SINGLE_BYTES = 4096
"""Longer writes are not cut into single bytes: it would take longer than it tells."""


@dataclass(frozen=True, slots=True)
class Piece:
    """One write: its bytes, whether the descriptor rides on it, whether a probe message comes first in it."""

    data: bytes
    descriptor: bool = False
    glued: bool = False


Cut = tuple[Piece, ...]


def cuts(data: bytes, *, descriptor: bool) -> dict[str, Cut]:
    """All different segmentations of one write by name; ``whole`` comes first.

    With a ``descriptor``, it rides on the last frame of the write; what precedes that frame is written before.
    """
    if not descriptor:
        found = {name: tuple(Piece(part) for part in cut(data)) for name, cut in _BYTES.items()}
        found["glued"] = (Piece(data, glued=True),)
    else:
        found = _with_descriptor(data)
    different: dict[str, Cut] = {}
    for name, pieces in found.items():
        if pieces and pieces not in different.values():
            different[name] = pieces
    return different


def _with_descriptor(data: bytes) -> dict[str, Cut]:
    start = last_frame(data)
    before, frame = data[:start], data[start:]
    found = {}
    for name, cut in _BYTES.items():
        first, *rest = cut(frame) or [b""]
        found[name] = (*map(Piece, cut(before)), Piece(first, descriptor=True), *map(Piece, rest))
    lead = (Piece(before),) if before else ()
    found["glued"] = (Piece(before, glued=True), Piece(frame, descriptor=True))
    for name, at in (("first", 0), ("middle", len(frame) // 2), ("last", len(frame) - 1)):
        head = (Piece(frame[:at]),) if at else ()
        tail = (Piece(frame[at + 1 :]),) if frame[at + 1 :] else ()
        found[f"fd-{name}"] = (*lead, *head, Piece(frame[at : at + 1], descriptor=True), *tail)
    return found


def _whole(data: bytes) -> list[bytes]:
    return [data] if data else []


def _single(data: bytes) -> list[bytes]:
    return [data[i : i + 1] for i in range(len(data))] if len(data) <= MOST_SINGLE_BYTES else _whole(data)


def _lines(data: bytes) -> list[bytes]:
    return [line + b"\n" for line in data.split(b"\n")[:-1]] + _whole(data.rpartition(b"\n")[2])


def _inside_characters(data: bytes) -> list[bytes]:
    """Cuts before each continuation byte of UTF-8."""
    places = [0, *(found.start() for found in _CONTINUATION.finditer(data, 1)), len(data)]
    return [data[a:b] for a, b in pairwise(places) if a < b]


_CONTINUATION = re.compile(rb"[\x80-\xbf]")

_BYTES: dict[str, Callable[[bytes], list[bytes]]] = {
    "whole": _whole,
    "bytes": _single,
    "lines": _lines,
    "utf8": _inside_characters,
}


def variants(writes: list[tuple[bytes, bool]], *, every: bool) -> dict[str, list[Cut]]:
    """The variants of a case: name to one cut per write. ``writes`` holds bytes and whether a descriptor rides.

    A write that has no cut of a name is written whole in the variant of that name.
    """
    if not every:
        return {"whole": [_plain(data, descriptor=descriptor) for data, descriptor in writes]}
    per_write = [cuts(data, descriptor=descriptor) for data, descriptor in writes]
    names = dict.fromkeys(["whole", *(name for found in per_write for name in found)])
    return {name: [found.get(name, found.get("whole", ())) for found in per_write] for name in names}


def placed(data: bytes, cut: Iterable[int], at: int | None) -> Cut:
    """The one segmentation that a case gives a write: cut before these bytes, descriptors on byte ``at``, if any."""
    riding = set() if at is None else {at}
    places = sorted({0, len(data), *cut, *riding})
    return tuple(Piece(data[a:b], descriptor=a in riding) for a, b in pairwise(places))


def last_frame(data: bytes) -> int:
    """Where the last frame of a write begins."""
    return data.rfind(b"\n", 0, max(len(data) - 1, 0)) + 1


def _plain(data: bytes, *, descriptor: bool) -> Cut:
    if descriptor:
        return _with_descriptor(data)["whole"]
    return (Piece(data),) if data else ()
