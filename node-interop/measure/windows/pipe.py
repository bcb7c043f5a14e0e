"""A raw end of the channel on Windows, and the Node at the far end."""

from __future__ import annotations

import sys

assert sys.platform == "win32"

import _winapi
import itertools
import json
import msvcrt
import os
import socket
import struct
import subprocess
import tempfile
import time
from contextlib import suppress
from pathlib import Path
from typing import Any, Self

PATIENCE = 20.0
"""Seconds for an event that is expected."""
SILENCE = 1.5
"""Seconds in which an event that should not come would have come."""
HEADER = struct.Struct("<4I")
DATA, SOCKET, CONNECTION = 1, 2, 4
INFO, BLOCK = 628, 632
BUFFER = 65536
ABORTS = (3, 134, 0xC0000409, 0x80000003)
"""Statuses of a process that ended itself by `abort` or by a failed assertion."""
DISCONNECTED, THREW = 70, 71
"""Statuses by which the echo says why it ended."""

ECHO = f"""
const net = require('net'), dgram = require('dgram');
const kind = (h) => h instanceof net.Server ? 'net.Server' : h instanceof net.Socket ? 'net.Socket' : undefined;
process.on('message', (message, handle) => {{
  if (message && message.run) return eval(message.run);
  process.send({{ got: message, handle: kind(handle) }});
  if (handle instanceof net.Socket) handle.end('served');
  if (handle instanceof net.Server) handle.on('connection', (socket) => socket.end('served'));
}});
process.on('disconnect', () => process.exit({DISCONNECTED}));
process.on('uncaughtException', () => process.exit({THREW}));
"""

_numbers = itertools.count(1)


def pair() -> tuple[int, int]:
    """Return both ends of a pipe as libuv makes it."""
    name = rf"\\.\pipe\measure-{os.getpid()}-{next(_numbers)}"
    mode = _winapi.PIPE_ACCESS_DUPLEX | _winapi.FILE_FLAG_OVERLAPPED | _winapi.FILE_FLAG_FIRST_PIPE_INSTANCE
    ours = _winapi.CreateNamedPipe(name, mode, 0, 1, BUFFER, BUFFER, 0, _winapi.NULL)
    access = _winapi.GENERIC_READ | _winapi.GENERIC_WRITE
    theirs = _winapi.CreateFile(
        name, access, 0, _winapi.NULL, _winapi.OPEN_EXISTING, _winapi.FILE_FLAG_OVERLAPPED, _winapi.NULL
    )
    _winapi.ConnectNamedPipe(ours, overlapped=True).GetOverlappedResult(True)
    return ours, theirs


