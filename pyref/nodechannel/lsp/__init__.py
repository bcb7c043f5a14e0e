"""A pygls language server under a client's `TransportKind.ipc`.

    from nodechannel import lsp

    lsp.serve(server)   # in the place of server.start_io()

Clients for Node's language servers are in `nodechannel.lsp.asyncio`.
"""

from nodechannel import _facade
from nodechannel._lsp.server import serve

__all__ = ["serve"]

_facade.publish(__name__, {"asyncio": "nodechannel.lsp.asyncio"})
