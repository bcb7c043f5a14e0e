"""The blocking front end of standard streams: the conversation runs in an event loop of its own thread.

So signal handlers and exceptions of the program never meet the bytes of a message half way, and any number of threads may call.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Iterable, Sequence
from types import TracebackType
from typing import Self, Unpack

from nodechannel._carriers.blocking import Receiver
from nodechannel._carriers.inbox import Arrivals
from nodechannel._core.delivery import Delivery
from nodechannel._core.message import Message
from nodechannel._core.options import ChannelOptions
from nodechannel._io.limits import seconds
from nodechannel._json.given import given
from nodechannel._start.child import BlockingChild
from nodechannel._start.ending import GRACE
from nodechannel._start.living import keep
from nodechannel._start.spawn import node_command
from nodechannel._stdio.descriptors import ChildStreams, take_streams
from nodechannel._stdio.framing import check_framing
from nodechannel._stdio.options import SpawnOptions, refuse_handle, split
from nodechannel._stdio.transport import Transport


class Channel(Receiver[Message]):
    """An end of a conversation over standard streams.

    Made by `connect`, `fork` and `spawn`. As a context manager it disconnects at the end of the block.

    Args:
        reader: the descriptor that messages come from, owned by the channel from now on.
        writer: the descriptor that messages are written to, owned by the channel from now on.
        framing: ``lines`` or ``headers``.
        options: see `nodechannel.ChannelOptions`.
    """

    def __init__(
        self, reader: int, writer: int, *, framing: str = "lines", **options: Unpack[ChannelOptions]
    ) -> None:
        super().__init__("nodechannel.stdio")
        self._transport = self._background.call(Transport, reader, writer, framing, options)
        self._stream = self._transport.stream
        self._linger = options.get("linger")
        self._forgotten = False
        self._transport.on_end = keep(self)

    @property
    def connected(self) -> bool:
        """Whether messages can be sent."""
        return self._stream.connected

    @property
    def serialization(self) -> str:
        """How messages become bytes: always ``json``."""
        return "json"

    @property
    def _inbox(self) -> Arrivals:
        return self._transport

    def send(self, message: object, handle: object = None, *, timeout: float | None = None) -> Delivery:
        """Send a message; return when the kernel has it.

        Raises `InvalidMessage` without a change, `ChannelClosed`, `SendTimeout` when `timeout` seconds ran out, and `InvalidHandle`
        for any handle.
        """
        refuse_handle(handle)
        return self._send(lambda: self._stream.send(message), timeout)

    def send_json(
        self,
        text: bytes | str,
        handle: object = None,
        *,
        trusted: bool = False,
        timeout: float | None = None,
    ) -> Delivery:
        """Send a JSON text that exists already; see `nodechannel.Channel.send_json`."""
        return self.send(given(text, trusted=trusted), handle, timeout=timeout)

    def send_many(self, messages: Iterable[object], *, timeout: float | None = None) -> Delivery:
        """Send many messages at once, at a lower cost than single calls; return when the kernel has all of them.

        Raises the errors of `send`; after `InvalidMessage` no message was sent.
        """
        whole = list(messages)
        return self._send(lambda: self._stream.send_many(whole), timeout)

    def _send(self, queue: Callable[[], Delivery], timeout: float | None) -> Delivery:
        async def carry_out() -> Delivery:
            return await self._transport.have_written(queue(), timeout)

        return self._wait(carry_out(), "send")

    def flush(self, timeout: float | None = None) -> None:
        """Wait until all messages are written; raises `ChannelClosed` when the peer stopped reading before, and `TimeoutError`."""
        self._wait(self._transport.flush(timeout), "flush")

    def disconnect(self, timeout: float | None = None) -> None:
        """End this direction after all messages are written; later messages of the peer can be received.

        Has no effect when it has ended. Raises `TimeoutError` after `timeout` seconds; then the channel is closed.
        """
        if self._stream.writable:
            self._wait(self._transport.disconnect(timeout), "disconnect")

    def close(self) -> None:
        """End both directions now: queued and unread messages are dropped. Safe to call again."""
        self._end()
        self._stream.events.waiting.clear()

    def _end(self) -> None:
        """End both directions and the thread; received messages can still be taken."""
        if self._running:
            self._background.call(self._transport.close)
            self._background.close()

    @property
    def _running(self) -> bool:
        return not self._forgotten and super()._running

    def forget(self) -> None:
        """Drop this process's copy of the channel after a fork; the other process goes on with its own."""
        self._forgotten = True
        self._transport.forget()

    def _write_rest(self) -> None:
        """Write what was accepted and not written yet, because the program ends; the caller need not call this."""
        if self._running:
            self._background.call(self._transport._write_rest)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is None:
            try:
                self.disconnect(self._linger)
            finally:
                self.close()
        elif self._stream.settled:
            self.close()
        else:  # accepted messages follow until the program ends
            self._background.call(self._transport.let_go)


