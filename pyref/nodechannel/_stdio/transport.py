"""Moves the bytes of a conversation over standard streams in an event loop; both front ends stand on it.

The first message behind a read leaves at once, and all that follow in the same turn of the event loop leave together. A cancelled call
loses no byte: unsent bytes belong to the transport, and a message is taken from it only when it is returned.
"""

from __future__ import annotations

import asyncio
import math
import os
import select
import time
from contextlib import suppress
from typing import TYPE_CHECKING

from nodechannel._aio.channel import READ_AHEAD, READ_AHEAD_LOW, READS_A_TURN
from nodechannel._aio.wakeup import Waiters
from nodechannel._carriers.events import Events
from nodechannel._carriers.waiting import wait_until
from nodechannel._core.connection import HIGH_WATER
from nodechannel._core.delivery import DeliveryState
from nodechannel._core.message import Message
from nodechannel._start.ending import warn_of_loss
from nodechannel._stdio.descriptors import NonBlocking
from nodechannel._stdio.framing import framing_of
from nodechannel._stdio.stream import Stream
from nodechannel.errors import ChannelClosed, SendTimeout

if TYPE_CHECKING:
    from collections.abc import Callable

    from nodechannel._core.delivery import Delivery
    from nodechannel._core.options import ChannelOptions

# The bytes of a read at most.
READ_SIZE = 65536

_QUEUED = DeliveryState.QUEUED


