"""The bytes of ``write`` steps, and how each variant of a case cuts them."""

from collections.abc import Iterable
from typing import Any

from channelkit.steps.kinds import Step
from channelkit.wire.segments import Cut, last_frame, named, names, placed
from channelkit.wire.serialization import Serialization
from channelkit.wire.values import expand


def encode(serialization: Serialization, chunks: Iterable[Any]) -> bytes:
    """The bytes of a ``write`` step. Raises :class:`ValueError` or :class:`TypeError` on a bad chunk."""
    out = bytearray()
    for chunk in chunks:
        if isinstance(chunk, str):
            out += chunk.encode()
        elif "hex" in chunk:
            out += bytes.fromhex(chunk["hex"])
        elif "message" in chunk:
            out += serialization.frame(expand(chunk["message"]))
        elif "repeat" in chunk:
            out += chunk["repeat"].encode() * chunk["times"]
        else:
            raise ValueError(f"unknown chunk {chunk!r}")
    return bytes(out)


def written(serialization: Serialization, steps: Iterable[Step]) -> list[tuple[bytes, bool]]:
    """The bytes of each ``write`` step and whether a descriptor comes with them."""
    return [(encode(serialization, step["write"]), "fd" in step) for step in steps if "write" in step]


def variants(serialization: Serialization, steps: Iterable[Step], *, every: bool) -> list[str]:
    """The names of the segmentations that differ for any write, ``whole`` first; only ``whole`` without ``every``."""
    return names(serialization, written(serialization, steps), every=every)


def cut(serialization: Serialization, step: Step, data: bytes, variant: str) -> Cut:
    """How a variant cuts a write, unless the step says it."""
    if step.keys().isdisjoint(("cut", "at")):
        return named(serialization, data, variant, descriptor="fd" in step)
    at = step.get("at", last_frame(serialization, data)) if "fd" in step else None
    return placed(data, step.get("cut", ()), at)
