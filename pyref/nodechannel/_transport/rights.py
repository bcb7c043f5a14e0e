"""The control messages that carry descriptors over a Unix socket."""

from __future__ import annotations

import os
import socket
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from nodechannel._transport.owned import OwnedFd

# The most descriptors that Linux lets a message carry. Room for all of them means that a truncated control message
# has a single cause: the descriptor table of this process is full.
SCM_MAX_FD = 253

# The flag of a message whose descriptors did not all fit.
TRUNCATED = int(socket.MSG_CTRUNC)

# Windows has no control messages.
_SOL_SOCKET, _SCM_RIGHTS = socket.SOL_SOCKET, getattr(socket, "SCM_RIGHTS", -1)
# Systems that cannot mark received descriptors close-on-exec within the call.
_MARK_CLOEXEC = not hasattr(socket, "MSG_CMSG_CLOEXEC")
_FD_SIZE = 4  # of an int of C
_WHOLE = -_FD_SIZE  # a mask: the system may cut the data of a control message anywhere
ANCILLARY_SIZE = socket.CMSG_SPACE(SCM_MAX_FD * _FD_SIZE) if hasattr(socket, "CMSG_SPACE") else 0


def pack_rights(fd: OwnedFd) -> tuple[tuple[int, int, bytes]]:
    """Return the control message that passes a descriptor ([HND-004]: never more)."""
    return ((_SOL_SOCKET, _SCM_RIGHTS, fd.fileno().to_bytes(_FD_SIZE, sys.byteorder)),)


def descriptors_in(ancillary: Iterable[tuple[int, int, bytes]]) -> list[int]:
    """Return the descriptors of received control messages in order of arrival. They have no owner yet."""
    found: list[int] = []
    for level, kind, data in ancillary:
        if level == _SOL_SOCKET and kind == _SCM_RIGHTS:
            found += memoryview(data)[: len(data) & _WHOLE].cast("i")
    if _MARK_CLOEXEC:
        for fd in found:
            os.set_inheritable(fd, False)
    return found
