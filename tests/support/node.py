"""The Node that the tests run against."""

from __future__ import annotations

import functools
from pathlib import Path

from channelkit.runtimes import find_node

ROOT = Path(__file__).resolve().parents[2]
FIXTURES = ROOT / "node-interop" / "fixtures"


@functools.cache
def node() -> str:
    """Return the path of a real Node of major 18 or later."""
    found = find_node()
    assert found is not None, "no Node: `make setup` installs one where PATH has none"
    return found.path
