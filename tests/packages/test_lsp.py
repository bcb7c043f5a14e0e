"""Language servers over IPC: pygls under the connection that vscode-languageclient uses, and Node's servers under Python."""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING, Any

import pytest

from nodechannel import rpc
from nodechannel.lsp import asyncio as lsp
from nodechannel.workers import RemoteException
from support.node import node

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from nodechannel.rpc.asyncio import Peer

SERVER = """
    import sys
    from lsprotocol import types
    from pygls.lsp.server import LanguageServer
    from nodechannel import lsp

    server = LanguageServer("example", "1")

    @server.feature(types.TEXT_DOCUMENT_COMPLETION)
    async def complete(params):
        document = server.workspace.get_text_document(params.text_document.uri)
        return [types.CompletionItem(label=word) for word in document.source.split()]

    @server.feature(types.TEXT_DOCUMENT_DID_OPEN)
    def opened(params):
        server.text_document_publish_diagnostics(types.PublishDiagnosticsParams(
            uri=params.text_document.uri, diagnostics=[types.Diagnostic(
                range=types.Range(types.Position(0, 0), types.Position(0, 1)), message="seen by Python")]))

    @server.command("arguments")
    def arguments(*args):
        return sys.argv[1:]

    lsp.serve(server)
"""

CLIENT = """
    // Starts a server as vscode-languageclient does it for TransportKind.ipc, and uses the connection that it uses.
    import { spawn } from 'child_process';
    import protocol from 'vscode-languageserver-protocol/node';
    const options = ['--node-ipc', `--clientProcessId=${process.pid}`];
    const server = spawn(python, [child, ...options], { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
    const connection = protocol.createProtocolConnection(
      new protocol.IPCMessageReader(server), new protocol.IPCMessageWriter(server));
    const ended = new Promise((resolve) => server.on('exit', (code) => resolve(code)));
    connection.listen();
    const uri = 'file:///a.txt';
    const diagnostics = new Promise((resolve) => connection.onNotification('textDocument/publishDiagnostics', resolve));
    const { serverInfo, capabilities } = await connection.sendRequest(
      'initialize', { processId: process.pid, rootUri: null, capabilities: {} });
    await connection.sendNotification('initialized', {});
    const text = 'spam é \\u{1F600}';
    await connection.sendNotification('textDocument/didOpen', { textDocument: { uri, languageId: 'plaintext', version: 1, text } });
    const position = { line: 0, character: 0 };
    const items = await connection.sendRequest('textDocument/completion', { textDocument: { uri }, position });
    const args = await connection.sendRequest('workspace/executeCommand', { command: 'arguments', arguments: [] });
    const unknown = await outcome(connection.sendRequest('no/such', {}));
    await connection.sendRequest('shutdown');
    await connection.sendNotification('exit');
    done({ serverInfo, completes: !!capabilities.completionProvider, labels: items.map(({ label }) => label),
      seen: (await diagnostics).diagnostics[0].message, args, options, unknown: unknown.message, code: await ended });
"""


@pytest.mark.package(
    "vscode-languageclient",
    "server, by pygls; tried with its connection, without VS Code",
    "`nodechannel.lsp`",
)
def test_a_pygls_server_serves_a_client_over_ipc(run_node):
    found = run_node(CLIENT, SERVER)
    assert found["serverInfo"] == {"name": "example", "version": "1"}
    assert found["completes"] is True
    assert found["labels"] == ["spam", "é", "\U0001f600"]
    assert found["seen"] == "seen by Python"
    assert found["args"] == found["options"]
    assert found["unknown"] == "Method Not Found: no/such"
    assert found["code"] == 0


@contextlib.asynccontextmanager
async def opened(
    script: Path, folder: Path, name: str, language: str, text: str
) -> AsyncIterator[tuple[Peer, Any]]:
    """Start a server, open a document in it; yield the peer and a future of the first diagnostics."""
    (folder / name).write_text(text)
    uri = (folder / name).as_uri()
    async with await lsp.start(script, exec_path=node()) as peer:
        found: asyncio.Future[Any] = asyncio.get_running_loop().create_future()

        @peer.method("textDocument/publishDiagnostics")
        def diagnose(params: Any) -> None:
            if params["uri"] == uri and params["diagnostics"] and not found.done():
                found.set_result(params["diagnostics"])

        await lsp.initialize(peer, folder, capabilities={"textDocument": {"publishDiagnostics": {}}})
        document = {"uri": uri, "languageId": language, "version": 1, "text": text}
        await peer.notify("textDocument/didOpen", {"textDocument": document})
        yield peer, found
        await lsp.shutdown(peer)


WRONG_TYPE = (
    'Type "Literal[\'text\']" is not assignable to declared type "int"\n'
    '  "Literal[\'text\']" is not assignable to "int"'
)
SERVERS = [
    (
        "pyright/langserver.index.js",
        "a.py",
        "python",
        "x: int = 'text'\n",
        [WRONG_TYPE],
    ),
    (
        "vscode-langservers-extracted/bin/vscode-json-language-server",
        "a.json",
        "json",
        '{"a": }',
        ["Value expected"],
    ),
    (
        "vscode-langservers-extracted/bin/vscode-css-language-server",
        "a.css",
        "css",
        "a { colr: red }",
        ["Unknown property: 'colr'"],
    ),
]


@pytest.mark.parametrize(
    ("script", "name", "language", "text", "expected"),
    [
        pytest.param(
            *server,
            marks=pytest.mark.package(server[0].partition("/")[0], "client", "`nodechannel.lsp.asyncio`"),
        )
        for server in SERVERS
    ],
    ids=["pyright", "json", "css"],
)
def test_node_servers_report_what_is_wrong(packages, tmp_path, script, name, language, text, expected):
    async def main():
        program = packages / "node_modules" / script
        async with opened(program, tmp_path, name, language, text) as (peer, diagnostics):
            if language == "json":
                params = {"textDocument": {"uri": (tmp_path / name).as_uri()}}
                with contextlib.suppress(rpc.RpcError):
                    answer = await peer.request("textDocument/diagnostic", params, timeout=40)
                    return answer["items"]
            return await asyncio.wait_for(diagnostics, 50)

    found = asyncio.run(main())
    assert [diagnostic["message"].replace("\xa0", " ") for diagnostic in found] == expected


@pytest.mark.package("typescript", "client", "`nodechannel.lsp.asyncio`")
def test_tsserver_answers(packages, tmp_path):
    file = tmp_path / "a.ts"
    file.write_text("const answer: number = 'text';\nanswer;\n")
    events = []

    async def main():
        script = packages / "node_modules" / "typescript" / "lib" / "tsserver.js"
        async with await lsp.start_tsserver(
            script, exec_path=node(), on_event=lambda name, body: events.append(name)
        ) as server:
            await server.notify("open", file=str(file))
            info = await server.request("quickinfo", file=str(file), line=2, offset=2, timeout=40)
            wrong = await server.request("semanticDiagnosticsSync", file=str(file), timeout=40)
            with pytest.raises(RemoteException, match="No content available"):
                await server.request("quickinfo", file=str(file), line=3, offset=1, timeout=40)
            return info, wrong

    info, wrong = asyncio.run(main())
    assert info["displayString"] == "const answer: number"
    assert [(error["code"], error["text"]) for error in wrong] == [
        (2322, "Type 'string' is not assignable to type 'number'.")
    ]
    assert events == ["typingsInstallerPid"]
