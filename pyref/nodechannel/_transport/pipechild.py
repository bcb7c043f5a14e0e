"""A child process that gets an end of a channel: the block by which a parent passes descriptors of the C runtime; on Windows.

`subprocess` lacks the option, and `os.spawnv` has no options for streams. So a process of `subprocess` is started here by a call of its
own.
Verified under Wine.
"""

from __future__ import annotations

import sys

assert sys.platform == "win32"

import _winapi
import asyncio
import contextlib
import ctypes
import os
import subprocess
from asyncio import windows_utils
from asyncio.base_subprocess import BaseSubprocessTransport
from ctypes import wintypes
from struct import pack

from nodechannel._transport.native import start_new_thread
from nodechannel.errors import NotOnThisSystem

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

CHANNEL_NUMBER = 3
"""The descriptor of the channel in the child, behind the standard streams."""

# How the C runtime marks a descriptor, by the type of the file: a disk file, a device, a pipe.
_OPEN = 1
_MARKS = {1: _OPEN, 2: _OPEN | 0x40, 3: _OPEN | 0x08}

_STANDARD = (_winapi.STD_INPUT_HANDLE, _winapi.STD_OUTPUT_HANDLE, _winapi.STD_ERROR_HANDLE)
_USE_STANDARD_HANDLES = 0x100
_UNICODE_ENVIRONMENT, _EXTENDED = 0x400, 0x80000
_HANDLE_LIST = 0x20002

# Signals that end a process, as libuv takes them.
_DEADLY = (2, 3, 9, 15)


class _StartupInfo(ctypes.Structure):
    _fields_ = (
        ("cb", wintypes.DWORD),
        ("lpReserved", wintypes.LPWSTR),
        ("lpDesktop", wintypes.LPWSTR),
        ("lpTitle", wintypes.LPWSTR),
        *((f"dw{number}", wintypes.DWORD) for number in range(7)),
        ("dwFlags", wintypes.DWORD),
        ("wShowWindow", wintypes.WORD),
        ("cbReserved2", wintypes.WORD),
        ("lpReserved2", ctypes.c_void_p),
        ("standard", wintypes.HANDLE * 3),
        ("lpAttributeList", ctypes.c_void_p),
    )


class _ProcessInformation(ctypes.Structure):
    _fields_ = (
        ("process", wintypes.HANDLE),
        ("thread", wintypes.HANDLE),
        ("process_id", wintypes.DWORD),
        ("thread_id", wintypes.DWORD),
    )


class _Starting:
    """The part of a process of `subprocess` that starts it."""

    def __init__(self, args: Any, *, channel: int, **options: Any) -> None:
        self._channel = channel
        super().__init__(args, **options)  # type: ignore[call-arg]

    def _execute_child(
        self,
        args: Any,
        executable: Any,
        _preexec_fn: Any,
        close_fds: bool,
        _pass_fds: Any,
        cwd: Any,
        env: Any,
        startupinfo: Any,
        creationflags: int,
        shell: bool,
        *ends_and_rest: Any,
    ) -> None:
        """Start the process; the words are those of `subprocess.Popen`."""
        ends = ends_and_rest[:6]
        command = args if isinstance(args, str) else subprocess.list2cmdline(list(args))
        if shell:
            command = f'{os.environ.get("COMSPEC", "cmd.exe")} /c "{command}"'
        sys.audit("subprocess.Popen", executable, command, cwd, env)
        copies = [
            _inheritable(end, number)
            for end, number in zip((ends[0], ends[3], ends[5]), _STANDARD, strict=True)
        ]
        copies.append(_inheritable(self._channel, None))
        try:
            made = _create(
                None if executable is None else os.fsdecode(executable),
                command,
                copies,
                only=bool(close_fds),
                flags=creationflags,
                env=env,
                cwd=None if cwd is None else os.fsdecode(cwd),
                look=startupinfo,
            )
        finally:
            for copy in copies:
                if copy is not None:
                    _winapi.CloseHandle(copy)
            self._close_pipe_fds(*ends)  # type: ignore[attr-defined]
        self._child_created = True
        self._handle = subprocess.Handle(made.process)  # type: ignore[attr-defined]
        self.pid = made.process_id
        _winapi.CloseHandle(made.thread)

    def send_signal(self, sig: int) -> None:
        """End the process for a signal that ends processes elsewhere; the rest are those of `subprocess`."""
        if sig in _DEADLY:
            self.terminate()  # type: ignore[attr-defined]
        else:
            super().send_signal(sig)  # type: ignore[misc]


class ChannelProcess(_Starting, subprocess.Popen[bytes]):
    """A process of `subprocess` with a channel."""


class _OverlappedProcess(_Starting, windows_utils.Popen[bytes]):
    """The same with pipes for an event loop."""


