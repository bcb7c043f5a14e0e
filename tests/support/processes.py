"""Whether processes run."""

from __future__ import annotations

import time
from contextlib import suppress
from pathlib import Path


def alive(pid: int) -> bool:
    """Tell whether a process runs; a zombie does not."""
    with suppress(OSError):
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    return False


def wait_until_gone(*pids: int) -> None:
    """Wait until none of the processes runs."""
    deadline = time.monotonic() + 20
    while found := [pid for pid in pids if alive(pid)]:
        assert time.monotonic() < deadline, f"still running: {found}"
        time.sleep(0.01)


def children_of(pid: int) -> list[int]:
    """Return the direct children of the main thread of a process."""
    return [int(word) for word in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
