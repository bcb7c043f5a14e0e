"""The codecs that give the same answers, and a mark for tests of the codec that may be absent."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import pytest

from nodechannel._json import exact, writing

try:
    from nodechannel._json import fast
except ModuleNotFoundError:
    READERS: list[Any] = [exact]
    WRITERS: list[Any] = [writing]
else:
    READERS = [exact, fast]
    WRITERS = [writing, fast]

needs_orjson = pytest.mark.skipif(len(READERS) < 2, reason="orjson is not installed")


def run(program: str) -> str:
    """Run a program in a new interpreter; return its output."""
    done = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
        process_group=0,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout
