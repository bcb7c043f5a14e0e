"""The asyncio front end of standard streams: the words of a channel, as coroutines."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterable, Sequence
from types import TracebackType
from typing import NoReturn, Self, Unpack

from nodechannel._core.delivery import Delivery
from nodechannel._core.message import Message
from nodechannel._core.options import ChannelOptions
from nodechannel._io.limits import seconds
from nodechannel._json.given import given
from nodechannel._start.child import AsyncioChild
from nodechannel._start.ending import GRACE
from nodechannel._start.living import keep
from nodechannel._start.spawn import node_command
from nodechannel._stdio.descriptors import ChildStreams, take_streams
from nodechannel._stdio.framing import check_framing
from nodechannel._stdio.options import SpawnOptions, refuse_handle, split
from nodechannel._stdio.transport import Transport
from nodechannel.errors import ChannelClosed


class Channel:
    """An end of a conversation over standard streams.

    Made by `connect`, `fork` and `spawn`, inside a running event loop. As an asynchronous context manager it disconnects at the end of
    the block.

    Args:
        reader: the descriptor that messages come from, owned by the channel from now on.
        writer: the descriptor that messages are written to, owned by the channel from now on.
        framing: ``lines`` or ``headers``.
        options: see `nodechannel.ChannelOptions`.
    """

    def __init__(
        self, reader: int, writer: int, *, framing: str = "lines", **options: Unpack[ChannelOptions]
    ) -> None:
        self._transport = Transport(reader, writer, framing, options)
        self._stream = self._transport.stream
        self._linger = options.get("linger")
        self._transport.on_end = keep(self._transport)

    def __reduce__(self) -> NoReturn:
        raise TypeError("a channel cannot be copied or pickled: it belongs to one process")

    @property
    def connected(self) -> bool:
        """Whether messages can be sent."""
        return self._stream.connected

    @property
    def serialization(self) -> str:
        """How messages become bytes: always ``json``."""
        return "json"

    @property
    def pending(self) -> int:
        """How many messages and errors were read already: so many calls of `receive` do not wait."""
        return len(self._stream.events)

    async def send(self, message: object, handle: object = None, *, timeout: float | None = None) -> Delivery:
        """Queue a message; wait only while too much is queued.

        Raises `InvalidMessage`, `ChannelClosed`, `SendTimeout`, and `InvalidHandle` for any handle. Cancelled or timed out, the message
        stays queued.
        """
        refuse_handle(handle)
        return await self._transport.have_room(self._stream.send(message), timeout)

    async def send_json(
        self,
        text: bytes | str,
        handle: object = None,
        *,
        trusted: bool = False,
        timeout: float | None = None,
    ) -> Delivery:
        """Queue a JSON text that exists already; see `nodechannel.Channel.send_json`."""
        return await self.send(given(text, trusted=trusted), handle, timeout=timeout)

    async def send_many(self, messages: Iterable[object], *, timeout: float | None = None) -> Delivery:
        """Queue many messages at once, at a lower cost than single calls.

        Raises the errors of `send`; after `InvalidMessage` or `ChannelClosed` no message was queued.
        """
        return await self._transport.have_room(self._stream.send_many(list(messages)), timeout)

    async def receive(self, timeout: float | None = None) -> Message:
        """Return the next message.

        Raises `ChannelClosed` when the peer's stream has ended and every message was returned, `TimeoutError` after `timeout` seconds,
        and a `RemoteError` for a fault of the peer at this point of the stream; later messages can still be received.
        """
        await self._transport.arrival(timeout)
        try:
            return self._stream.events.take()
        finally:
            self._transport.read_on()

    async def receive_many(self, timeout: float | None = None) -> list[Message]:
        """Return all messages that have been read, at least one; an error ends the list before it, and the next call raises it."""
        await self._transport.arrival(timeout)
        try:
            return self._stream.events.take_many()
        finally:
            self._transport.read_on()

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Message:
        try:
            return await self.receive()
        except ChannelClosed:
            raise StopAsyncIteration from None

    async def flush(self, timeout: float | None = None) -> None:
        """Wait until all messages are written; raises `ChannelClosed` when the peer stopped reading before, and `TimeoutError`."""
        await self._transport.flush(timeout)

    async def disconnect(self, timeout: float | None = None) -> None:
        """End this direction after all messages are written; later messages of the peer can be received.

        Cancelled, it goes on in the background. Raises `TimeoutError` after `timeout` seconds; then the channel is closed.
        """
        await self._transport.disconnect(timeout)

    def close(self) -> None:
        """End both directions now: queued and unread messages are dropped. Safe to call again."""
        self._transport.close()
        self._stream.events.waiting.clear()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if error is None:
                await self.disconnect(self._linger)
        finally:
            self._transport.let_go()


class ChildProcess(Channel, AsyncioChild):
    """The parent's end of standard streams, and the child process behind it.

    As an asynchronous context manager it ends the child's standard input, waits for the child to end, and ends it with SIGTERM and at last
    SIGKILL if it does not. Messages that the child sends meanwhile can be received behind the block.

    Attributes:
        process: the process.
    """

    def __init__(
        self,
        reader: int,
        writer: int,
        process: asyncio.subprocess.Process,
        *,
        framing: str = "lines",
        **options: Unpack[ChannelOptions],
    ) -> None:
        super().__init__(reader, writer, framing=framing, **options)
        self.process = process

    async def wait(self, timeout: float | None = None) -> int:
        """Wait for the child to end; return its exit status, or the negative number of the signal that ended it.

        Messages that arrive meanwhile are kept for `receive`, however many. Raises `TimeoutError`.
        """
        self._transport.read_everything(wanted=True)
        try:
            async with asyncio.timeout(seconds(timeout)):
                return await self.process.wait()
        except TimeoutError:
            raise TimeoutError("the child did not end in time") from None
        finally:
            self._transport.read_everything(wanted=False)

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if error is None:
                await self.disconnect(self._linger)
        finally:
            await self._end_process(GRACE if error is None else 0.0)
            self._transport.read_rest()
            self._transport.close()


async def connect(*, framing: str = "lines", **options: Unpack[ChannelOptions]) -> Channel:
    """Take the standard streams of this process for messages; see the blocking `connect`."""
    check_framing(framing)
    return Channel(*take_streams(), framing=framing, **options)


async def spawn(
    argv: Sequence[str | os.PathLike[str]], *, framing: str = "lines", **options: Unpack[SpawnOptions]
) -> ChildProcess:
    """Start any command and talk to it over its standard streams; see the blocking `spawn`."""
    check_framing(framing)
    channel, process = split(options)
    with ChildStreams() as streams:
        child = await asyncio.create_subprocess_exec(*argv, **streams.popen_options(process))
    return ChildProcess(streams.reader, streams.writer, child, framing=framing, **channel)


async def fork(
    script: str | os.PathLike[str],
    *args: str | os.PathLike[str],
    exec_path: str | os.PathLike[str] | None = None,
    exec_argv: Sequence[str] = (),
    framing: str = "lines",
    **options: Unpack[SpawnOptions],
) -> ChildProcess:
    """Start a Node script and talk to it over its standard streams; see the blocking `fork`."""
    return await spawn(node_command(script, args, exec_path, exec_argv), framing=framing, **options)
