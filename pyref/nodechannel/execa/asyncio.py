"""The asyncio front end of execa's IPC methods: the words of `nodechannel.execa`, as coroutines."""

from nodechannel import _facade
from nodechannel._execa.aio import Ipc, connect, fork, spawn

__all__ = ["Ipc", "connect", "fork", "spawn"]

_facade.publish(__name__, {})
