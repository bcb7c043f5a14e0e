"""The child's side of the bootstrap: adopt the channel that the environment names."""

from __future__ import annotations

import os
import sys

from nodechannel._start.serialization import JSON, known
from nodechannel._transport.bootstrap import adopter, claim, keep_from_exec, unfit
from nodechannel.errors import BadChannelFd, NoChannel

TYPE_CHECKING = False
if TYPE_CHECKING:
    import socket
    from collections.abc import MutableMapping

CHANNEL_FD = "NODE_CHANNEL_FD"
SERIALIZATION_MODE = "NODE_CHANNEL_SERIALIZATION_MODE"


def adopt(environ: MutableMapping[str, str] | None = None) -> tuple[socket.socket, str]:
    """Take the channel out of the environment; return its socket and the name of its serialization.

    The variables are removed at once, before any check ([BOO-003]): a grandchild that saw them would take a foreign descriptor for its
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
    keep_from_exec(fd)
    # [BOO-005]
    known(serialization)
    return claim(fd), serialization


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

    Raises `BadChannelFd` unless a parent can have passed it: an end of a connected pair of nameless Unix stream sockets, which
    came through exec and which no other living process has adopted ([BOO-006]).
    """
    fd = _number(value)
    if reason := unfit(fd):
        raise BadChannelFd(value, f"{reason}; {_LAUNCHER}")
    other = adopter(fd)
    if other is not None:
        raise BadChannelFd(
            value,
            f"process {other} has adopted the channel; of the processes that inherit one, a single one can use it",
        )
    return fd


# The cause where the descriptor is not the one that the parent passed.
_LAUNCHER = (
    "a launcher between the parent and this program may have closed the channel and kept the environment: "
    "let it pass the descriptor on (subprocess: close_fds=False or pass_fds)"
)
