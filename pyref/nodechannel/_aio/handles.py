"""Going on with a received handle in asyncio."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

from nodechannel._handles.received import ReceivedHandle
from nodechannel._transport.system import require_own

_Protocol = TypeVar("_Protocol", bound=asyncio.BaseProtocol)


async def start_server(
    handle: ReceivedHandle,
    client_connected_cb: Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None] | None],
    **options: Any,
) -> asyncio.Server:
    """Serve on a received `net.Server`; the options are those of `asyncio.start_server`.

    Raises `HandleTaken` and `HandleMismatch`; on Windows `NotOnThisSystem` under `ProactorEventLoop`, and the handle is not taken.
    """
    require_own(asyncio.get_running_loop(), "to serve on a received server under ProactorEventLoop")
    return await asyncio.start_server(client_connected_cb, sock=handle.socket(), **options)


async def open_connection(
    handle: ReceivedHandle, **options: Any
) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """Read and write a received `net.Socket`; the options are those of `asyncio.open_connection`.

    Raises `HandleTaken` and `HandleMismatch`; on Windows `NotOnThisSystem` under `ProactorEventLoop`, and the handle is not taken.
    """
    require_own(asyncio.get_running_loop(), "to use a received connection under ProactorEventLoop")
    return await asyncio.open_connection(sock=handle.socket(), **options)


async def create_datagram_endpoint(
    handle: ReceivedHandle, protocol_factory: Callable[[], _Protocol]
) -> tuple[asyncio.DatagramTransport, _Protocol]:
    """Use a received `dgram.Socket`, like the event loop's method of the same name.

    Raises `HandleTaken` and `HandleMismatch`.
    """
    loop = asyncio.get_running_loop()
    return await loop.create_datagram_endpoint(protocol_factory, sock=handle.socket())
