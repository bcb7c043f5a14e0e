"""A child that answers each message with its next message; a child that ended is replaced."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

from nodechannel import asyncio as aio
from nodechannel.errors import ChannelClosed, ChannelError, RemoteError


class ChildFailed(ChannelError):
    """The child ended, or was ended, before it answered.

    Cause:
        The command of the bridge crashed, or needed longer than `timeout`.

    Remedy:
        Run the command by itself, and read its standard error.
    """

    code = "NC_CHILD_FAILED"


class Child:
    """A place for a child process, which is started with the first message.

    Args:
        command: its command line.
        timeout: seconds that it has for an answer, None for no limit.
    """

    def __init__(self, command: Sequence[str], timeout: float | None) -> None:
        self._command = command
        self._timeout = timeout
        self._process: aio.ChildProcess | None = None

    async def ask(self, data: Any) -> Any:
        """Send a message and return the child's next message; raises `ChildFailed`, `InvalidMessage`, and `OSError` for a bad command."""
        if self._process is None:
            self._process = await aio.spawn(self._command)
        try:
            await self._process.send(data)
            answer = await self._process.receive(self._timeout)
        except (ChannelClosed, RemoteError, TimeoutError) as error:
            await self.end(now=True)
            raise ChildFailed(f"the child gave no answer: {error}") from error
        except asyncio.CancelledError:
            await self.end(now=True)
            raise
        if answer.handle is not None:
            answer.handle.close()
        return answer.data

    async def end(self, now: bool = False) -> None:
        """Disconnect, and wait for the child to end; at last end it."""
        process = self._process
        if process is None:
            return
        if now:
            process.kill(9)
        try:
            async with process:
                pass
        finally:
            self._process = None

    def kill(self) -> None:
        """Let the child end now, whether it works or is about to end."""
        if self._process is not None:
            self._process.kill(9)
