"""The only calls of `recvmsg` and `sendmsg`, shared by both front ends.

Neither changes the descriptor's blocking mode: other processes may hold the same description.
"""

from __future__ import annotations

import _socket
import errno
import math
import socket
import time
from enum import Enum, auto
from select import POLLIN, POLLOUT

from nodechannel._core.delivery import WRITTEN_AT_ONCE
from nodechannel._handles.fd import ANCILLARY_SIZE, pack_rights
from nodechannel._io.native import poll as new_poll

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from socket import SocketType
    from typing import Any

    from nodechannel._core.connection import Connection, Received
    from nodechannel._core.delivery import Delivery

# What Node reads at most in one call; a handle's descriptor comes with the first part of its line.
RECEIVE_SIZE = 65536

# glibc gives the end of its heap back to the system when more of it is free than it has learned to keep, 128 KiB at first; what was given
# back comes again page by page, which takes up to a third of the time of a message. It keeps 32 MiB once a block of 16 MiB was freed, of
# which no page has ever been touched: enough for messages of 1 MiB, for which orjson takes twelve times as much for a moment.
bytes(16 << 20)

# Arguments of calls that `map` makes. Plain integers: the operators of the flags in `socket` are slow Python code.
_SIZE, _ANCILLARY_SIZE = (RECEIVE_SIZE,), (ANCILLARY_SIZE,)
# macOS has no MSG_CMSG_CLOEXEC; there every descriptor is marked right after it arrived.
_CLOEXEC = (int(getattr(socket, "MSG_CMSG_CLOEXEC", 0)),)
_CLOEXEC_DONTWAIT = (int(_CLOEXEC[0] | socket.MSG_DONTWAIT),)

# Seconds of one wait: the system's counter of milliseconds has an end.
_LONGEST_POLL = 86400.0

# What stands for the end of the stream.
_END: Received = (b"", (), 0, None)

# A host that embeds Python may have restored the default action of SIGPIPE, which ends the process.
# [LIF-006]
_SEND_FLAGS = (int(socket.MSG_DONTWAIT | getattr(socket, "MSG_NOSIGNAL", 0)),)

# The kernel lacks memory, or too many descriptors of this user are under way. Both pass, and nothing tells when: a write is tried again
# after so many seconds.
_SHORTAGES = (errno.ENOBUFS, errno.ENOMEM, errno.ETOOMANYREFS)
SHORTAGE_RETRY = 0.02


class Wrote(Enum):
    """How far a write came."""

    ALL = auto()
    UNTIL_FULL = auto()  # the socket will become writable
    UNTIL_SHORTAGE = auto()  # to be tried again after `SHORTAGE_RETRY`


ALL, UNTIL_FULL, UNTIL_SHORTAGE = Wrote.ALL, Wrote.UNTIL_FULL, Wrote.UNTIL_SHORTAGE


def without_timeout(sock: Any) -> Any:
    """Return a socket whose calls wait as this package says, whatever `socket.setdefaulttimeout`, gevent or eventlet say."""
    if not isinstance(sock, _socket.socket):
        sock = _socket.socket(fileno=sock.detach())
    if sock.gettimeout() is not None:
        sock.settimeout(None)
    return sock


def receive_step(sock: SocketType, connection: Connection, *, wait: bool = False) -> None:
    """Make one `recvmsg`, whose result the connection is to take in; with `wait` it may sleep until something arrives.

    Raises `BlockingIOError` when nothing is there.
    """
    flags = _CLOEXEC if wait else _CLOEXEC_DONTWAIT
    try:
        # [HND-033, HND-046] `map` calls and `extend` stores without a Python instruction in between. A signal handler that raises
        # therefore never separates the bytes from the inbox.
        connection.inbox.extend(map(sock.recvmsg, _SIZE, _ANCILLARY_SIZE, flags))
    # [LIF-005]
    except ConnectionError:  # the peer closed without reading all of ours
        connection.inbox.append(_END)


def send_now(sock: SocketType, connection: Connection, frames: bytes) -> Delivery | None:
    """Write frames at once where nothing waits before them; return what becomes of them, or None if the kernel took nothing."""
    outbox = connection.outbox
    if outbox.size or not connection.unhindered:
        return None
    outbox.direct = frames
    try:
        [outbox.taken] = map(sock.send, (frames,), _SEND_FLAGS)
    except ConnectionError:
        outbox.direct = None
        connection.attempt(connection.write_failed)
        return None
    except OSError as error:
        outbox.direct = None
        _transient(error)
        return None
    if outbox.taken == len(frames):
        outbox.direct, outbox.taken = None, 0
        return WRITTEN_AT_ONCE
    outbox.account_direct()
    return outbox.first_delivery


def send_step(sock: SocketType, connection: Connection) -> Wrote:
    """Write as much of the outbox as the kernel takes.

    A peer that is gone is told to the connection; then there is nothing left to write.
    """
    outbox = connection.outbox
    while outbox.size:
        data, fd = outbox.gather()
        rights = pack_rights(fd) if fd else None
        try:
            if rights:
                [outbox.taken] = map(sock.sendmsg, ((data,),), (rights,), _SEND_FLAGS)
            else:
                [outbox.taken] = map(sock.send, (data,), _SEND_FLAGS)
        except ConnectionError:
            connection.attempt(connection.write_failed)
            return ALL
        except OSError as error:
            return _transient(error)
        connection.account()
    return ALL


def _transient(error: OSError) -> Wrote:
    """Return what a failed write waits for; raise any other error again."""
    if isinstance(error, BlockingIOError):
        return UNTIL_FULL
    if error.errno in _SHORTAGES:
        return UNTIL_SHORTAGE
    raise error


def write_rest(sock: SocketType, connection: Connection, deadline: float | None) -> bool:
    """Write everything, waiting for room and for acknowledgements until the deadline on the monotonic clock; return whether it was done.

    Without a deadline this waits as long as the peer lives.
    """
    connection.take_in()
    while not connection.closed:
        wrote = send_step(sock, connection)
        if connection.settled:
            break
        left = None if deadline is None else deadline - time.monotonic()
        if left is not None and left <= 0:
            return False
        wait_for(sock.fileno(), reading=True, writing=wrote is UNTIL_FULL, left=_soon(left, wrote))
        try:
            receive_step(sock, connection)
        except BlockingIOError:
            continue
        connection.take_in()
    return True


def _soon(left: float | None, wrote: Wrote) -> float | None:
    """Return how long to wait: after a shortage until the next attempt at most."""
    if wrote is not UNTIL_SHORTAGE:
        return left
    return SHORTAGE_RETRY if left is None else min(left, SHORTAGE_RETRY)


def wait_for(fd: int, *, reading: bool, writing: bool, left: float | None, also: Sequence[int] = ()) -> None:
    """Wait until a descriptor is readable or writable, until one of `also` is readable, or for `left` seconds."""
    poll = new_poll()
    if reading or writing:
        poll.register(fd, (POLLIN if reading else 0) | (POLLOUT if writing else 0))
    for other in also:
        poll.register(other, POLLIN)
    poll.poll(None if left is None else math.ceil(min(left, _LONGEST_POLL) * 1000))
