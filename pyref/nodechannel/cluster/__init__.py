"""Node's `cluster`: servers of several processes on one port, in Python.

A Python process can be a worker of a Node primary: `connect` here is the blocking front end, `nodechannel.cluster.asyncio` has the same
words as coroutines.
"""

from nodechannel.cluster.identity import is_worker
from nodechannel.cluster.messages import Policy
from nodechannel.cluster.sync import Server, Worker, connect

__all__ = ["Policy", "Server", "Worker", "connect", "is_worker"]
