"""Which pool started this process."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nodechannel._workers.bullmq import BullMQ
from nodechannel._workers.protocols import JestWorker, TinyPool, WorkerFarm, WorkerPool

if TYPE_CHECKING:
    from nodechannel._workers.protocols import Protocol


def choose(argv: list[str], name: str | None) -> type[Protocol]:
    """Return the protocol of a name, or of the package whose file stands in the command line; else workerpool.

    The packages start a worker as Node with a file of their own, which Python sees as an argument. workerpool starts its user's own
    script. Raises `ValueError` for an unknown name.
    """
    known: list[type[Protocol]] = [WorkerPool, JestWorker, TinyPool, WorkerFarm, BullMQ]
    if name is not None:
        for protocol in known:
            if protocol.package == name:
                return protocol
        raise ValueError(f"protocol={name!r} is none of {', '.join(protocol.package for protocol in known)}")
    for protocol in known:
        if protocol.marks and any(all(mark in word for mark in protocol.marks) for word in argv[1:]):
            return protocol
    return WorkerPool
