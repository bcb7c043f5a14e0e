"""The reference as a subject: `echo.py CARRIER FRONT_END [PATH]`."""

from __future__ import annotations

import asyncio
import sys
from typing import Any

from nodechannel import errors, nodeipc, stdio
from nodechannel.nodeipc import asyncio as aio_nodeipc
from nodechannel.stdio import asyncio as aio_stdio

FAULT = {"error": True}


def over_pipes(framing: str) -> None:
    """Answer over standard streams."""
    with stdio.connect(framing=framing, unsafe_integers=True) as channel:
        while True:
            try:
                channel.send({"seen": channel.receive().data})
            except errors.ChannelClosed:
                return
            except errors.RemoteError:
                channel.send(FAULT)


async def over_pipes_asyncio(framing: str) -> None:
    """Answer over standard streams, with asyncio."""
    async with await aio_stdio.connect(framing=framing, unsafe_integers=True) as channel:
        while True:
            try:
                message = await channel.receive()
                await channel.send({"seen": message.data})
            except errors.ChannelClosed:
                return
            except errors.RemoteError:
                await channel.send(FAULT)


def answer(event: Any) -> Any:
    """Return the answer to an event, None for news."""
    if event.type == "error":
        return FAULT
    if event.type in ("connect", "socket.disconnected"):
        return None
    return {"seen": {"type": event.type, "data": event.data}}


def over_socket(path: str) -> None:
    """Answer as a server of node-ipc."""
    with nodeipc.serve(path=path, lifecycle=True) as server:
        print("ready", flush=True)
        for event in server:
            if (found := answer(event)) is not None:
                event.peer.send("answer", found)


async def over_socket_asyncio(path: str) -> None:
    """Answer as a server of node-ipc, with asyncio."""
    async with await aio_nodeipc.serve(path=path, lifecycle=True) as server:
        print("ready", flush=True)
        async for event in server:
            if (found := answer(event)) is not None:
                await event.peer.send("answer", found)


if __name__ == "__main__":
    carrier, front_end, *rest = sys.argv[1:]
    if carrier == "node-ipc":
        over_socket(rest[0]) if front_end == "blocking" else asyncio.run(over_socket_asyncio(rest[0]))
    else:
        over_pipes(carrier) if front_end == "blocking" else asyncio.run(over_pipes_asyncio(carrier))
