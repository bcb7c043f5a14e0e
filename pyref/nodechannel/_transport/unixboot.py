"""A new channel as a pair of descriptors, and the adoption of a descriptor that came through exec."""

from __future__ import annotations

import fcntl
import os
import socket
import stat

from nodechannel._transport.owned import socket_of_copy

TYPE_CHECKING = False
if TYPE_CHECKING:
    import asyncio
    import subprocess
    from collections.abc import Sequence
    from typing import Any

# Descriptors 0 to 2 belong to the standard streams.
_LOWEST_FD = 3

_KINDS = {
    stat.S_IFREG: "a file",
    stat.S_IFIFO: "a pipe",
    stat.S_IFCHR: "a device",
    stat.S_IFDIR: "a directory",
}


# [BOO-011, BOO-015, BOO-016]
def new_pair() -> tuple[socket.socket, int]:
    """Return the parent's end of a new channel, and the descriptor of the child's end, which closes on exec; raises `OSError`."""
    parent, child = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        # The lowest number that is free: shells cannot redirect to descriptors of several digits.
        return parent, fcntl.fcntl(child.fileno(), fcntl.F_DUPFD_CLOEXEC, _LOWEST_FD)
    except OSError:
        parent.close()
        raise
    finally:
        child.close()


def number_in_child(fd: int) -> int:
    """Return the number of the descriptor that a child finds the channel under."""
    return fd


def drop(fd: int) -> None:
    """Close this process's copy of the child's end."""
    os.close(fd)


def meet(parent: socket.socket, pid: int) -> None:
    """Change no state: an end at a socket need not know the process at the far end."""


# [BOO-012]
def hand_down(fd: int, options: dict[str, Any]) -> None:
    """Add the means that pass the child's end to the options of `start`."""
    options["pass_fds"] = (*options.get("pass_fds", ()), fd)


def start(argv: Any, options: dict[str, Any]) -> subprocess.Popen[Any]:
    """Start a process."""
    import subprocess

    return subprocess.Popen(argv, **options)


async def start_for_asyncio(argv: Sequence[Any], options: dict[str, Any]) -> asyncio.subprocess.Process:
    """Start a process under an event loop."""
    import asyncio

    return await asyncio.create_subprocess_exec(*argv, **options)


def unfit(fd: int) -> str | None:
    """Say why a descriptor cannot come from a parent, None if it can ([BOO-006]).

    A parent passes an end of a connected pair of nameless Unix stream sockets, which comes through exec.
    """
    try:
        mode = os.fstat(fd).st_mode
    except OSError:
        return "the descriptor is not open"
    if not stat.S_ISSOCK(mode):
        return f"the descriptor is not a socket but {_KINDS.get(stat.S_IFMT(mode), 'another kind of file')}"
    # A second descriptor: an exception of a signal handler would have the object close the first.
    probe = socket_of_copy(fd)
    try:
        return _foreign(fd, probe)
    finally:
        probe.close()


def _foreign(fd: int, sock: socket.SocketType) -> str | None:
    """Say why a socket cannot be the child's end of a channel, None if it can."""
    if sock.type != socket.SOCK_STREAM:
        return "the descriptor is not a stream socket"
    try:
        peer = sock.getpeername()
    except OSError:
        return "the socket is not connected"
    if sock.family != socket.AF_UNIX:
        return f"the socket is not a Unix socket but one that is connected to {peer!r:.80}"
    if peer or sock.getsockname():
        return "the socket has a name, which no channel has"
    # A descriptor that Python opened is not inheritable; a descriptor that came through exec is.
    if not os.get_inheritable(fd):
        return "the socket did not come from the parent: this process opened it (for a channel over a socket of your own: Channel(socket))"
    return None


def adopter(fd: int) -> int | None:
    """Return the number of another living process that has adopted the channel of a descriptor, None if there is none."""
    owner = fcntl.fcntl(fd, fcntl.F_GETOWN)
    return owner if owner not in (0, os.getpid()) and _lives(owner) else None


def _lives(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass
    return True


def keep_from_exec(fd: int) -> None:
    """Close a descriptor in all programs that this process starts from now on."""
    os.set_inheritable(fd, False)


def claim(fd: int) -> socket.socket:
    """Return the socket of a descriptor that this process adopts."""
    # The mark belongs to the description, which further processes may have inherited too: their `adopter` sees it.
    fcntl.fcntl(fd, fcntl.F_SETOWN, os.getpid())
    # [BOO-010]
    return socket.socket(fileno=fd)
