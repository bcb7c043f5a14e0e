"""The subject `nodechannel.asyncio`: an event loop in a thread of its own."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from typing import TYPE_CHECKING, Any, TypeVar

from mode import MODE

import nodechannel
from nodechannel.asyncio import ChildProcess, connect, spawn
from report import report, report_exit

if TYPE_CHECKING:
    import socket
    from collections.abc import Coroutine

    from sockets import Handles


Result = TypeVar("Result")


class FrontEnd:
    """The asyncio front end, driven."""

    name = "nodechannel.asyncio"

    def __init__(self, handles: Handles) -> None:
        self._handles = handles
        self._loop = asyncio.new_event_loop()
        self._tasks: set[asyncio.Task[None]] = set()
        threading.Thread(target=self._loop.run_forever, daemon=True).start()

    def _run(self, coroutine: Coroutine[Any, Any, Result]) -> Result:
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result()

    def _start(self, coroutine: Coroutine[Any, Any, None]) -> None:
        self._tasks.add(self._loop.create_task(coroutine))

    def open(self, argv: list[str] | None, env: dict[str, str] | None) -> None:
        """Adopt the channel, or start a child with a channel."""
        self._run(self._open(argv, env))

    async def _open(self, argv: list[str] | None, env: dict[str, str] | None) -> None:
        self._channel = await spawn(argv, env=env, serialization=MODE) if argv else await connect()
        self._start(self._receive())
        if isinstance(self._channel, ChildProcess):
            self._start(self._wait(self._channel))

    async def _receive(self) -> None:
        while report(await self._next(), self._handles):
            pass

    async def _next(self) -> nodechannel.Message | nodechannel.ChannelError:
        try:
            return await self._channel.receive()
        except nodechannel.ChannelError as error:
            return error

    async def _wait(self, child: ChildProcess) -> None:
        report_exit(await child.wait())

    def send(self, message: object, handle: socket.socket | None, keep_open: bool, key: str | None) -> None:
        """Send."""
        self._run(self._send(message, handle, keep_open, key))

    async def _send(
        self, message: object, handle: socket.socket | None, keep_open: bool, key: str | None
    ) -> None:
        with contextlib.suppress(nodechannel.SendTimeout):  # it is queued, and the loop writes it
            await self._channel.send(message, handle, keep_open=keep_open, key=key, timeout=0)

    def get_connections(self, key: str) -> int:
        """Ask and wait for the answer."""
        return self._run(self._channel.get_connections(key))

    def disconnect(self) -> None:
        """Begin to disconnect."""
        self._loop.call_soon_threadsafe(lambda: self._start(self._channel.disconnect()))
