"""The lifeline: a process, and the tree of processes around it, ends when its peer dies.

A process that is busy does not read the end of its channel, and a thread of it does not run while C code holds the interpreter's lock.
So a second process watches (`watcher.py`). The kernel's own means do not do: PR_SET_PDEATHSIG watches the direct parent only, which may be
a wrapper like `sh -c`, and it fires when the thread that started the child ends. A process group or session is no tree either:
`timeout`, `setsid` and interactive shells make their own. A watcher between the parent and the child, as `PR_SET_CHILD_SUBREAPER` needs it,
would change the process id and the exit status that the parent sees.

Linux only: it needs pidfds and /proc.
"""

from __future__ import annotations

import os
import sys

from nodechannel._transport.owned import OwnedFd
from nodechannel.errors import LifelineUnsupported

TYPE_CHECKING = False
if TYPE_CHECKING:
    import socket
    from collections.abc import MutableMapping

# The peer's credentials, `struct ucred`: three integers.
_UCRED_SIZE = 12

# The marks of the trees that a process belongs to, a mark for each watcher, separated by colons. A descendant is found by it although its
# parent has died. Without the variable a descendant that daemonized itself outlives the peer.
MARKS = "NODECHANNEL_LIFELINE"


def new_mark(environ: MutableMapping[str, str]) -> str:
    """Return the mark of a new tree, after adding it to the environment of its processes."""
    mark = os.urandom(8).hex()
    marks = environ.get(MARKS)
    environ[MARKS] = f"{marks}:{mark}" if marks else mark
    return mark


def follow_peer(sock: socket.SocketType) -> None:
    """End this process, the wrappers around it and its descendants when the process at the other end of a channel dies.

    The other end is the process that made the channel. Where its id is hidden, because it is outside of a container, the end of the channel
    counts as its death. Raises `LifelineUnsupported`, or `OSError` when the watcher cannot be started.
    """
    check()
    import socket
    import struct

    peer, _, _ = struct.unpack("3i", sock.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _UCRED_SIZE))
    mark = new_mark(os.environ)
    if peer > 0:
        _follow(mark, peer, os.getpid())
    else:
        _watch(mark, 0, os.getpid(), OwnedFd.copy(sock.fileno()).detach())


def follow_this_process(mark: str, child: int) -> None:
    """End a child process and its descendants when this process dies; raises the errors of `follow_peer`.

    The child was started with `mark` in its environment.
    """
    check()
    _follow(mark, os.getpid(), child)


def follow_parent() -> None:
    """End this process and its descendants when its parent dies; raises the errors of `follow_peer`."""
    check()
    _follow(new_mark(os.environ), os.getppid(), os.getpid())


def check() -> None:
    """Raise `LifelineUnsupported` where no watcher can be started."""
    if not hasattr(os, "pidfd_open"):
        raise LifelineUnsupported("this system has no pidfd (Linux 5.3 or later has)")
    if getattr(sys, "frozen", False) or not sys.executable:
        raise LifelineUnsupported("a frozen program has no Python interpreter to start the watcher with")


def _follow(mark: str, peer: int, root: int) -> None:
    try:
        sign = os.pidfd_open(peer)
    except ProcessLookupError:  # it died before this process could look
        sign = -1
    _watch(mark, peer, root, sign)


def _watch(mark: str, peer: int, root: int, sign: int) -> None:
    """Start the watcher and wait until it watches; `sign` is closed here."""
    import subprocess

    try:
        root_fd = os.pidfd_open(root)
    except ProcessLookupError:  # a child that has ended already
        os.close(sign)
        return
    try:
        script = os.path.join(os.path.dirname(os.path.abspath(__file__)), "watcher.py")
        subprocess.run(
            [sys.executable, "-I", "-S", script, mark, *map(str, (peer, root, sign, root_fd))],
            pass_fds=[fd for fd in (sign, root_fd) if fd >= 0],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env={name: value for name, value in os.environ.items() if name != MARKS},
            cwd="/",
            start_new_session=True,
            check=True,
        )
    except subprocess.CalledProcessError as error:
        raise LifelineUnsupported(f"the watcher ended with {error.returncode}") from None
    finally:
        os.close(root_fd)
        if sign >= 0:
            os.close(sign)
