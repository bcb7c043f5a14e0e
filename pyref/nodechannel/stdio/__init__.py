"""Messages over standard input and output, with the words of a channel.

    from nodechannel import stdio

    with stdio.connect() as channel:   # in a child; print() writes to standard error from here on
        for message in channel:
            channel.send({"got": message.data})

A parent starts its child by `fork` or `spawn`. The framing is ``lines``, a JSON text a line, or ``headers``, the `Content-Length` headers
of language servers. This is the blocking front end; `nodechannel.stdio.asyncio` has the same words as coroutines.
"""

from nodechannel import _facade
from nodechannel._stdio.blocking import Channel, ChildProcess, connect, fork, spawn
from nodechannel._stdio.options import SpawnOptions

__all__ = ["Channel", "ChildProcess", "SpawnOptions", "connect", "fork", "spawn"]

_facade.publish(__name__, {"asyncio": "nodechannel.stdio.asyncio"})
