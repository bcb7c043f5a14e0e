"""A read and a write of a channel, shared by both front ends, over any transport."""

from __future__ import annotations

import errno
import time
from enum import Enum, auto
from itertools import starmap
from operator import call

from nodechannel._core.delivery import WRITTEN_AT_ONCE

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from nodechannel._core.connection import Connection
    from nodechannel._core.delivery import Delivery
    from nodechannel._transport.seam import Received, Transport

# glibc gives the end of its heap back to the system when more of it is free than it has learned to keep, 128 KiB at first. That memory
# comes again page by page, which takes up to a third of the time of a message. glibc keeps 32 MiB once a block of 16 MiB was freed, of
# which no page has ever been touched: enough for messages of 1 MiB, for which orjson takes twelve times as much for a moment.
bytes(16 << 20)

# Stands for the end of the stream.
_END: Received = (b"", (), 0, None)

# The kernel lacks memory, or too many descriptors of this user are under way. Both pass, and the system does not tell when: a write is
# tried again after so many seconds.
_SHORTAGES = (errno.ENOBUFS, errno.ENOMEM, errno.ETOOMANYREFS)
SHORTAGE_RETRY = 0.02


class Wrote(Enum):
    """How far a write came."""

    ALL = auto()
    UNTIL_FULL = auto()  # the socket will become writable
    UNTIL_SHORTAGE = auto()  # to be tried again after `SHORTAGE_RETRY`


ALL, UNTIL_FULL, UNTIL_SHORTAGE = Wrote.ALL, Wrote.UNTIL_FULL, Wrote.UNTIL_SHORTAGE


def receive_step(transport: Transport, connection: Connection, *, wait: bool = False) -> None:
    """Make a read, whose result the connection is to take in; with `wait` it may sleep until bytes arrive.

    Raises `BlockingIOError` when no data is there.
    """
    arriving: Iterable[Received] | None = None
    if connection.places is not None:
        arriving = _to_place(transport, connection, wait=wait)
    try:
        # `map` calls and `extend` stores without a Python instruction in between. A signal handler that raises
        # therefore never separates the bytes from the inbox.
        connection.inbox.extend(arriving or map(call, transport.receive if wait else transport.receive_now))
    # [LIF-005]
    except ConnectionError:  # the peer closed without reading all of ours
        connection.inbox.append(_END)


def _to_place(transport: Transport, connection: Connection, *, wait: bool) -> Iterable[Received] | None:
    """Return the read that a long body asks for, None where none does."""
    # The place is that of the bytes behind those in the inbox.
    if connection.places is None or transport.receive_to is None or connection.inbox:
        return None
    place = connection.places.place()
    return None if place is None else transport.receive_to(place, wait)


def send_now(transport: Transport, connection: Connection, frames: bytes) -> Delivery | None:
    """Write frames at once where no frame waits before them; return their delivery, or None if the kernel took no byte."""
    outbox = connection.outbox
    if outbox.size or not connection.unhindered:
        return None
    outbox.direct = frames
    try:
        [outbox.taken] = map(transport.send, (frames,), transport.at_once)
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


def send_step(transport: Transport, connection: Connection) -> Wrote:
    """Write as much of the outbox as the kernel takes.

    A peer that is gone is told to the connection; then no frame is left to write.
    """
    outbox = connection.outbox
    while outbox.size:
        data, fd = outbox.gather()
        packed = transport.packed(data, fd) if fd else None
        try:
            if packed:
                [outbox.taken] = starmap(transport.send_with, (packed,))
            else:
                [outbox.taken] = map(transport.send, (data,), transport.at_once)
        except ConnectionError:
            connection.attempt(connection.write_failed)
            return ALL
        except OSError as error:
            return _transient(error)
        connection.account()
    return ALL


def _transient(error: OSError) -> Wrote:
    """Return how a failed write goes on; raise an error that is no failure of a write again."""
    if isinstance(error, BlockingIOError):
        return UNTIL_FULL
    if error.errno in _SHORTAGES:
        return UNTIL_SHORTAGE
    raise error


def write_rest(transport: Transport, connection: Connection, deadline: float | None) -> bool:
    """Write all frames, waiting for room and for acknowledgements until the deadline on the monotonic clock; return whether it was done.

    Without a deadline this waits as long as the peer lives.
    """
    connection.take_in()
    while not connection.closed:
        wrote = send_step(transport, connection)
        if connection.settled:
            break
        left = None if deadline is None else deadline - time.monotonic()
        if left is not None and left <= 0:
            return False
        transport.wait(reading=True, writing=wrote is UNTIL_FULL, left=_soon(left, wrote))
        try:
            receive_step(transport, connection)
        except BlockingIOError:
            continue
        connection.take_in()
    return True


def _soon(left: float | None, wrote: Wrote) -> float | None:
    """Return how long to wait: after a shortage until the next attempt at most."""
    if wrote is not UNTIL_SHORTAGE:
        return left
    return SHORTAGE_RETRY if left is None else min(left, SHORTAGE_RETRY)
