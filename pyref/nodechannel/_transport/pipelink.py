"""The pipe of a channel on Windows: overlapped reads and writes that a thread waits for, and sockets that travel through it.

Verified under Wine.
"""

from __future__ import annotations

import sys

assert sys.platform == "win32"

import _overlapped  # type: ignore[import-not-found]
import _winapi
import ctypes
import socket

from nodechannel._transport.frames import SOCKET_INFO_SIZE
from nodechannel._transport.owned import OwnedHandle

TYPE_CHECKING = False
if TYPE_CHECKING:
    from _winapi import Overlapped

# The bytes that Node reads at most in a call.
_READ_SIZE = 65536


class NamedPipe:
    """An end of a named pipe; see `Link` in `threaded.py`.

    Args:
        handle: the end, opened for overlapped calls, which this object owns.
        peer: the process that is to get sockets; 0 as long as it is unknown.
    """

    def __init__(self, handle: int, peer: int = 0) -> None:
        self._handle = OwnedHandle(handle)
        self._ended = OwnedHandle(_overlapped.CreateEvent(None, True, False, None))
        self._peer = peer
        self.fileno = self._handle.fileno

    def read(self) -> bytes:
        """Wait for bytes and return them; none at the end, and after `end`."""
        # [WIN-004]
        try:
            while True:
                overlapped, _ = _winapi.ReadFile(self._handle.fileno(), _READ_SIZE, overlapped=True)
                self._finish(overlapped)
                if data := overlapped.getbuffer():  # a write of no bytes is no end
                    return bytes(data)
        except OSError:  # [WIN-060]
            return b""

    def write(self, data: bytes) -> None:
        """Write all of it; raises `OSError` when the peer is gone, and after `end`."""
        overlapped, _ = _winapi.WriteFile(self._handle.fileno(), data, overlapped=True)
        self._finish(overlapped)

    def _finish(self, overlapped: Overlapped) -> None:
        """Wait until a call is done, or cancel it at the end; raises `OSError`."""
        ready = _winapi.WaitForMultipleObjects(
            [overlapped.event, self._ended.fileno()], False, _winapi.INFINITE
        )
        if ready != _winapi.WAIT_OBJECT_0:
            overlapped.cancel()
        _, error = overlapped.GetOverlappedResult(True)
        if error:
            raise ConnectionAbortedError

    def end(self) -> None:
        """End both calls."""
        _overlapped.SetEvent(self._ended.fileno())

    def close(self) -> None:
        """Close the pipe; no call is under way."""
        self._handle.close()
        self._ended.close()

    def meet(self, pid: int) -> None:
        """Name the process at the far end."""
        self._peer = pid

    def share(self, fd: int) -> tuple[bytes, bool]:
        """Return the description of a socket for the peer, and whether it is a connection; raises `OSError`."""
        if not self._peer:
            raise OSError("the process at the other end is unknown")
        sock = socket.socket(fileno=fd)
        try:
            listening = sock.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN)
            # [WIN-041, WIN-042] Made for a third process, it would end a Node that receives it.
            return sock.share(self._peer), not listening
        finally:
            sock.detach()

    def open_shared(self, description: bytes) -> int:
        """Return the descriptor of a socket that the peer has described; raises `OSError`."""
        sock = socket.fromshare(description[:SOCKET_INFO_SIZE])
        # The system says that it blocks, and its peer may have made it non-blocking: now both agree.
        sock.setblocking(False)
        return sock.detach()


def server_process(handle: int) -> int | None:
    """Return the process that made a pipe, None if the handle is no named pipe."""
    kernel32 = ctypes.WinDLL("kernel32", use_last_error=True)
    process = ctypes.c_ulong()
    found = kernel32.GetNamedPipeServerProcessId(ctypes.c_void_p(handle), ctypes.byref(process))
    return process.value if found else None
