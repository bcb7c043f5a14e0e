"""The child's side of the bootstrap: adopt the channel that the environment names."""

from __future__ import annotations

import _socket
import fcntl
import os
import socket
import stat
import sys

from nodechannel._start.serialization import JSON, known
from nodechannel.errors import BadChannelFd, NoChannel

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import MutableMapping

CHANNEL_FD = "NODE_CHANNEL_FD"
SERIALIZATION_MODE = "NODE_CHANNEL_SERIALIZATION_MODE"


def adopt(environ: MutableMapping[str, str] | None = None) -> tuple[socket.socket, str]:
    """Take the channel out of the environment; return its socket and the name of its serialization.

    The variables are removed at once, whatever follows ([BOO-003]): a grandchild that saw them would take a foreign descriptor for its
    own channel. The descriptor is marked close-on-exec ([BOO-004]).

    Raises `NoChannel`, `BadChannelFd` or `UnsupportedSerialization`.
    """
    environ = os.environ if environ is None else environ
    # [BOO-009]
    value = environ.pop(CHANNEL_FD, "")
    # [BOO-002]
    serialization = environ.pop(SERIALIZATION_MODE, "") or JSON
    # [BOO-001]
    if not value:
        raise NoChannel(_hint())
    fd = check(value)
    os.set_inheritable(fd, False)
    # [BOO-005]
    known(serialization)
    # The mark belongs to the description, which other processes may have inherited too: their `check` sees it.
    fcntl.fcntl(fd, fcntl.F_SETOWN, os.getpid())
    # [BOO-010]
    return socket.socket(fileno=fd), serialization


def _hint() -> str:
    """Say where the channel is, as far as it can be known."""
    if "__mp_main__" in sys.modules or "multiprocessing.spawn" in sys.modules:
        return "this process was started by multiprocessing (so do uvicorn --workers and --reload); the channel is in the first process"
    return ""


def _number(value: str) -> int:
    if not (value.isascii() and value.isdigit()):
        raise BadChannelFd(value, "not a descriptor number")
    fd = int(value[:10])
    if len(value) > 10 or fd > 2**31 - 1:
        raise BadChannelFd(value, "not a descriptor number")
    return fd


def check(value: str) -> int:
    """Return the descriptor that a value of NODE_CHANNEL_FD names.

    Raises `BadChannelFd` unless it is what a parent can have passed: one end of a connected pair of nameless Unix stream sockets, which
    came through exec and which no other living process has adopted ([BOO-006]).
    """
    fd = _number(value)
    try:
        mode = os.fstat(fd).st_mode
    except OSError as error:
        raise BadChannelFd(value, f"the descriptor is not open; {_LAUNCHER}") from error
    if not stat.S_ISSOCK(mode):
        raise BadChannelFd(value, f"the descriptor is not a socket but {_kind(mode)}; {_LAUNCHER}")
    # A second descriptor: an exception of a signal handler would have the object close the first one.
    # The system's own type: that of eventlet does not tell the family.
    probe = _socket.socket(fileno=os.dup(fd))
    try:
        if reason := _foreign(fd, probe):
            raise BadChannelFd(value, f"{reason}; {_LAUNCHER}")
    finally:
        probe.close()
    owner = fcntl.fcntl(fd, fcntl.F_GETOWN)
    if owner not in (0, os.getpid()) and _lives(owner):
        raise BadChannelFd(
            value,
            f"process {owner} has adopted the channel; of the processes that inherit one, a single one can use it",
        )
    return fd


# What has happened where the descriptor is another one than the parent passed.
_LAUNCHER = (
    "a launcher between the parent and this program may have closed the channel and kept the environment: "
    "let it pass the descriptor on (subprocess: close_fds=False or pass_fds)"
)

_KINDS = {
    stat.S_IFREG: "a file",
    stat.S_IFIFO: "a pipe",
    stat.S_IFCHR: "a device",
    stat.S_IFDIR: "a directory",
}


def _kind(mode: int) -> str:
    return _KINDS.get(stat.S_IFMT(mode), "another kind of file")


def _foreign(fd: int, sock: _socket.socket) -> str | None:
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
    # What Python opens itself is not inheritable; what came through exec is.
    if not os.get_inheritable(fd):
        return "the socket did not come from the parent: this process opened it"
    return None


def _lives(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass
    return True
