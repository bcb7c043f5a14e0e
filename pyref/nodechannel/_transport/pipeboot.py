"""A new channel as two ends of a named pipe, and the adoption of the end that came from a parent; on Windows.

Verified under Wine.
"""

from __future__ import annotations

import sys

assert sys.platform == "win32"

import _winapi
import msvcrt
import os

from nodechannel._transport.pipechild import CHANNEL_NUMBER, ChannelProcess, start_for_asyncio
from nodechannel._transport.pipelink import NamedPipe, server_process
from nodechannel._transport.threaded import ThreadedTransport

TYPE_CHECKING = False
if TYPE_CHECKING:
    import subprocess
    from typing import Any

__all__ = [
    "adopter",
    "claim",
    "drop",
    "hand_down",
    "keep_from_exec",
    "meet",
    "new_pair",
    "number_in_child",
    "start",
    "start_for_asyncio",
    "unfit",
]

_KINDS = {1: "a file", 2: "a device"}
_PIPE = 3

# As in libuv.
_BUFFER_SIZE = 65536
_REJECT_REMOTE_CLIENTS = 8


def new_pair() -> tuple[ThreadedTransport, int]:
    """Return the parent's end of a new channel, and the handle of the child's end, which is not inherited; raises `OSError`."""
    # [WIN-001]
    name = rf"\\.\pipe\nodechannel-{os.getpid()}-{os.urandom(16).hex()}"
    parent = _winapi.CreateNamedPipe(
        name,
        _winapi.PIPE_ACCESS_DUPLEX | _winapi.FILE_FLAG_OVERLAPPED | _winapi.FILE_FLAG_FIRST_PIPE_INSTANCE,
        _winapi.PIPE_WAIT | _REJECT_REMOTE_CLIENTS,
        1,
        _BUFFER_SIZE,
        _BUFFER_SIZE,
        0,
        _winapi.NULL,
    )
    try:
        access = _winapi.GENERIC_READ | _winapi.GENERIC_WRITE
        child = _winapi.CreateFile(
            name, access, 0, _winapi.NULL, _winapi.OPEN_EXISTING, _winapi.FILE_FLAG_OVERLAPPED, _winapi.NULL
        )
        _winapi.ConnectNamedPipe(parent, overlapped=True).GetOverlappedResult(True)
    except OSError:
        _winapi.CloseHandle(parent)
        raise
    return ThreadedTransport(NamedPipe(parent)), child


def number_in_child(_handle: int) -> int:
    """Return the number of the descriptor that a child finds the channel under."""
    return CHANNEL_NUMBER


def drop(handle: int) -> None:
    """Close this process's copy of the child's end."""
    _winapi.CloseHandle(handle)


def meet(parent: ThreadedTransport, pid: int) -> None:
    """Tell an end the process at the far end: sockets are described for it."""
    parent.meet(pid)


def hand_down(handle: int, options: dict[str, Any]) -> None:
    """Add the means that pass the child's end to the options of `start`."""
    options["channel"] = handle


def start(argv: Any, options: dict[str, Any]) -> subprocess.Popen[Any]:
    """Start a process as `subprocess.Popen` does."""
    return ChannelProcess(argv, **options)


def unfit(fd: int) -> str | None:
    """Say why a descriptor of the C runtime cannot come from a parent, None if it can ([BOO-006])."""
    try:
        handle = msvcrt.get_osfhandle(fd)
    except OSError:
        return "the descriptor is not open"
    kind = _winapi.GetFileType(handle)
    if kind != _PIPE:
        return f"the descriptor is not a named pipe but {_KINDS.get(kind, 'another kind of file')}"
    if server_process(handle) is None:
        return "the descriptor is not an end of a named pipe"
    return None


def adopter(fd: int) -> int | None:  # noqa: ARG001 (the same call as elsewhere)
    """Return None: the system does not tell which process has adopted a channel."""
    return None


def keep_from_exec(fd: int) -> None:
    """Close a descriptor in all programs that this process starts from now on."""
    os.set_inheritable(fd, False)


def claim(fd: int) -> ThreadedTransport:
    """Return the end at a descriptor that this process adopts; the descriptor is closed."""
    # [WIN-003]
    process, handle = _winapi.GetCurrentProcess(), msvcrt.get_osfhandle(fd)
    parent = server_process(handle) or 0  # [WIN-043]
    # [WIN-005]
    copy = _winapi.DuplicateHandle(process, handle, process, 0, False, _winapi.DUPLICATE_SAME_ACCESS)
    os.close(fd)
    return ThreadedTransport(NamedPipe(copy, parent))
