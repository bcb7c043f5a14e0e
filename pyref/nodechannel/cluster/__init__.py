"""Node's `cluster`: servers of several processes on one port, in Python.

A Python process can be a worker of a Node primary: `connect` here is the blocking front end, `nodechannel.cluster.asyncio` has the same
words as coroutines. And it can be the primary of Node and Python workers: `Cluster`.
"""

from nodechannel._cluster.blocking import Server, Worker, connect
from nodechannel._cluster.identity import is_worker
from nodechannel._cluster.messages import Policy

TYPE_CHECKING = False
if TYPE_CHECKING:
    from nodechannel._cluster.supervisor import Cluster as Cluster

__all__ = ["Cluster", "Policy", "Server", "Worker", "connect", "is_worker"]


def __getattr__(name: str) -> object:
    # A worker that blocks needs no asyncio.
    if name != "Cluster":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from nodechannel._cluster.supervisor import Cluster

    return Cluster
