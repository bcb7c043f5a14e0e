"""The asyncio front end of execa's IPC methods: the words of `nodechannel.execa`, as coroutines."""

from nodechannel._execa.aio import Ipc, connect, fork, spawn

__all__ = ["Ipc", "connect", "fork", "spawn"]
