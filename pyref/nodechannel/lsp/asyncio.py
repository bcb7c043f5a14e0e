"""Language servers with asyncio: pygls servers, and clients of Node's servers.

    from nodechannel.lsp import asyncio as lsp

    async with await lsp.start("pyright-langserver") as peer:
        await lsp.initialize(peer, folder)
        await lsp.shutdown(peer)

`start` starts any server that knows ``--node-ipc`` (pyright, the servers of vscode-langservers-extracted) and returns a
`nodechannel.rpc.asyncio.Peer`; `initialize` and `shutdown` do the two handshakes. `start_tsserver` starts TypeScript's server.
"""

from nodechannel import _facade
from nodechannel._lsp.client import initialize, shutdown, start
from nodechannel._lsp.server import serve_async as serve
from nodechannel._lsp.tsserver import TsServer, start_tsserver

__all__ = ["TsServer", "initialize", "serve", "shutdown", "start", "start_tsserver"]

_facade.publish(__name__, {})
