"""A client of language servers: the handshake and the usual answers. Real servers are in `tests/packages/test_lsp.py`."""

from __future__ import annotations

import asyncio
import os
from typing import Any

from nodechannel._lsp.client import answer_defaults, initialization, initialize, shutdown, start
from support.node import node

SERVER = """
const seen = [process.argv[2]];
process.on('message', (m) => {
  seen.push(m.method ?? m.result);
  const answer = (result) => process.send({ jsonrpc: '2.0', id: m.id, result });
  if (m.method === 'initialize') answer({ capabilities: { pid: m.params.processId } });
  else if (m.method === 'initialized') process.send(
    { jsonrpc: '2.0', id: 'q', method: 'workspace/configuration', params: { items: [1, 2] } });
  else if (m.method === 'shutdown') answer(seen);
  else if (m.method === 'exit') process.disconnect();
});
"""


def test_the_parameters_of_the_handshake(tmp_path):
    given = initialization(tmp_path / "a b", {"capabilities": {"x": 1}})
    assert given["rootUri"] == (tmp_path / "a b").resolve().as_uri()
    assert given["workspaceFolders"] == [{"uri": given["rootUri"], "name": "a b"}]
    assert (given["processId"], given["capabilities"]) == (os.getpid(), {"x": 1})
    assert initialization(None, {})["workspaceFolders"] is None


def test_requests_of_a_server_have_an_answer():
    methods: dict[str, Any] = {}
    answer_defaults(lambda name: lambda function: methods.setdefault(name, function))
    assert methods["workspace/configuration"]({"items": [1, 2, 3]}) == [None] * 3
    assert methods["client/registerCapability"]({}) is None


def test_a_conversation_from_the_start_to_the_end(tmp_path):
    script = tmp_path / "server.js"
    script.write_text(SERVER)

    async def scenario() -> Any:
        peer = await start(str(script), exec_path=node())
        async with peer:
            assert await initialize(peer, tmp_path) == {"pid": os.getpid()}
            await asyncio.sleep(0.1)
            seen = await peer.request("shutdown", timeout=20)
            await shutdown(peer)
            await asyncio.wait_for(peer.wait_closed(), 20)
        return seen

    assert asyncio.run(scenario()) == ["--node-ipc", "initialize", "initialized", [None, None], "shutdown"]
