"""The child's side of the bootstrap: adopt the channel that the environment names."""

from __future__ import annotations

import os
import socket
import stat

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
        raise NoChannel
    fd = check(value)
    os.set_inheritable(fd, False)
    # [BOO-005]
    known(serialization)
    # [BOO-010]
    return socket.socket(fileno=fd), serialization


def _number(value: str) -> int:
    if not (value.isascii() and value.isdigit()):
        raise BadChannelFd(value, "not a descriptor number")
    fd = int(value[:10])
    if len(value) > 10 or fd > 2**31 - 1:
        raise BadChannelFd(value, "not a descriptor number")
    return fd


def check(value: str) -> int:
    """Return the descriptor that a value of NODE_CHANNEL_FD names; raises `BadChannelFd` when it cannot be a channel ([BOO-006])."""
    fd = _number(value)
    try:
        mode = os.fstat(fd).st_mode
    except OSError as error:
        raise BadChannelFd(value, "the descriptor is not open") from error
    if not stat.S_ISSOCK(mode):
        raise BadChannelFd(value, "the descriptor is not a socket")
    probe = socket.socket(fileno=fd)
    try:
        if probe.type != socket.SOCK_STREAM:
            raise BadChannelFd(value, "the descriptor is not a stream socket")
        probe.getpeername()
    except OSError as error:
        raise BadChannelFd(value, "the socket is not connected") from error
    finally:
        probe.detach()
    return fd
