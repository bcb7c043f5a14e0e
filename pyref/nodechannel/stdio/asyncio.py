"""The asyncio front end of standard streams: the words of `nodechannel.stdio`, as coroutines."""

from nodechannel import _facade
from nodechannel._stdio.aio import Channel, ChildProcess, connect, fork, spawn

__all__ = ["Channel", "ChildProcess", "connect", "fork", "spawn"]

_facade.publish(__name__, {})
