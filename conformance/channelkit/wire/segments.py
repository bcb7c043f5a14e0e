"""Segmentations: the same bytes in different writes, and the descriptor on different bytes of its frame.

A receiver that depends on where a read ends passes with some segmentations and fails with the rest.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise

from channelkit.wire.serialization import Serialization, split

MOST_SINGLE_BYTES = 4096
"""Longer writes are not cut into single bytes, because this takes long and shows no further fault."""


@dataclass(frozen=True, slots=True)
class Piece:
    """A write: its bytes, whether the descriptor comes with it, whether a probe message stands before the bytes."""

    data: bytes
    descriptor: bool = False
    glued: bool = False


Cut = tuple[Piece, ...]


def cuts(serialization: Serialization, data: bytes, *, descriptor: bool) -> dict[str, Cut]:
    """All different segmentations of a write by name; ``whole`` comes first.

    A ``descriptor`` comes with the last frame of the write. The bytes before that frame are written earlier.
    """
    if not descriptor:
        found = {name: tuple(map(Piece, parts)) for name, parts in _parts(serialization, data).items()}
        found["glued"] = (Piece(data, glued=True),)
    else:
        found = _with_descriptor(serialization, data)
    different: dict[str, Cut] = {}
    for name, pieces in found.items():
        if pieces and pieces not in different.values():
            different[name] = pieces
    return different


def _with_descriptor(serialization: Serialization, data: bytes) -> dict[str, Cut]:
    start = last_frame(serialization, data)
    before, frame = data[:start], data[start:]
    heads = _parts(serialization, before)
    found = {}
    for name, parts in _parts(serialization, frame).items():
        first, *rest = parts or [b""]
        found[name] = (*map(Piece, heads.get(name, ())), Piece(first, descriptor=True), *map(Piece, rest))
    lead = (Piece(before),) if before else ()
    found["glued"] = (Piece(before, glued=True), Piece(frame, descriptor=True))
    for name, at in (("first", 0), ("middle", len(frame) // 2), ("last", len(frame) - 1)):
        head = (Piece(frame[:at]),) if at else ()
        tail = (Piece(frame[at + 1 :]),) if frame[at + 1 :] else ()
        found[f"fd-{name}"] = (*lead, *head, Piece(frame[at : at + 1], descriptor=True), *tail)
    return found


def _parts(serialization: Serialization, data: bytes) -> dict[str, list[bytes]]:
    """The parts of ``data`` by the name of the segmentation; each list is empty when there are no bytes."""
    single = range(1, len(data)) if len(data) <= MOST_SINGLE_BYTES else ()
    places: dict[str, Iterable[int]] = {"whole": (), "bytes": single, **serialization.cuts(data)}
    return {
        name: [data[a:b] for a, b in pairwise((0, *inside, len(data))) if a < b]
        for name, inside in places.items()
    }


def names(serialization: Serialization, writes: list[tuple[bytes, bool]], *, every: bool) -> list[str]:
    """The variants of a case. ``writes`` holds bytes and whether a descriptor comes with them."""
    found = ["whole"]
    if every:
        for data, descriptor in writes:
            found += cuts(serialization, data, descriptor=descriptor)
    return list(dict.fromkeys(found))


def named(serialization: Serialization, data: bytes, name: str, *, descriptor: bool) -> Cut:
    """The segmentation of a write with this name; the whole write when it has no such segmentation."""
    if name == "whole" and not descriptor:
        return (Piece(data),) if data else ()
    found = cuts(serialization, data, descriptor=descriptor)
    return found.get(name, found.get("whole", ()))


def placed(data: bytes, cut: Iterable[int], at: int | None) -> Cut:
    """The segmentation that a case gives a write: cuts before these bytes, and the descriptors with byte ``at``, if it is given."""
    riding = set() if at is None else {at}
    places = sorted({0, len(data), *cut, *riding})
    return tuple(Piece(data[a:b], descriptor=a in riding) for a, b in pairwise(places))


def last_frame(serialization: Serialization, data: bytes) -> int:
    """Where the last frame of a write begins, be it complete or not."""
    frames, rest = split(serialization, data)
    return len(data) - len(rest or (frames[-1] if frames else b""))
