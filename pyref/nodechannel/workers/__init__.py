"""Python as a worker of Node's process pools, and Python pools over Node's workers.

    from nodechannel import workers

    workers.serve({"add": add, "resize": resize})   # for workerpool, jest-worker, tinypool, worker-farm and BullMQ

`Pool` is the other way round: Node's workers of workerpool and jest-worker, called from Python; `nodechannel.workers.asyncio` has it with
coroutines.
"""

from nodechannel import _facade
from nodechannel._dialects.faults import RemoteException
from nodechannel._workers.bullmq import (
    AsyncJob,
    DelayedError,
    Job,
    UnrecoverableError,
    WaitingChildrenError,
    WaitingError,
)
from nodechannel._workers.hosts import ModuleNotFound
from nodechannel._workers.pool import Pool, PoolClosed, WorkerDied
from nodechannel._workers.serving import serve

__all__ = [
    "AsyncJob",
    "DelayedError",
    "Job",
    "ModuleNotFound",
    "Pool",
    "PoolClosed",
    "RemoteException",
    "UnrecoverableError",
    "WaitingChildrenError",
    "WaitingError",
    "WorkerDied",
    "serve",
]

_facade.publish(__name__, {"asyncio": "nodechannel.workers.asyncio"})
