"""The end of a channel at a Unix stream socket.

No call changes the blocking mode of the description: further processes may hold the same description.
"""

from __future__ import annotations

import os
import socket
import struct
from functools import partial
from select import POLLIN, POLLOUT

from nodechannel._transport.bell import LONGEST_WAIT, milliseconds
from nodechannel._transport.native import poll as new_poll
from nodechannel._transport.rights import ANCILLARY_SIZE, pack_rights

TYPE_CHECKING = False
if TYPE_CHECKING:
    from asyncio import AbstractEventLoop
    from collections.abc import Callable, Sequence
    from typing import Any

    from nodechannel._transport.owned import OwnedFd
    from nodechannel._transport.readiness import Readiness
    from nodechannel._transport.seam import Received

# A message of 64 KiB comes in a single read; Node reads 65536 bytes at most. With longer reads a read of many small messages makes so many
# objects at once that each takes longer.
RECEIVE_SIZE = 65536 + 4096

# Plain integers: the operators of the flags in `socket` are slow Python code.
# macOS has no MSG_CMSG_CLOEXEC; there every descriptor is marked right after it arrived.
_CLOEXEC = int(getattr(socket, "MSG_CMSG_CLOEXEC", 0))
_DONTWAIT = int(socket.MSG_DONTWAIT)

# A host that embeds Python may have restored the default action of SIGPIPE, which ends the process.
# [LIF-006]
_SEND_FLAGS = int(_DONTWAIT | getattr(socket, "MSG_NOSIGNAL", 0))

_AT_ONCE = (_SEND_FLAGS,)
_READ_NOW = (RECEIVE_SIZE, ANCILLARY_SIZE, _CLOEXEC | _DONTWAIT)


class UnixTransport:
    """An end at a socket; see `Transport` for the members."""

    receive_size = RECEIVE_SIZE

    __slots__ = (
        "_sock",
        "at_once",
        "close",
        "fileno",
        "receive",
        "receive_now",
        "send",
        "send_with",
    )

    receive: tuple[Callable[[], Received]]
    receive_now: tuple[Callable[[], Received]]
    send: Callable[..., int]
    send_with: Callable[..., int]
    at_once: tuple[Any]
    fileno: Callable[[], int]
    close: Callable[[], None]

    def __init__(self, sock: socket.SocketType) -> None:
        self._sock = sock
        # [HND-033, HND-046] The system marks received descriptors close-on-exec within the call.
        self.receive_now = (partial(sock.recvmsg, *_READ_NOW),)
        self.send = sock.send
        self.send_with = sock.sendmsg
        self.at_once = _AT_ONCE
        self.fileno = sock.fileno
        self.close = sock.close

    def __getattr__(self, name: str) -> Any:
        """Make `receive` when it is first asked for: event loops never do, and it takes as much memory as all else here."""
        if name != "receive":
            raise AttributeError(name)
        self.receive = (partial(self._sock.recvmsg, RECEIVE_SIZE, ANCILLARY_SIZE, _CLOEXEC),)
        return self.receive

    def receive_to(self, place: memoryview | int, wait: bool) -> map[Received]:
        """Return an iterator whose only step is a read to a place, or of so many bytes at most."""
        flags = _CLOEXEC if wait else _CLOEXEC | _DONTWAIT
        if isinstance(place, int):
            return map(self._sock.recvmsg, (place,), (ANCILLARY_SIZE,), (flags,))
        return map(self._sock.recvmsg_into, ((place,),), (ANCILLARY_SIZE,), (flags,))

    def packed(self, data: bytes | memoryview, fd: OwnedFd) -> tuple[Any, ...]:
        """Return the arguments of `send_with` for bytes and the only descriptor that rides on the first of them."""
        return (data,), pack_rights(fd), _SEND_FLAGS

    def end(self) -> None:
        """End both directions, which wakes a thread that waits; the descriptor stays open."""
        try:  # noqa: SIM105 (importing contextlib takes longer than all that this file does)
            self._sock.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass

    def sleeps(self) -> bool:
        """Tell whether `receive` may sleep; another process can make a shared description non-blocking."""
        return os.get_blocking(self.fileno())

    def limit_receiving(self, seconds: float | None) -> None:
        """Set how long `receive` may sleep: the system reads the option SO_RCVTIMEO anew after a signal handler."""
        whole, rest = divmod(min(seconds or 0.0, LONGEST_WAIT), 1)
        limit = struct.pack("@ll", int(whole), int(rest * 1e6) or int(seconds is not None and not whole))
        self._sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, limit)

    def wait(self, *, reading: bool, writing: bool, left: float | None, also: Sequence[int] = ()) -> None:
        """Wait until this end is readable or writable, until one of the descriptors `also` is readable, or for `left` seconds."""
        poll = new_poll()
        if reading or writing:
            poll.register(self.fileno(), (POLLIN if reading else 0) | (POLLOUT if writing else 0))
        for other in also:
            poll.register(other, POLLIN)
        poll.poll(None if left is None else milliseconds(left))

    def readiness(self) -> Readiness | None:
        """Return a descriptor that also tells of messages that were read already, None on a system that is not Linux."""
        if not hasattr(os, "eventfd"):
            return None
        from nodechannel._transport.readiness import Readiness

        return Readiness(self.fileno())

    def add_reader(self, loop: AbstractEventLoop, callback: Callable[[], object]) -> None:
        """Have an event loop call back when bytes can be read."""
        loop.add_reader(self.fileno(), callback)

    def remove_reader(self, loop: AbstractEventLoop) -> None:
        """Have an event loop call back no more; without effect when it does not."""
        loop.remove_reader(self.fileno())

    def add_writer(self, loop: AbstractEventLoop, callback: Callable[[], object]) -> None:
        """Have an event loop call back when there is room to write."""
        loop.add_writer(self.fileno(), callback)

    def remove_writer(self, loop: AbstractEventLoop) -> None:
        """Have an event loop call back no more; without effect when it does not."""
        loop.remove_writer(self.fileno())
