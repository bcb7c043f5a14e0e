"""Python and Node call each other: JSON-RPC 2.0 as vscode-jsonrpc's `IPCMessageReader` and `IPCMessageWriter` speak it.

    from nodechannel import rpc

    with rpc.connect() as peer:

        @peer.method("resize")
        def resize(params): ...

        answer = peer.request("lookup", {"id": 7}, timeout=5)
        peer.wait_closed()

This is the blocking front end; `nodechannel.rpc.asyncio` has the same words as coroutines.
"""

from nodechannel import _facade
from nodechannel._rpc.blocking import Peer, connect, fork, spawn
from nodechannel._rpc.wire import RequestCancelled, RpcError

__all__ = ["Peer", "RequestCancelled", "RpcError", "connect", "fork", "spawn"]

_facade.publish(__name__, {"asyncio": "nodechannel.rpc.asyncio"})
