"""The asyncio front end of a cluster worker: the words of `nodechannel.cluster`, as coroutines.

    from nodechannel.cluster import asyncio as cluster

    async with await cluster.connect() as worker:
        await worker.listen(8000, answer)   # called with a reader and a writer, as by asyncio.start_server
        await worker.wait_closed()

When the primary lets the worker go, its servers close, connections finish, and `wait_closed` returns.
"""

from nodechannel import _facade
from nodechannel._cluster.aioserver import Server
from nodechannel._cluster.aioworker import Worker, connect

__all__ = ["Server", "Worker", "connect"]

_facade.publish(__name__, {})
