"""``--attach``: holds a subject before its first instruction, so that a debugger can be attached to it."""

import os
import signal
import sys
from collections.abc import Sequence

PATIENCE = 1000.0
"""The limits of time grow by this factor for a subject under a debugger."""


def held(command: Sequence[str]) -> tuple[str, ...]:
    """A command that stops before it becomes ``command``, in the same process."""
    return ("sh", "-c", 'kill -STOP $$; exec "$@"', "sh", *command)


def offer(pid: int, command: Sequence[str]) -> None:
    """Prints the number of the process, waits for a line on stdin and lets the process go."""
    print(f"attach: process {pid} is stopped before it becomes `{' '.join(command)}`")
    print(
        f"attach: for example `gdb -p {pid}`, `strace -p {pid}` or `lldb -p {pid}`; then press Enter here",
        flush=True,
    )
    sys.stdin.readline()
    os.killpg(pid, signal.SIGCONT)
