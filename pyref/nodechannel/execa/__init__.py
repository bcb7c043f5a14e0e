"""execa's IPC methods in Python: strict sending with acknowledgement, several listeners, graceful cancel.

    from nodechannel import execa

    with execa.connect() as ipc:
        for message in ipc.get_each_message():
            ipc.send_message({"got": message}, strict=True)

It speaks both serializations. In execa its own strict sending and `gracefulCancel` need the advanced one, which is its default.

This is the blocking front end; `nodechannel.execa.asyncio` has the same words as coroutines.
"""

from nodechannel import _facade
from nodechannel._execa.blocking import Ipc, connect, fork, spawn
from nodechannel._execa.exchange import Cancelled, Deadlock, NotListening

__all__ = ["Cancelled", "Deadlock", "Ipc", "NotListening", "connect", "fork", "spawn"]

_facade.publish(__name__, {"asyncio": "nodechannel.execa.asyncio"})
