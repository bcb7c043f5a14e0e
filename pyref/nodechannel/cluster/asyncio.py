"""The asyncio front end of a cluster worker: the words of `nodechannel.cluster`, as coroutines."""

from nodechannel import _facade
from nodechannel._cluster.aioserver import Server
from nodechannel._cluster.aioworker import Worker, connect

__all__ = ["Server", "Worker", "connect"]

_facade.publish(__name__, {})
