"""The asyncio front end: the words of the blocking front end, as coroutines.

    from nodechannel import asyncio as aio

    async with await aio.fork("worker.js") as child:
        await child.send({"n": 1})
        print((await child.receive(timeout=10)).data)

`connect` adopts the channel of this process; `fork` and `spawn` start a child with a new channel. `start_server`, `open_connection` and
`create_datagram_endpoint` make asyncio objects of received handles.
"""

from nodechannel import _facade
from nodechannel._aio.channel import Channel, ChildProcess, connect, fork, spawn
from nodechannel._aio.handles import create_datagram_endpoint, open_connection, start_server

__all__ = [
    "Channel",
    "ChildProcess",
    "connect",
    "create_datagram_endpoint",
    "fork",
    "open_connection",
    "spawn",
    "start_server",
]

_facade.publish(__name__, {})
