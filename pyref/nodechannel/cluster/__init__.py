"""Node's `cluster`: servers of several processes on one port, in Python.

    from nodechannel import cluster

    if cluster.is_worker():
        with cluster.connect() as worker, worker.listen(8000) as server:
            for connection in server:
                connection.sendall(b"hello")
                connection.close()
    else:
        cluster.Cluster("worker.py", workers=4).run()

A Python process can be a worker of a Node primary: `connect` here is the blocking front end, `nodechannel.cluster.asyncio` has the same
words as coroutines. And it can be the primary of Node and Python workers: `Cluster`.
"""

from nodechannel import _facade
from nodechannel._cluster.blocking import Server, Worker, connect
from nodechannel._cluster.identity import is_worker
from nodechannel._cluster.messages import Policy

# Never true, for tools that read this file alone: `TYPE_CHECKING` would be another name that they offer.
if __name__ == "TYPE_CHECKING":
    from nodechannel._cluster.events import Event
    from nodechannel._cluster.processes import WorkerProcess
    from nodechannel._cluster.supervisor import Cluster
    from nodechannel.cluster import asyncio as asyncio

__all__ = ["Cluster", "Event", "Policy", "Server", "Worker", "WorkerProcess", "connect", "is_worker"]

# A worker that blocks needs neither asyncio nor the primary.
_facade.publish(
    __name__,
    {
        "Cluster": "nodechannel._cluster.supervisor",
        "Event": "nodechannel._cluster.events",
        "WorkerProcess": "nodechannel._cluster.processes",
        "asyncio": "nodechannel.cluster.asyncio",
    },
)
