"""The asyncio front end of JSON-RPC: the words of `nodechannel.rpc`, as coroutines."""

from nodechannel import _facade
from nodechannel._rpc.peer import Peer, connect, fork, spawn

__all__ = ["Peer", "connect", "fork", "spawn"]

_facade.publish(__name__, {})
