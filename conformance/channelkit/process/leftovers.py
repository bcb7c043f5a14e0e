"""Processes that a subject left behind outside its group: found by a mark in their environment, and killed (Linux)."""

import contextlib
import itertools
import os
import secrets
import signal
from pathlib import Path

NAME = "CHANNELKIT_SUBJECT"
"""The variable that marks a subject and all that it starts."""

_run = secrets.token_hex(8)
_numbers = itertools.count(1)
_over: set[bytes] = set()


def new_mark() -> str:
    """The value of :data:`NAME` for a new subject."""
    return f"{_run}-{next(_numbers)}"


def give_up(mark: str) -> None:
    """Says that a subject is over: processes that still have its mark may be killed."""
    _over.add(f"{NAME}={mark}".encode())


def sweep() -> int:
    """Kills the processes that subjects which are over have left; returns how many there were."""
    if not _over:
        return 0
    killed = 0
    with contextlib.suppress(OSError):  # no /proc here
        for entry in Path("/proc").iterdir():
            if entry.name.isdecimal() and _is_left(entry):
                with contextlib.suppress(OSError):
                    os.kill(int(entry.name), signal.SIGKILL)
                    killed += 1
    _over.clear()
    return killed


def _is_left(entry: Path) -> bool:
    try:
        return not _over.isdisjoint((entry / "environ").read_bytes().split(b"\0"))
    except OSError:  # it has ended, or is not ours
        return False