class ChildProcess(Channel, BlockingChild):
    """The parent's end of standard streams, and the child process behind it.

    As a context manager it ends the child's standard input, waits for the child to end, and ends it with SIGTERM and at last SIGKILL if it
    does not. Messages that the child sends meanwhile can be received behind the block.

    Attributes:
        process: the process.
    """

    def __init__(
        self,
        reader: int,
        writer: int,
        process: subprocess.Popen[bytes],
        *,
        framing: str = "lines",
        **options: Unpack[ChannelOptions],
    ) -> None:
        super().__init__(reader, writer, framing=framing, **options)
        self.process = process

    def wait(self, timeout: float | None = None) -> int:
        """Wait for the child to end; return its exit status, or the negative number of the signal that ended it.

        Messages that arrive meanwhile are kept for `receive`, however many. Raises `TimeoutError`.
        """
        self._read_everything(wanted=True)
        try:
            return self.process.wait(seconds(timeout))
        except subprocess.TimeoutExpired:
            raise TimeoutError("the child did not end in time") from None
        finally:
            self._read_everything(wanted=False)

    def _read_everything(self, wanted: bool) -> None:
        if self._running:
            self._background.call(self._transport.read_everything, wanted)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if error is None:
                self.disconnect(self._linger)
        finally:
            self._end_process(GRACE if error is None else 0.0)
            if self._running:
                self._background.call(self._transport.read_rest)
            self._end()
            if self.process.stderr is not None:
                self.process.stderr.close()


def connect(*, framing: str = "lines", **options: Unpack[ChannelOptions]) -> Channel:
    """Take the standard streams of this process for messages, once.

    From then on `print`, C libraries and children of this process write to the standard error stream, and standard input is at its end.
    Raises `StreamsUnavailable`, `NotOnThisSystem` on Windows, and `ValueError` for an unknown framing.
    """
    check_framing(framing)
    return Channel(*take_streams(), framing=framing, **options)


def spawn(
    argv: Sequence[str | os.PathLike[str]], *, framing: str = "lines", **options: Unpack[SpawnOptions]
) -> ChildProcess:
    """Start any command and talk to it over its standard streams; for the options see `SpawnOptions`.

    Raises the errors of `subprocess.Popen` when the command cannot be started, `NotOnThisSystem` on Windows, and `ValueError` for an
    unknown framing.
    """
    check_framing(framing)
    channel, process = split(options)
    with ChildStreams() as streams:
        child = subprocess.Popen(argv, **streams.popen_options(process))
    return ChildProcess(streams.reader, streams.writer, child, framing=framing, **channel)


def fork(
    script: str | os.PathLike[str],
    *args: str | os.PathLike[str],
    exec_path: str | os.PathLike[str] | None = None,
    exec_argv: Sequence[str] = (),
    framing: str = "lines",
    **options: Unpack[SpawnOptions],
) -> ChildProcess:
    """Start a Node script and talk to it over its standard streams; for the options see `SpawnOptions`.

    `exec_path` is the Node executable, otherwise found as `nodechannel.fork` does; `exec_argv` are its own options.
    Raises `NodeNotFound` and the errors of `spawn`.
    """
    return spawn(node_command(script, args, exec_path, exec_argv), framing=framing, **options)
