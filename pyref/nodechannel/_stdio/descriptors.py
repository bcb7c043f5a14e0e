"""The descriptors of standard streams: this process's own, and those of a child."""

from __future__ import annotations

import os
import stat
import sys
from contextlib import suppress

from nodechannel._start.env import CHANNEL_FD, SERIALIZATION_MODE
from nodechannel._transport.system import require_unix
from nodechannel.errors import StreamsUnavailable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any, Self

    from nodechannel._stdio.options import StartOptions

STDIN, STDOUT, STDERR = 0, 1, 2

# Descriptors 0 to 2 belong to the standard streams.
_LOWEST_FD = 3

# Bytes that a pipe of a child holds. A Node child that calls `process.exit` loses the bytes that its pipe did not take.
PIPE_SIZE = 1 << 20

# Variables of a channel that belongs to this process alone.
_OF_THIS_PROCESS = (CHANNEL_FD, SERIALIZATION_MODE, "NODE_UNIQUE_ID")

_WISH = "to carry messages over standard streams"

_taken: list[bool] = []


def take_streams() -> tuple[int, int]:
    """Take the standard streams for messages; return private descriptors for reading and writing.

    From now on descriptor 0 is at its end, and descriptor 1 is the standard error stream. So no `print`, no C library and no child of this
    process reads or writes messages. Raises `StreamsUnavailable`, and `NotOnThisSystem` on Windows.
    """
    require_unix(_WISH, "open a channel instead, with nodechannel.connect() and 'ipc' in the parent's stdio")
    import fcntl

    if _taken:
        raise StreamsUnavailable("they carry the messages of another channel of this process already")
    try:
        # [STD-030]
        reader = fcntl.fcntl(STDIN, fcntl.F_DUPFD_CLOEXEC, _LOWEST_FD)
    except OSError:
        raise StreamsUnavailable(
            "standard input is closed; start this process with a pipe as its standard input"
        ) from None
    try:
        writer = fcntl.fcntl(STDOUT, fcntl.F_DUPFD_CLOEXEC, _LOWEST_FD)
    except OSError:
        os.close(reader)
        raise StreamsUnavailable(
            "standard output is closed; start this process with a pipe as its standard output"
        ) from None
    _taken.append(True)
    _replace_streams()
    return reader, writer


def _replace_streams() -> None:
    """Put the null device in the place of standard input, and standard error in that of standard output."""
    null = os.open(os.devnull, os.O_RDWR)
    try:
        # [STD-032]
        os.dup2(null, STDIN)
        # [STD-031]
        try:
            os.dup2(STDERR, STDOUT)
        except OSError:  # standard error is closed
            os.dup2(null, STDOUT)
    finally:
        if null > STDERR:
            os.close(null)
    # Printed text shows at once, as on standard error.
    with suppress(AttributeError, ValueError):
        sys.stdout.reconfigure(line_buffering=True)  # type: ignore[union-attr]


class ChildStreams:
    """Both ends of the two pipes of a child, until it runs. A context manager closes the child's ends.

    Raises `NotOnThisSystem` on Windows.

    Attributes:
        reader: where this process reads.
        writer: where this process writes.
    """

    def __init__(self) -> None:
        require_unix(_WISH, "open a channel instead, with nodechannel.fork() or spawn()")
        import fcntl

        self.reader, self._stdout = os.pipe()
        try:
            self._stdin, self.writer = os.pipe()
        except OSError:
            os.close(self.reader)
            os.close(self._stdout)
            raise
        for end in (self._stdout, self.writer):
            # [STD-034] More than a user's share of memory for pipes is refused.
            with suppress(OSError, AttributeError):
                fcntl.fcntl(end, fcntl.F_SETPIPE_SZ, PIPE_SIZE)

    def popen_options(self, options: StartOptions) -> dict[str, Any]:
        """Return the options for starting the process."""
        return {
            **options,
            "env": _environment(options.get("env")),
            "stdin": self._stdin,
            "stdout": self._stdout,
        }

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: object, error: object, trace: object) -> None:
        # [STD-033]
        os.close(self._stdin)
        os.close(self._stdout)
        if error is not None:
            os.close(self.reader)
            os.close(self.writer)


def _environment(env: Mapping[str, str] | None) -> dict[str, str]:
    """Return the child's environment; a channel of this process is none of the child's."""
    if env is not None:
        return dict(env)
    # [STD-035]
    return {name: value for name, value in os.environ.items() if name not in _OF_THIS_PROCESS}


class NonBlocking:
    """A descriptor that does not wait as long as this holds it. Files and terminals are left as they are.

    The mode belongs to the open file and not to the descriptor, so a process that shares it gets the old mode back.
    """

    def __init__(self, fd: int) -> None:
        mode = os.fstat(fd).st_mode
        self._fd = fd
        self._changed = (stat.S_ISFIFO(mode) or stat.S_ISSOCK(mode)) and os.get_blocking(fd)
        if self._changed:
            os.set_blocking(fd, False)

    def close(self) -> None:
        """Restore the mode, and close the descriptor."""
        if self._changed:
            os.set_blocking(self._fd, True)
        os.close(self._fd)

    def forget(self) -> None:
        """Close the descriptor alone."""
        os.close(self._fd)
