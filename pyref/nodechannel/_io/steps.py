"""The only calls of `recvmsg` and `sendmsg`, shared by both front ends.

Neither changes the descriptor's blocking mode: other processes may hold the same description.
"""

from __future__ import annotations

import errno
import os
import select
import socket
import time
from enum import Enum, auto

from nodechannel._core.delivery import WRITTEN
from nodechannel._handles.fd import ANCILLARY_SIZE, pack_rights, unpack_rights

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import TypeAlias

    from nodechannel._core.connection import Connection
    from nodechannel._core.delivery import Delivery
    from nodechannel._handles.fd import OwnedFd

    # Bytes (none at the end of the stream), descriptors, and whether the kernel dropped some.
    Received: TypeAlias = tuple[bytes, Sequence[OwnedFd], bool]


# What Node reads at most in one call; a handle's descriptor comes with the first part of its line.
RECEIVE_SIZE = 65536

# glibc gives the end of its heap back to the system when more of it is free than it has learned to keep, 128 KiB at first; what was given
# back comes again page by page, which takes up to a third of the time of a message. It keeps 32 MiB once a block of 16 MiB was freed, of
# which no page has ever been touched: enough for messages of 1 MiB, for which orjson takes twelve times as much for a moment.
bytes(16 << 20)

# Plain integers: the operators of the flags in `socket` are Python code, slower than the system call.
_CTRUNC = int(socket.MSG_CTRUNC)

# macOS has no MSG_CMSG_CLOEXEC; there every descriptor is marked right after it arrived.
_CLOEXEC = int(getattr(socket, "MSG_CMSG_CLOEXEC", 0))
_CLOEXEC_DONTWAIT = int(_CLOEXEC | socket.MSG_DONTWAIT)

# A host that embeds Python may have restored the default action of SIGPIPE, which ends the process.
# [LIF-006]
_SEND_FLAGS = int(socket.MSG_DONTWAIT | getattr(socket, "MSG_NOSIGNAL", 0))

# The kernel lacks memory, or too many descriptors of this user are under way. Both pass, and nothing tells when: a write is tried again
# after so many seconds.
_SHORTAGES = (errno.ENOBUFS, errno.ENOMEM, errno.ETOOMANYREFS)
RETRY = 0.02


class Wrote(Enum):
    """How far a write came."""

    ALL = auto()
    UNTIL_FULL = auto()  # the socket will become writable
    UNTIL_SHORTAGE = auto()  # to be tried again after `RETRY`


ALL, UNTIL_FULL, UNTIL_SHORTAGE = Wrote


def receive_step(sock: socket.socket, *, wait: bool = False) -> Received:
    """Make one `recvmsg`; with `wait` it may sleep until something arrives.

    Raises `BlockingIOError` when nothing is there.
    """
    flags = _CLOEXEC if wait else _CLOEXEC_DONTWAIT
    try:
        # [HND-033, HND-046]
        data, ancillary, received, _ = sock.recvmsg(RECEIVE_SIZE, ANCILLARY_SIZE, flags)
    # [LIF-005]
    except ConnectionError:  # the peer closed without reading all of ours
        return b"", (), False
    if not ancillary:
        return data, (), received & _CTRUNC != 0
    fds = unpack_rights(ancillary)
    if not _CLOEXEC:
        for fd in fds:
            os.set_inheritable(fd.fileno(), False)
    return data, fds, received & _CTRUNC != 0


def feed(connection: Connection, received: Received) -> None:
    """Give the connection what `receive_step` returned."""
    data, fds, truncated = received
    if data:
        connection.receive_data(data, fds, truncated=truncated)
    else:
        connection.receive_eof()


def send_now(sock: socket.socket, connection: Connection, frames: bytes) -> Delivery:
    """Write frames at once where nothing waits before them; what the kernel does not take is queued. Raises `ChannelClosed`."""
    taken = 0
    if connection.unhindered and not connection.outbox.size:
        try:
            taken = sock.send(frames, _SEND_FLAGS)
        except ConnectionError:
            delivery = connection.queue(frames)
            connection.write_failed()
            return delivery
        except OSError as error:
            _why_not(error)
        if taken == len(frames):
            return WRITTEN
    delivery = connection.queue(frames)
    if taken:
        connection.written(taken)
    return delivery


def send_step(sock: socket.socket, connection: Connection) -> Wrote:
    """Write as much of the outbox as the kernel takes.

    A peer that is gone is told to the connection; then there is nothing left to write.
    """
    outbox = connection.outbox
    while outbox.size:
        data, fd = outbox.gather()
        rights = pack_rights(fd) if fd else None
        try:
            count = sock.sendmsg((data,), rights, _SEND_FLAGS) if rights else sock.send(data, _SEND_FLAGS)
        except ConnectionError:
            connection.write_failed()
            return ALL
        except OSError as error:
            return _why_not(error)
        connection.written(count)
    return ALL


def _why_not(error: OSError) -> Wrote:
    """Tell what a failed write waits for; raises the error when there is nothing to wait for."""
    if isinstance(error, BlockingIOError):
        return UNTIL_FULL
    if error.errno in _SHORTAGES:
        return UNTIL_SHORTAGE
    raise error


def settle(sock: socket.socket, connection: Connection, deadline: float) -> None:
    """Write everything, waiting for room and for acknowledgements until the deadline on the monotonic clock at most."""
    poll = select.poll()
    while not connection.closed:
        wrote = send_step(sock, connection)
        left = deadline - time.monotonic()
        if connection.settled or left <= 0:
            return
        poll.register(sock, select.POLLIN | (select.POLLOUT if wrote is UNTIL_FULL else 0))
        if poll.poll(1000 * (min(left, RETRY) if wrote is UNTIL_SHORTAGE else left)):
            try:
                feed(connection, receive_step(sock))
            except BlockingIOError:
                continue
