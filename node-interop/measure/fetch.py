"""The runtimes that are measured: a column for each of those that the kit pins in `conformance/runtimes.json`, and fetches."""

from __future__ import annotations

from dataclasses import dataclass

from channelkit.runtimes import fetch as kit
from channelkit.runtimes.pinned import named, runtimes

# Words before a script.
_WORDS = {"deno": ("run", "-A", "--quiet")}


@dataclass(frozen=True)
class Runtime:
    """One measured runtime: the head of its column, its exact version and how to start a script with it."""

    name: str
    version: str
    command: tuple[str, ...]


# Heads of columns and the kit's names of the runtimes.
COLUMNS = {
    one.name.replace("node@", "Node ") if one.name.startswith("node@") else one.name.title(): one.name
    for one in runtimes()
    if not one.historical
}


def fetch(names: list[str]) -> list[Runtime]:
    """Return the runtimes (those of `names`, when there are any), fetching what the kit's cache lacks."""
    return [
        Runtime(head, named(name).version, (str(kit.fetch(named(name))), *_WORDS.get(name, ())))
        for head, name in COLUMNS.items()
        if not names or head in names
    ]
