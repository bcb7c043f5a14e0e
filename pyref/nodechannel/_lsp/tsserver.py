"""TypeScript's tsserver over IPC, which speaks a protocol of its own."""

from __future__ import annotations

import asyncio
import itertools
import os
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from types import TracebackType
from typing import Any, Self

from nodechannel import asyncio as aio
from nodechannel._dialects.calls import tell
from nodechannel._dialects.faults import RemoteException
from nodechannel._io.limits import seconds
from nodechannel.errors import ChannelClosed, RemoteError


class TsServer:
    """A running tsserver. Made by `start_tsserver`.

    Args:
        child: the process.
        on_event: called with the name and the body of each event.
    """

    def __init__(self, child: aio.ChildProcess, on_event: Callable[[str, Any], object] | None = None) -> None:
        self.child = child
        self._on_event = on_event
        self._numbers = itertools.count(1)
        self._asked: dict[int, asyncio.Future[Any]] = {}
        self._reading = asyncio.get_running_loop().create_task(self._read())

    async def request(self, command: str, *, timeout: float | None = None, **arguments: Any) -> Any:
        """Send a command that has an answer; return the body. Raises `RemoteException`, `ChannelClosed` and `TimeoutError`."""
        seq = next(self._numbers)
        future = self._asked[seq] = asyncio.get_running_loop().create_future()
        try:
            async with asyncio.timeout(seconds(timeout)):
                await self._send(seq, command, arguments)
                return await future
        finally:
            del self._asked[seq]

    async def notify(self, command: str, **arguments: Any) -> None:
        """Send a command without an answer, like `open` or `change`."""
        await self._send(next(self._numbers), command, arguments)

    async def _send(self, seq: int, command: str, arguments: dict[str, Any]) -> None:
        await self.child.send({"seq": seq, "type": "request", "command": command, "arguments": arguments})

    async def _read(self) -> None:
        with suppress(ChannelClosed):
            while True:
                with suppress(RemoteError):
                    self._take((await self.child.receive()).data)
        for future in self._asked.values():
            if not future.done():
                future.set_exception(ChannelClosed("wait for an answer"))

    def _take(self, data: Any) -> None:
        if not isinstance(data, dict):
            return
        if data.get("type") == "event" and self._on_event is not None:
            name, body = str(data.get("event")), data.get("body")
            tell(partial(self._on_event, name), body)
        if data.get("type") != "response":
            return
        seq = data.get("request_seq")
        future = self._asked.get(seq) if isinstance(seq, int) else None
        if future is None or future.done():
            return
        if data.get("success"):
            future.set_result(data.get("body"))
        else:
            future.set_exception(RemoteException(str(data.get("command")), str(data.get("message"))))

    async def close(self) -> None:
        """End the process."""
        with suppress(ChannelClosed):
            await self.notify("exit")
        await self.child.__aexit__(None, None, None)
        await asyncio.wait([self._reading])

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()


async def start_tsserver(
    script: str | os.PathLike[str],
    *args: str | os.PathLike[str],
    on_event: Callable[[str, Any], object] | None = None,
    **options: Any,
) -> TsServer:
    """Start ``typescript/lib/tsserver.js`` of TypeScript 5 with ``--useNodeIpc``; see `nodechannel.fork` for the options.

    TypeScript 7 has no tsserver; its `tsc --lsp` does not know IPC.
    """
    return TsServer(await aio.fork(script, "--useNodeIpc", *args, **options), on_event)
