"""The Node that the tests run against."""

from __future__ import annotations

import functools
import os
from pathlib import Path

from channelkit.runtimes.node import find_node

ROOT = Path(__file__).resolve().parents[2]
FIXTURES = ROOT / "node-interop" / "fixtures"


@functools.cache
def node() -> str:
    """Return the path of a real Node: the path in NODE, or the first Node of major 18 or later that is found."""
    if chosen := os.environ.get("NODE"):
        return chosen
    found = find_node()
    assert found is not None, "no Node: `make setup` installs one where PATH has none"
    return found.path
