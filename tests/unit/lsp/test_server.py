"""A pygls server at the end of a channel; the test stands for the client. Real clients are in `tests/packages/test_lsp.py`."""

from __future__ import annotations

import sys

import pytest

import nodechannel

pytest.importorskip("pygls")

SERVER = """
from lsprotocol import types
from pygls.lsp.server import LanguageServer
from nodechannel._lsp.server import serve
server = LanguageServer("test", "1")

@server.feature(types.TEXT_DOCUMENT_HOVER)
def hover(params):
    return types.Hover(contents=params.text_document.uri)

serve(server)
"""


def test_requests_are_answered_and_a_bad_message_harms_nothing():
    with nodechannel.spawn([sys.executable, "-c", SERVER]) as child:

        def ask(id: int, method: str, params: object) -> object:
            child.send({"jsonrpc": "2.0", "id": id, "method": method, "params": params})
            while (data := child.receive(timeout=30).data).get("id") != id:
                pass
            return data["result"]

        found = ask(1, "initialize", {"processId": None, "rootUri": None, "capabilities": {}})
        assert found["capabilities"]["hoverProvider"]  # type: ignore[index]
        child.send("no object")
        child.send({"jsonrpc": "2.0", "method": "no such method"})
        position = {"textDocument": {"uri": "file:///x"}, "position": {"line": 0, "character": 0}}
        assert ask(2, "textDocument/hover", position) == {"contents": "file:///x"}
        child.disconnect()
        assert child.wait(timeout=20) == 0