class Transport:
    """Two descriptors in the running event loop, and the conversation over them.

    Args:
        reader: where messages come from, owned by this object from now on.
        writer: where messages are written to, owned by this object from now on.
        framing: the name of the framing.
        options: those of the channel.

    Attributes:
        stream: the state of the conversation.
        on_end: called when both directions have ended.
    """

    def __init__(self, reader: int, writer: int, framing: str, options: ChannelOptions) -> None:
        self.stream = Stream(framing_of(framing, options))
        self.on_end: Callable[[], object] | None = None
        self._reader, self._reader_mode = reader, NonBlocking(reader)
        self._writer, self._writer_mode = writer, NonBlocking(writer)
        self._loop = asyncio.get_running_loop()
        self._waiters = Waiters(self._loop)
        self._write_scheduled = False
        self._awaiting_room = False
        # Whether the next message may leave at once: one for each read or turn, so that answers are quick and floods are joined.
        self._prompt = True
        self._reading = False
        self._read_ahead: float = READ_AHEAD
        self._linger = options.get("linger")
        self.read_on()

    @property
    def events(self) -> Events[Message]:
        """The messages that were read and not yet returned."""
        return self.stream.events

    # The waits of a user.

    async def have_room(self, delivery: Delivery, timeout: float | None) -> Delivery:
        """Begin to write the queue, and wait while too many bytes are."""
        self._write_soon()
        if self._crowded() and not await self._wait(lambda: not self._crowded(), timeout):
            raise SendTimeout(delivery)
        if delivery.state is DeliveryState.ABANDONED:
            raise ChannelClosed("send")
        return delivery

    async def have_written(self, delivery: Delivery, timeout: float | None) -> Delivery:
        """Begin to write the queue, and wait until the kernel has all of it."""
        self._write_soon()
        if not await self._wait(lambda: delivery.state is not _QUEUED, timeout):
            raise SendTimeout(delivery)
        if delivery.state is DeliveryState.ABANDONED:
            raise ChannelClosed("send")
        return delivery

    async def arrival(self, timeout: float | None) -> None:
        """Wait until an event is there; raises `ChannelClosed` at the end, and `TimeoutError`."""
        if not self.stream.events and not await self._wait(self.stream.arrived, timeout):
            raise TimeoutError("no message arrived in time")
        if not self.stream.events:
            raise ChannelClosed("receive")

    async def flush(self, timeout: float | None) -> None:
        """Wait until all messages are written; raises `ChannelClosed` and `TimeoutError`."""
        if not await self._wait(lambda: self.stream.settled or not self.stream.writable, timeout):
            raise TimeoutError("not everything was written in time")
        if not self.stream.connected:
            raise ChannelClosed("flush")

    async def disconnect(self, timeout: float | None) -> None:
        """End the direction of writing once all is written. Raises `TimeoutError`, with both directions closed."""
        self.stream.disconnect()
        self._write()
        if not await self._wait(lambda: not self.stream.writable, timeout):
            self.close()
            raise TimeoutError("the peer did not take everything in time; the channel was closed")

    def _crowded(self) -> bool:
        return self.stream.outbox.size > HIGH_WATER

    async def _wait(self, done: Callable[[], bool], timeout: float | None) -> bool:
        return await wait_until(self._waiters, done, timeout)

    # The end.

    def close(self) -> None:
        """End both directions now; received messages can still be taken."""
        self._end_writing()
        self._end_reading()
        self._waiters.wake_all_soon()

    def let_go(self) -> None:
        """Read no more, but let sent messages arrive, within the limit of `linger`."""
        self.stream.disconnect()
        self._write()
        self._end_reading()
        if self.stream.writable and self._linger is not None:
            self._loop.call_later(self._linger, self._give_up)
        self._waiters.wake_all_soon()

    def _give_up(self) -> None:
        if self.stream.writable:
            warn_of_loss(self.stream.outbox.size)
            self.close()

    def forget(self) -> None:
        """Close this process's copies after a fork, and leave the shared state alone."""
        if self.stream.readable:
            os.close(self._reader)
        if self.stream.writable:
            os.close(self._writer)
        self.stream.readable = False
        self.stream.end_writing()

    def _write_rest(self) -> None:
        """Write what was accepted and not written yet, without the event loop."""
        deadline = math.inf if self._linger is None else time.monotonic() + self._linger
        while self.stream.writable and not self.stream.settled:
            left = deadline - time.monotonic()
            if left <= 0:
                warn_of_loss(self.stream.outbox.size)
                return
            select.select([], [self._writer], [], None if left == math.inf else left)
            self._write_step()

    # Writing.

    def _write_soon(self) -> None:
        """Write at once, or all that is queued in this turn of the event loop together at its end."""
        if self._awaiting_room or self._write_scheduled:
            return
        if self._prompt:
            self._write()
            self._prompt = False
        else:
            self._write_scheduled = True
            self._loop.call_soon(self._write)

    def _write(self) -> None:
        """Write as much as there is room for, and end the direction when it is to end."""
        self._write_scheduled = False
        self._prompt = True
        if not self.stream.writable:
            return
        while not self.stream.settled and self._write_step():
            pass
        if self.stream.settled and not self.stream.connected:
            # [STD-040]
            self._end_writing()
        self._await_room()
        self._waiters.wake()

    def _write_step(self) -> bool:
        """Write once; return whether there may be room for more."""
        data, _ = self.stream.outbox.gather()
        try:
            self.stream.wrote(os.write(self._writer, data))
        except BlockingIOError:
            return False
        # [STD-042]
        except OSError:
            self._end_writing()
            return False
        return True

    def _await_room(self) -> None:
        """Come back when a write that did not go through can go on; stop coming when one did."""
        full = self.stream.writable and not self.stream.settled
        if full == self._awaiting_room:
            return
        self._awaiting_room = full
        if full:
            self._start_reading()
            self._loop.add_writer(self._writer, self._write)
        else:
            self._loop.remove_writer(self._writer)

    def _end_writing(self) -> None:
        if not self.stream.writable:
            return
        self.stream.end_writing()
        if self._awaiting_room:
            self._awaiting_room = False
            self._loop.remove_writer(self._writer)
        self._writer_mode.close()
        self._end()

    # Reading.

    def read_on(self) -> None:
        """Read again once few messages wait for their reader."""
        if len(self.stream.events) <= READ_AHEAD_LOW:
            self._start_reading()

    def read_on_soon(self) -> None:
        """Do the same from any thread, behind a message that was taken there."""
        if not self._reading and len(self.stream.events) <= READ_AHEAD_LOW:
            with suppress(RuntimeError):  # the loop is closed, and the transport with it
                self._loop.call_soon_threadsafe(self.read_on)

    def read_everything(self, wanted: bool) -> None:
        """Keep all messages that arrive, however many, so that a peer which writes them can end; or stop doing so."""
        self._read_ahead = math.inf if wanted else READ_AHEAD
        if wanted:
            self._start_reading()

    def read_rest(self) -> None:
        """Read the bytes that the kernel still holds of a peer that has ended; a process that inherited its end is not waited for."""
        while self.stream.readable and self._receive() >= 0:
            pass

    def _start_reading(self) -> None:
        if self._reading or not self.stream.readable:
            return
        self._reading = True
        try:
            self._loop.add_reader(self._reader, self._read)
        except PermissionError:  # a file, which never lets anybody wait
            self._loop.call_soon(self._read_file)

    def _read_file(self) -> None:
        """Read a part of a file, and come back for the next one."""
        if self._reading:
            self._read()
        if self._reading:
            self._loop.call_soon(self._read_file)

    def _read(self) -> None:
        self._prompt = True
        for _ in range(READS_A_TURN):
            whole = self._receive() < READ_SIZE
            if whole or self.stream.events or not self.stream.readable:
                break
        # [STD-041] With anything on its way out reading goes on: the peer may wait for room itself.
        if len(self.stream.events) > self._read_ahead and self.stream.settled:
            self._stop_reading()
        self._waiters.wake()

    def _receive(self) -> int:
        """Read once; return how many bytes there were, -1 if the peer has written none yet."""
        try:
            data = os.read(self._reader, READ_SIZE)
        except BlockingIOError:
            return -1
        except ConnectionResetError:
            data = b""
        if not self.stream.take_in(data):
            self._end_reading()
        return len(data)

    def _stop_reading(self) -> None:
        if self._reading:
            self._reading = False
            self._loop.remove_reader(self._reader)

    def _end_reading(self) -> None:
        if self.stream.readable:
            self._stop_reading()
            self.stream.readable = False
            self._reader_mode.close()
            self._end()

    def _end(self) -> None:
        if self.stream.closed and self.on_end is not None:
            self.on_end()
