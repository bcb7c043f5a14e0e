"""The names of the system that stand for the same thing on each platform."""

from __future__ import annotations

import _socket
import os
import sys

from nodechannel.errors import NotOnThisSystem

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

WINDOWS = sys.platform == "win32"
"""Whether a channel is a named pipe here, and a descriptor of a socket no number of the C runtime."""

# The right to end a process, on Windows.
_TERMINATE = 1

# Windows knows the family, and Python for Windows does not.
UNIX_FAMILY: int | None = getattr(_socket, "AF_UNIX", None)

# The calls that close and double the descriptor of a socket.
if sys.platform == "win32":
    close_descriptor, double_descriptor = _socket.close, _socket.dup
else:
    close_descriptor, double_descriptor = os.close, os.dup

if sys.platform == "win32":

    def memory() -> int:
        """Return the bytes of memory that this process holds."""
        import ctypes

        class Counters(ctypes.Structure):
            """PROCESS_MEMORY_COUNTERS."""

            _fields_ = (
                ("size", ctypes.c_ulong),
                ("faults", ctypes.c_ulong),
                ("peak", ctypes.c_size_t),
                ("held", ctypes.c_size_t),
                ("others", ctypes.c_size_t * 6),
            )

        found = Counters(size=ctypes.sizeof(Counters))
        this_process = ctypes.c_void_p(-1)
        if not ctypes.WinDLL("kernel32").K32GetProcessMemoryInfo(
            this_process, ctypes.byref(found), found.size
        ):
            raise OSError("the system does not tell the memory of this process")
        return int(found.held)

    def send_signal(pid: int, number: int) -> None:  # noqa: ARG001 (the same call as elsewhere)
        """End a process, which is all that a signal can do here; raises `ProcessLookupError`."""
        import _winapi

        try:
            handle = _winapi.OpenProcess(_TERMINATE, False, pid)
        except OSError:
            raise ProcessLookupError from None
        try:
            _winapi.TerminateProcess(handle, 1)
        except PermissionError:  # it is ending
            pass
        finally:
            _winapi.CloseHandle(handle)

else:

    def memory() -> int:
        """Return the bytes of memory that this process holds, or on systems without /proc the most that it held."""
        from pathlib import Path

        try:
            pages = Path("/proc/self/statm").read_text().split()[1]
            return int(pages) * os.sysconf("SC_PAGE_SIZE")
        except OSError:
            import resource

            unit = 1 if sys.platform == "darwin" else 1024
            return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit

    send_signal = os.kill

# [WIN-049, WIN-050]
CANNOT_TRAVEL: dict[str, str] = (
    {
        "dgram.Socket": "Windows hands no datagram socket on: bind one in the process that uses it",
        "net.BoundSocket": "on Windows a socket that does not listen yet is of no use to the receiver: call listen() before it is sent",
    }
    if WINDOWS
    else {}
)
"""The types of handles that cannot be sent on this system, each with its remedy."""


def require_own(loop: object, wish: str) -> None:
    """Raise `NotOnThisSystem` where an event loop cannot use a socket of another process.

    The socket belongs to the completion port of that process, and the proactor of Windows wants it at a port of its own.
    """
    if WINDOWS and hasattr(loop, "_proactor"):
        raise NotOnThisSystem(wish, "use asyncio.SelectorEventLoop, or the socket with calls that block")


def require_unix(wish: str, remedy: str) -> None:
    """Raise `NotOnThisSystem` on Windows."""
    if WINDOWS:
        raise NotOnThisSystem(wish, remedy)


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
