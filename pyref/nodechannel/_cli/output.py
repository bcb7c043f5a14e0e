"""The reports of the commands on standard error."""

from __future__ import annotations

import os
import sys


def say(text: str) -> None:
    """Write a line to standard error. When its reader is gone, this line and all later lines are dropped.

    A report must not end the program that makes it; workers that inherited standard error keep it as it is.
    """
    if sys.stderr is None:  # it was closed when the program started
        return
    text = text.encode("utf-8", "backslashreplace").decode()  # a worker may have sent a lone surrogate
    try:
        print(f"nodechannel: {text}", file=sys.stderr, flush=True)
    except (OSError, ValueError):
        # The unwritten text would fail again at exit, and change the exit status.
        sys.stderr = open(os.devnull, "w")  # noqa: SIM115, PTH123 (it stays open until the end)
