"""Standard streams with real packages at the far end: vscode-jsonrpc, language servers and their clients."""

from __future__ import annotations

import asyncio
import contextlib
import json
import subprocess

import pytest

from nodechannel import rpc
from nodechannel.lsp import asyncio as lsp
from nodechannel.rpc import asyncio as aio_rpc
from support.node import node

PEER = """
    const rpc = require('vscode-jsonrpc/node');
    const connection = rpc.createMessageConnection(
      new rpc.StreamMessageReader(process.stdin), new rpc.StreamMessageWriter(process.stdout));
    connection.onRequest('echo', (value) => value);
    connection.onRequest('call', ({ method, params }) => connection.sendRequest(method, params));
    connection.onRequest('fail', () => { throw new RangeError('odd'); });
    connection.onRequest('stray', () => { process.stdout.write('listening on port 80\\n'); return 'written'; });
    connection.listen();
"""

CHILD = """
    import os, subprocess
    from nodechannel import rpc

    with rpc.connect(stdio="headers") as peer:

        @peer.method("echo")
        def echo(value):
            print("a line that is no message")
            os.write(1, b"bytes that are no message\\n")
            subprocess.run(["echo", "of a grandchild"], check=True)
            return value

        @peer.method("ask")
        async def ask(value):
            return value

        peer.start()
        print("seen", peer.request("double", 21, timeout=20))
        peer.wait_closed()
"""


@pytest.fixture
def peer(packages, script):
    program = script("peer.cjs", PEER)
    (program.parent / "node_modules").symlink_to(packages / "node_modules")
    return program


@pytest.mark.rule("STD-020", "STD-021")
def test_a_python_parent_calls_a_node_child_over_streams(peer):
    with rpc.fork(peer, exec_path=node(), stdio="headers") as child:

        @child.method("shout")
        def shout(params):
            return params["text"].upper()

        for value in ["é😀\u2028", {"a": [1, None]}, "x" * 300_000]:
            assert child.request("echo", {"value": value}, timeout=20) == {"value": value}
        assert child.request("call", {"method": "shout", "params": {"text": "hey"}}, timeout=20) == "HEY"
        with pytest.raises(rpc.RpcError, match="odd"):
            child.request("fail", timeout=20)


@pytest.mark.rule("STD-024")
def test_a_stray_line_costs_no_message(peer):
    async def main():
        async with await aio_rpc.fork(peer, exec_path=node(), stdio="headers") as child:
            names = ("stray", "echo", "stray")
            return await asyncio.gather(*(child.request(name, {"n": 1}, timeout=20) for name in names))

    assert asyncio.run(main()) == ["written", {"n": 1}, "written"]


@pytest.mark.rule("STD-030", "STD-031")
def test_a_python_child_under_vscode_jsonrpc(run_node):
    found = run_node(
        """
        import { spawn } from 'child_process';
        import { createRequire } from 'module';
        const rpc = createRequire(import.meta.url)('vscode-jsonrpc/node');
        const server = spawn(python, [child], { stdio: ['pipe', 'pipe', 'ignore'] });
        const connection = rpc.createMessageConnection(
          new rpc.StreamMessageReader(server.stdout), new rpc.StreamMessageWriter(server.stdin));
        const errors = [];
        connection.onError(([error]) => errors.push(error.message));
        connection.onRequest('double', (n) => 2 * n);
        connection.listen();
        const values = ['é\\u2028', { a: 1 }, 'x'.repeat(200000)];
        const echoed = [];
        for (const value of values) echoed.push(await connection.sendRequest('echo', { value }));
        const unknown = await outcome(connection.sendRequest('no/such', {}));
        server.stdin.end();
        const same = JSON.stringify(echoed) === JSON.stringify(values);
        server.on('close', (code) => done({ same, unknown: unknown.message, errors, code }));
        """,
        CHILD,
    )
    assert found["same"]
    assert found["errors"] == []
    assert found["code"] == 0
    assert "no/such" in found["unknown"]