def _inheritable(handle: Any, standard: int | None) -> int | None:
    """Return a copy of a handle that a child inherits; of a standard handle where there is none, or None."""
    found = int(handle)
    if found == -1 and standard is not None:
        found = _winapi.GetStdHandle(standard) or -1
    if found == -1:
        return None
    process = _winapi.GetCurrentProcess()
    try:
        return _winapi.DuplicateHandle(process, found, process, 0, True, _winapi.DUPLICATE_SAME_ACCESS)
    except OSError:  # the standard stream of a program without a console
        if standard is None:
            raise
        return None


def _create(
    executable: str | None,
    command: str,
    handles: Sequence[int | None],
    *,
    only: bool,
    flags: int,
    env: Any,
    cwd: str | None,
    look: Any,
) -> _ProcessInformation:
    """Create a process whose first descriptors are these handles; raises `OSError`."""
    kernel32 = ctypes.WinDLL("kernel32", use_last_error=True)
    marks = bytes(
        0 if handle is None else _MARKS.get(_winapi.GetFileType(handle), _OPEN) for handle in handles
    )
    numbers = b"".join(pack("<q", -1 if handle is None else handle) for handle in handles)
    # [WIN-002]
    block = pack("<i", len(handles)) + marks + numbers
    buffer = ctypes.create_string_buffer(block, len(block))
    info, made = _StartupInfo(), _ProcessInformation()
    info.cb, info.cbReserved2, info.lpReserved2 = ctypes.sizeof(info), len(block), ctypes.addressof(buffer)
    info.dwFlags = _USE_STANDARD_HANDLES | (look.dwFlags if look is not None else 0)
    info.wShowWindow = look.wShowWindow if look is not None else 0
    info.standard[:] = handles[:3]
    attributes = (
        _handle_list(kernel32, [handle for handle in handles if handle is not None]) if only else None
    )
    if attributes is not None:
        info.lpAttributeList = ctypes.addressof(attributes[0])
    texts = "".join(f"{name}={value}\0" for name, value in (os.environ if env is None else env).items())
    created = kernel32.CreateProcessW(
        executable,
        ctypes.create_unicode_buffer(command),
        None,
        None,
        True,
        flags | _UNICODE_ENVIRONMENT | _EXTENDED,
        ctypes.create_unicode_buffer(texts + "\0"),
        cwd,
        ctypes.byref(info),
        ctypes.byref(made),
    )
    if not created:
        raise ctypes.WinError(ctypes.get_last_error())
    return made


def _handle_list(kernel32: Any, handles: list[int]) -> tuple[Any, Any]:
    """Return the attribute by which a child inherits these handles alone, and the memory that it refers to."""
    size = ctypes.c_size_t()
    kernel32.InitializeProcThreadAttributeList(None, 1, 0, ctypes.byref(size))
    attributes = ctypes.create_string_buffer(size.value)
    array = (wintypes.HANDLE * len(handles))(*handles)
    if not kernel32.InitializeProcThreadAttributeList(attributes, 1, 0, ctypes.byref(size)):
        raise ctypes.WinError(ctypes.get_last_error())
    length = ctypes.c_size_t(ctypes.sizeof(array))
    kind = ctypes.c_size_t(_HANDLE_LIST)
    if not kernel32.UpdateProcThreadAttribute(attributes, 0, kind, array, length, None, None):
        raise ctypes.WinError(ctypes.get_last_error())
    return attributes, array


class _SubprocessTransport(BaseSubprocessTransport):
    """A process under any event loop: a thread waits for its end."""

    def _start(
        self, args: Any, shell: bool, stdin: Any, stdout: Any, stderr: Any, bufsize: int, **options: Any
    ) -> None:
        self._proc: Any = _OverlappedProcess(
            args, shell=shell, stdin=stdin, stdout=stdout, stderr=stderr, bufsize=bufsize, **options
        )
        start_new_thread(self._watch, (self._loop, self._proc))

    def _watch(self, loop: asyncio.AbstractEventLoop, process: Any) -> None:
        code = process.wait()
        with contextlib.suppress(RuntimeError):  # the loop is closed
            loop.call_soon_threadsafe(self._process_exited, code)


async def start_for_asyncio(argv: Sequence[Any], options: dict[str, Any]) -> asyncio.subprocess.Process:
    """Start a process as `asyncio.create_subprocess_exec` does.

    Raises `NotOnThisSystem` for a pipe to a stream of the child under an event loop that has none.
    """
    loop = asyncio.get_running_loop()
    streams = [options.pop(name, None) for name in ("stdin", "stdout", "stderr")]
    if asyncio.subprocess.PIPE in streams and not isinstance(loop, asyncio.ProactorEventLoop):
        raise NotOnThisSystem(
            "a pipe to a child's stream under this event loop", "use asyncio.ProactorEventLoop"
        )
    protocol = asyncio.subprocess.SubprocessStreamProtocol(limit=65536, loop=loop)
    waiter = loop.create_future()
    make: Any = _SubprocessTransport
    transport = make(
        loop, protocol, argv, False, *streams, options.pop("bufsize", 0), waiter=waiter, **options
    )
    try:
        await waiter
    except BaseException:
        transport.close()
        await transport._wait()
        raise
    return asyncio.subprocess.Process(transport, protocol, loop)
