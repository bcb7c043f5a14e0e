"""The measured runtimes: a column for each major of Node from 12 on, for Bun and for Deno, as `conformance/runtimes.json` pins them."""

from __future__ import annotations

import math
from dataclasses import dataclass

from channelkit.runtimes import fetch as kit
from channelkit.runtimes.pinned import named, runtimes

# Words before a script.
_WORDS = {"deno": ("run", "-A", "--quiet")}


@dataclass(frozen=True)
class Runtime:
    """A measured runtime: the head of its column, its exact version and how to start a script with it."""

    name: str
    version: str
    command: tuple[str, ...]


def _majors(oldest: float, youngest: float) -> dict[str, str]:
    """Heads of columns and the kit's names of the majors of Node in a range."""
    names = [one.name for one in runtimes() if one.name.startswith("node@")]
    return {
        name.replace("node@", "Node "): name
        for name in names
        if oldest <= float(name.removeprefix("node@")) <= youngest
    }


COLUMNS = _majors(12, math.inf) | {"Bun": "bun", "Deno": "deno"}
# For the few sentences about older versions.
OLDER = _majors(4, 11)


def fetch(names: list[str]) -> list[Runtime]:
    """Return the runtimes of these columns, fetching those that the kit's cache lacks."""
    return [
        Runtime(head, named(name).version, (str(kit.fetch(named(name))), *_WORDS.get(name, ())))
        for head, name in (COLUMNS | OLDER).items()
        if head in names
    ]
