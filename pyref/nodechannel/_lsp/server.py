"""A server of pygls at the end of the channel."""

from __future__ import annotations

import asyncio
from typing import Any, Protocol

from nodechannel import asyncio as aio
from nodechannel._dialects.remedy import LANGUAGE_CLIENT, remedy
from nodechannel.errors import RemoteError
from nodechannel.stdio import asyncio as streams


class _Rpc(Protocol):
    """The part of pygls's protocol object that is used here."""

    def set_writer(self, writer: Any, include_headers: bool = ...) -> None: ...
    def structure_message(self, data: dict[str, Any]) -> Any: ...
    def handle_message(self, message: Any) -> None: ...


class Server(Protocol):
    """The interface of a pygls server: `LanguageServer` of pygls 2."""

    protocol: Any

    def shutdown(self) -> None: ...
    def report_server_error(self, error: Exception, source: Any) -> None: ...


class _Writer:
    """Where pygls writes its answers."""

    def __init__(self, channel: aio.Channel | streams.Channel) -> None:
        self._channel = channel

    def write(self, data: bytes) -> Any:
        """Send a message; the coroutine queues it at its first step."""
        return self._channel.send_json(data, trusted=True)

    def close(self) -> None:
        """Leave the channel open until all is sent."""


async def serve_async(server: Server, *, stdio: bool = False) -> None:
    """Serve the parent until the channel ends; see `serve`."""
    with remedy(LANGUAGE_CLIENT):
        channel = await streams.connect(framing="headers") if stdio else await aio.connect()
    rpc: _Rpc = server.protocol
    rpc.set_writer(_Writer(channel), include_headers=False)
    async with channel:
        while True:
            try:
                message = await anext(channel, None)
            except RemoteError as error:
                server.report_server_error(error, type(error))
                continue
            if message is None:
                return
            if isinstance(message.data, dict):
                try:
                    rpc.handle_message(rpc.structure_message(message.data))
                except Exception as error:
                    server.report_server_error(error, type(error))


def serve(server: Server, *, stdio: bool = False) -> None:
    """Serve a language client that started this process with its `TransportKind.ipc`; in the place of pygls's `start_io`.

    With `stdio` the client is one of `TransportKind.stdio`. Then, other than under `start_io`, a `print` is harmless.

    Returns when the channel ends; the client's `exit` ends the process as in pygls. Raises `NoChannel` or `StreamsUnavailable`.
    """
    asyncio.run(serve_async(server, stdio=stdio))
