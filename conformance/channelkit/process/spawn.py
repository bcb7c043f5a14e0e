"""Starts a process the way Node starts a child: the channel on descriptor 3, blocking, signals at their defaults.

The module uses ``posix_spawn`` and not ``subprocess``. The channel's number matters to small shells, which know only one-digit
descriptors. A thread in Python cannot renumber descriptors between fork and exec.
"""

import fcntl
import os
import signal
from collections.abc import Mapping, Sequence

CHANNEL = 3
"""Number of the channel in the child, as Node's ``fork`` gives it."""


_SLOW = "NODE_EXTRA_CA_CERTS"
"""Up to version 20 Node reads all these certificates when it starts. That takes longer than the rest of its start."""


def environment(extra: Mapping[str, str]) -> dict[str, str]:
    """The runner's environment without a channel of its own, and ``extra``."""
    kept = {
        key: value
        for key, value in os.environ.items()
        if not key.startswith("NODE_CHANNEL_") and key != _SLOW
    }
    return {**kept, **extra}


def spawn(argv: Sequence[str], env: Mapping[str, str], descriptors: Mapping[int, int]) -> int:
    """Starts ``argv`` in a session of its own and returns its pid.

    ``descriptors`` maps numbers in the child to descriptors of the runner; the child inherits no further descriptor.
    Raises :class:`OSError` when the program cannot be started.
    """
    # All sources get high numbers first, because a source must be no target of an earlier action.
    beyond = max(descriptors) + 7
    lifted = {
        target: fcntl.fcntl(source, fcntl.F_DUPFD_CLOEXEC, beyond) for target, source in descriptors.items()
    }
    try:
        return os.posix_spawnp(
            argv[0],
            list(argv),
            env,
            file_actions=[(os.POSIX_SPAWN_DUP2, source, target) for target, source in lifted.items()],
            setsid=True,
            setsigmask=[],
            setsigdef=[signal.SIGPIPE, signal.SIGINT, signal.SIGTERM],
        )
    finally:
        for descriptor in lifted.values():
            os.close(descriptor)


def kill_group(pid: int) -> None:
    """Kills the process that :func:`spawn` returned and every descendant that stayed in its group."""
    try:
        os.killpg(pid, signal.SIGKILL)
    except (ProcessLookupError, PermissionError):  # macOS answers EPERM for a group of zombies
        return