@pytest.mark.parametrize(
    ("stream", "delivered", "errors"),
    [
        # The reader of vscode-jsonrpc loses messages behind the first three. So a sender keeps to a single form.
        (b"Content-Length: 1\n\n1", [2], 0),
        (b"stray\nContent-Length: 1\r\n\r\n1", [], 1),
        (b"Content-Length: 1\r\n\r\n1\n", [1], 1),
        (b"content-length:1\r\nX-Other: x\r\n\r\n1", [1, 2], 0),
        (b"Content-Length: 1\r\nContent-Type: text/plain; charset=utf-16\r\n\r\n1", [1, 2], 0),
    ],
)
def test_what_the_reader_of_vscode_jsonrpc_takes(packages, script, stream, delivered, errors):
    program = script(
        "reader.cjs",
        """
        const { StreamMessageReader } = require('vscode-jsonrpc/node');
        const reader = new StreamMessageReader(process.stdin);
        const delivered = [], errors = [];
        reader.onError((error) => errors.push(error.message));
        reader.onClose(() => console.log(JSON.stringify({ delivered, errors })));
        reader.listen((message) => delivered.push(message));
        """,
    )
    (program.parent / "node_modules").symlink_to(packages / "node_modules")
    found = subprocess.run(
        [node(), str(program)],
        input=stream + b"Content-Length: 1\r\n\r\n2",
        capture_output=True,
        timeout=50,
        process_group=0,
        check=True,
    )
    told = json.loads(found.stdout)
    assert told["delivered"] == delivered
    assert len(told["errors"]) == errors


@pytest.mark.parametrize(
    ("stream", "before_24", "from_24"),
    [
        (b"1\r\n2", ["1", "2"], ["1", "2"]),
        (b"1\n\n2\n", ["1", "", "2"], ["1", "", "2"]),
        (b"1\r2\n", ["1", "2"], ["1", "2"]),
        (b"\xef\xbb\xbf1\n", ["\ufeff1"], ["\ufeff1"]),
        ('"a\u2028b"\n'.encode(), ['"a\u2028b"'], ['"a', 'b"']),
    ],
)
@pytest.mark.rule("STD-011", "STD-013")
def test_what_readline_makes_of_lines(script, stream, before_24, from_24):
    program = script(
        "reader.cjs",
        """
        const lines = [];
        const reader = require('readline').createInterface({ input: process.stdin, crlfDelay: Infinity });
        reader.on('line', (line) => lines.push(line));
        reader.on('close', () => console.log(JSON.stringify([parseInt(process.versions.node), lines])));
        """,
    )
    found = subprocess.run(
        [node(), str(program)], input=stream, capture_output=True, timeout=50, process_group=0, check=True
    )
    major, lines = json.loads(found.stdout)
    assert lines == (from_24 if major >= 24 else before_24)


def test_a_node_language_server_over_its_streams(packages, tmp_path):
    async def main():
        program = packages / "node_modules/vscode-langservers-extracted/bin/vscode-css-language-server"
        uri = (tmp_path / "a.css").as_uri()
        async with await lsp.start(program, exec_path=node(), stdio=True) as peer:
            found = asyncio.get_running_loop().create_future()

            @peer.method("textDocument/publishDiagnostics")
            def diagnose(params):
                if params["diagnostics"] and not found.done():
                    found.set_result(params["diagnostics"])

            await lsp.initialize(peer, tmp_path, capabilities={"textDocument": {"publishDiagnostics": {}}})
            document = {"uri": uri, "languageId": "css", "version": 1, "text": "a { colr: red }"}
            await peer.notify("textDocument/didOpen", {"textDocument": document})
            with contextlib.suppress(rpc.RpcError):
                answer = await peer.request(
                    "textDocument/diagnostic", {"textDocument": {"uri": uri}}, timeout=40
                )
                found.set_result(answer["items"])
            items = await asyncio.wait_for(found, 40)
            await lsp.shutdown(peer)
        return items

    assert "colr" in asyncio.run(main())[0]["message"]


def test_a_pygls_server_prints_and_serves_on(run_node):
    found = run_node(
        """
        import { spawn } from 'child_process';
        import protocol from 'vscode-languageserver-protocol/node';
        const server = spawn(python, [child, '--stdio'], { stdio: ['pipe', 'pipe', 'ignore'] });
        const connection = protocol.createProtocolConnection(
          new protocol.StreamMessageReader(server.stdout), new protocol.StreamMessageWriter(server.stdin));
        const ended = new Promise((resolve) => server.on('close', resolve));
        connection.listen();
        const { serverInfo } = await connection.sendRequest(
          'initialize', { processId: process.pid, rootUri: null, capabilities: {} });
        await connection.sendNotification('initialized', {});
        const said = await connection.sendRequest('workspace/executeCommand', { command: 'say', arguments: ['é'] });
        await connection.sendRequest('shutdown');
        await connection.sendNotification('exit');
        done({ name: serverInfo.name, said, code: await ended });
        """,
        """
        from pygls.lsp.server import LanguageServer
        from nodechannel import lsp

        server = LanguageServer("example", "1")

        @server.command("say")
        def say(*args):
            print("a line that would end the conversation of start_io", *args)
            return list(args)

        lsp.serve(server, stdio=True)
        """,
    )
    assert found == {"name": "example", "said": ["é"], "code": 0}
