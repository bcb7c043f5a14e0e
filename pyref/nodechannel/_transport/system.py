"""The names of the system that stand for the same thing on each platform."""

from __future__ import annotations

import _socket
import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

WINDOWS = sys.platform == "win32"
"""Whether a channel is a named pipe here, and a descriptor of a socket no number of the C runtime."""

# Windows knows the family, and Python for Windows does not.
UNIX_FAMILY: int | None = getattr(_socket, "AF_UNIX", None)

# What closes and doubles the descriptor of a socket.
if sys.platform == "win32":
    close_descriptor, double_descriptor = _socket.close, _socket.dup
else:
    close_descriptor, double_descriptor = os.close, os.dup

CANNOT_TRAVEL: dict[str, str] = (
    {
        "dgram.Socket": "Windows hands no datagram socket on: bind one in the process that uses it",
        "net.BoundSocket": "on Windows a socket that does not listen yet is of no use to the receiver: call listen() before it is sent",
    }
    if WINDOWS
    else {}
)
"""The types of handles that cannot be sent on this system, each with its remedy."""


def at_fork(
    *,
    before: Callable[[], object] | None = None,
    after_in_parent: Callable[[], object] | None = None,
    after_in_child: Callable[[], object] | None = None,
) -> None:
    """Have functions called around each fork, where the system forks."""
    hooks = {"before": before, "after_in_parent": after_in_parent, "after_in_child": after_in_child}
    if hasattr(os, "register_at_fork"):
        os.register_at_fork(**{name: hook for name, hook in hooks.items() if hook is not None})
