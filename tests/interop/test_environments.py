"""Interpreters and event loops other than the common ones: the channel works, with Node at the other end."""

from __future__ import annotations

import json
import subprocess
import sys
import textwrap

import pytest

from support.interpreters import needs_wheels
from support.node import node

PARENT = """
const [python, argv] = [process.argv[1], JSON.parse(process.argv[2])];
const child = require('child_process').spawn(python, argv, { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
const server = require('net').createServer((socket) => child.send('a connection', socket));
server.listen(0, '127.0.0.1', () => child.send({ port: server.address().port }));
const got = [];
child.on('message', (message, handle) => {
  got.push(message.length > 100 ? message.length : message);
  if (message === 'taken') handle.end('by the parent');
  if (message === 'kept') handle.close();
});
child.on('close', (code) => { console.log(JSON.stringify([code, got])); server.close(); });
"""
# Answers a message, connects to the parent's server, takes the connection that comes back, and writes through it.
CHILDREN = {
    "blocking": """
        import socket, nodechannel
        with nodechannel.connect() as channel:
            port = channel.receive(timeout=20).data["port"]
            client = socket.create_connection(("127.0.0.1", port), timeout=20)
            message = channel.receive(timeout=20)
            with client, message.handle.socket(timeout=20) as accepted:
                accepted.sendall(b"through")
                channel.send([message.data, client.recv(100).decode()])
            with socket.create_server(("127.0.0.1", 0)) as server:
                there = socket.create_connection(server.getsockname())
                here, _ = server.accept()
                channel.send("kept", server)
            channel.send("taken", here)
            said = there.recv(100)  # not within the assertion, which `-O` leaves out
            there.close()
            assert (here.fileno(), said) == (-1, b"by the parent")
            channel.send("x" * 300_000)
    """,
    "asyncio": """
        import asyncio, socket
        from nodechannel import asyncio as aio
        async def main():
            async with await aio.connect() as channel:
                port = (await channel.receive(timeout=20)).data["port"]
                reader, writer = await asyncio.open_connection("127.0.0.1", port)
                message = await channel.receive(timeout=20)
                _, accepted = await aio.open_connection(message.handle)
                accepted.write(b"through")
                await accepted.drain()
                await channel.send([message.data, (await reader.read(100)).decode()])
                for each in (accepted, writer):
                    each.close()
                    await each.wait_closed()
                await channel.send("x" * 300_000)
        run(main())
    """,
}
LOOPS = {
    "asyncio": "import asyncio; run = asyncio.run",
    "uvloop": "import uvloop; run = uvloop.run",
}
PATCHES = {
    "nothing": "",
    "gevent": "from gevent import monkey; monkey.patch_all()",
    "eventlet": "import eventlet; eventlet.monkey_patch()",
}
FLAGS: dict[str, list[str]] = {
    "isolated": ["-I"],
    "without docstrings and assertions": ["-OO"],
    "both": ["-I", "-OO"],
}


def under_node(program: str, *flags: str) -> object:
    argv = [*flags, "-c", program]
    command = [node(), "-e", PARENT, sys.executable, json.dumps(argv)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=50, check=False)
    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stderr
    return json.loads(done.stdout)


EXPECTED = {
    "blocking": [0, [["a connection", "through"], "kept", "taken", 300_000]],
    "asyncio": [0, [["a connection", "through"], 300_000]],
}


@pytest.mark.parametrize("flags", FLAGS)
@pytest.mark.parametrize("kind", CHILDREN)
def test_flags_of_the_interpreter(kind, flags):
    program = LOOPS["asyncio"] + textwrap.dedent(CHILDREN[kind])
    assert under_node(program, *FLAGS[flags]) == EXPECTED[kind]


@needs_wheels
def test_uvloop():
    assert under_node(LOOPS["uvloop"] + textwrap.dedent(CHILDREN["asyncio"])) == EXPECTED["asyncio"]


@needs_wheels
@pytest.mark.parametrize("patch", PATCHES)
def test_monkey_patches(patch):
    program = PATCHES[patch] + textwrap.dedent(CHILDREN["blocking"])
    assert under_node(program, "-W", "ignore") == EXPECTED["blocking"]


@needs_wheels
def test_a_parent_with_uvloop(tmp_path):
    (tmp_path / "child.js").write_text("process.on('message', (message) => process.send(message));")
    program = textwrap.dedent(f"""
        import uvloop
        from nodechannel import asyncio as aio
        async def main():
            async with await aio.fork({str(tmp_path / "child.js")!r}, exec_path={node()!r}) as child:
                await child.send({{"n": 1}})
                assert (await child.receive(timeout=20)).data == {{"n": 1}}
        uvloop.run(main())
    """)
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=50, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