class Peer:
    """A Node that echoes, started with an end of a pipe, whose far end is ours."""

    def __init__(self, node: str) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="measure-", ignore_cleanup_errors=True)
        script = Path(self._folder.name) / "echo.js"
        script.write_text(ECHO, "utf-8")
        self._pipe, theirs = pair()
        self._buffer = b""
        self._lines = b""
        self._probes = itertools.count(1)
        self.raw: list[tuple[int, int, int, int, bytes, bytes]] = []
        """Every header that came, with the block and the data behind it."""
        self.ended_with = 0
        """The error of the read or write that found the end."""
        number = msvcrt.open_osfhandle(theirs, 0)
        os.set_inheritable(number, True)
        env = {key: value for key, value in os.environ.items() if not key.startswith("NODE_")}
        words = [subprocess.list2cmdline([word]) for word in (node, str(script))]
        try:
            # The C runtime hands its inheritable descriptors down, in the block that libuv reads.
            self._process = os.spawnve(os.P_NOWAIT, node, words, {**env, "NODE_CHANNEL_FD": str(number)})
        finally:
            os.close(number)
        self.pid = _process_id(self._process)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
        if _winapi.WaitForSingleObject(self._process, 0):
            _winapi.TerminateProcess(self._process, 1)
            _winapi.WaitForSingleObject(self._process, 10000)
        _winapi.CloseHandle(self._process)
        self._folder.cleanup()

    def close(self) -> None:
        """Close our end."""
        if self._pipe:
            _winapi.CloseHandle(self._pipe)
            self._pipe = 0

    # ---- writing

    def write(self, *parts: bytes) -> None:
        """Write each part by itself, with a pause between two, so that each is a read of its own."""
        for index, part in enumerate(parts):
            if index:
                time.sleep(0.1)
            try:
                operation, _error = _winapi.WriteFile(self._pipe, part, overlapped=True)
                self._finish(operation, PATIENCE)
            except OSError as error:
                self.ended_with = self.ended_with or error.winerror or 0
                return

    def send(self, value: object) -> None:
        """Write a value as a line behind a header."""
        self.write(framed(line(value)))

    # ---- reading

    def read(self, seconds: float) -> bool:
        """Read once; False when no byte came in time, or at the end."""
        if self.ended_with:
            return False
        try:
            operation, _error = _winapi.ReadFile(self._pipe, BUFFER, overlapped=True)
            if not self._finish(operation, seconds):
                return False
        except OSError as error:
            self.ended_with = error.winerror or 0
            return False
        self._buffer += operation.getbuffer() or b""
        self._take()
        return True

    def _finish(self, operation: _winapi.Overlapped, seconds: float) -> bool:
        """Wait for an operation; cancel it after some seconds, and return False."""
        late = (
            _winapi.WaitForMultipleObjects([operation.event], False, int(seconds * 1000))
            == _winapi.WAIT_TIMEOUT
        )
        if late:
            operation.cancel()
        try:
            operation.GetOverlappedResult(True)
        except OSError as error:
            if error.winerror != _winapi.ERROR_OPERATION_ABORTED:
                raise
            return False
        return True

    def _take(self) -> None:
        while len(self._buffer) >= HEADER.size:
            flags, first, length, second = HEADER.unpack_from(self._buffer)
            size = BLOCK if flags & SOCKET else 0
            end = HEADER.size + size + length
            if len(self._buffer) < end:
                return
            block = self._buffer[HEADER.size : HEADER.size + size]
            data = self._buffer[HEADER.size + size : end]
            self._buffer = self._buffer[end:]
            self.raw.append((flags, first, length, second, block, data))
            self._lines += data

    def line(self, seconds: float = PATIENCE) -> Any:
        """Return the value of the next line, None when none comes."""
        until = time.monotonic() + seconds
        while b"\n" not in self._lines:
            if not self.read(max(0.0, until - time.monotonic())):
                return None
        found, _, self._lines = self._lines.partition(b"\n")
        return json.loads(found)

    # ---- outcomes

    def settle(self) -> tuple[list[Any], str]:
        """Send a probe; return the lines before its answer, and the fate of the process."""
        probe = {"probe": next(self._probes)}
        self.send(probe)
        lines: list[Any] = []
        while (found := self.line()) is not None:
            if found.get("got") == probe:
                return lines, "lives"
            lines.append(found)
        return lines, self.fate()

    def fate(self) -> str:
        """Return how the process ended."""
        if _winapi.WaitForSingleObject(self._process, int(PATIENCE * 1000)):
            return "silent"
        status = _winapi.GetExitCodeProcess(self._process)
        if status in ABORTS:
            return "aborts"
        words = {DISCONNECTED: "ends the channel", THREW: "throws", 0: "exit 0"}
        return words.get(status, f"exit {status}")


def _process_id(handle: int) -> int:
    import ctypes

    return int(ctypes.windll.kernel32.GetProcessId(ctypes.c_void_p(handle)))


def line(value: object) -> bytes:
    """Return a value as a line of the channel."""
    return json.dumps(value, separators=(",", ":")).encode() + b"\n"


def head(flags: int, length: int, first: int = 0, second: int = 0) -> bytes:
    """Return a header."""
    return HEADER.pack(flags, first, length, second)


def framed(data: bytes, flags: int = DATA, block: bytes = b"") -> bytes:
    """Return data behind their header and a block."""
    return head(flags, len(data)) + block + data


def shared(one: socket.socket, pid: int) -> bytes:
    """Return the block of a socket for a process."""
    return one.share(pid) + bytes(BLOCK - INFO)


def connection() -> tuple[socket.socket, socket.socket]:
    """Return both ends of a connection."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        one = socket.create_connection(server.getsockname())
        return one, server.accept()[0]


def read_all(one: socket.socket) -> bytes:
    """Return all that a peer writes, up to its end or to the end of our patience."""
    one.settimeout(PATIENCE)
    found = b""
    with suppress(OSError):
        while data := one.recv(4096):
            found += data
    return found
