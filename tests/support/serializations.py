"""Which serializations a test spoke, seen in the wire traces of all its processes."""

from __future__ import annotations

import os
import re
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

TRACE = "NODECHANNEL_TRACE"

# A line of a trace with a frame of each serialization: JSON begins with a value, an advanced frame with its header.
FRAMES = {
    "json": re.compile(r" fd \d+ (?:->|<-) (?:[\[{\"\d]|-\d|true|false|null)"),
    "advanced": re.compile(r" fd \d+ (?:->|<-) \\xff"),
}


def trace_into(folder: Path) -> None:
    """Let each process that starts from now on, and each channel of this process, write its frames to a file of its own."""
    os.environ[TRACE] = str(folder / "%p")


@contextmanager
def seen_meanwhile() -> Iterator[list[str]]:
    """Fill the list, at the end of the block, with the serializations that were spoken in it."""
    folder = Path(os.environ[TRACE]).parent
    before = {path: path.stat().st_size for path in folder.iterdir()}
    seen: list[str] = []
    yield seen
    lines = [line for path in folder.iterdir() for line in _lines_since(path, before.get(path, 0))]
    seen += [name for name, frame in FRAMES.items() if any(map(frame.search, lines))]


def _lines_since(path: Path, size: int) -> list[str]:
    with path.open("rb") as file:
        file.seek(size)
        return file.read().decode(errors="replace").splitlines()
