"""Request and reply in the form of NestJS's Redis transport, both ends. Needs the extra ``redis``.

    from nodechannel import nest

    with nest.connect("redis://localhost") as client:
        print(client.request({"cmd": "sum"}, [1, 2, 3], timeout=5))

This is the blocking front end; `nodechannel.nest.asyncio` has the same words as coroutines.
"""

from nodechannel import _facade
from nodechannel._nest.blocking import Client, Server, connect
from nodechannel._nest.wire import NestError

__all__ = ["Client", "NestError", "Server", "connect"]

_facade.publish(__name__, {"asyncio": "nodechannel.nest.asyncio"})
