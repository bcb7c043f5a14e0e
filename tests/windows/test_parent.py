"""The parent on Windows, under Wine: Node children of both front ends, under both event loops."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from support.node import ROOT
from support.windows import windows_path

if TYPE_CHECKING:
    from pathlib import Path

    from support.windows import Ended, Laboratory

pytestmark = pytest.mark.windows

CHILD = """
const net = require('net')
process.on('message', (message, handle) => {
  if (handle instanceof net.Server) {
    handle.on('connection', socket => { socket.end('served by Node'); handle.close() })
    process.send('server')
  } else if (handle instanceof net.Socket) {
    handle.end('socket of Node')
    process.send('socket')
  } else if (message === 'give') {
    const server = net.createServer().listen(0, '127.0.0.1', () => process.send({ port: server.address().port }, server, () => {
      server.close(() => process.send('closed'))
    }))
  } else if (message === 'out') {
    console.log('on stdout')
    console.error('on stderr')
    process.send('written')
  } else if (message === 'exit') process.exit(7)
  else process.send({ echo: message })
})
process.send('ready')
"""

BLOCKING = """
import socket, subprocess, sys
import nodechannel

node, mode = sys.argv[1:]
streams = {name: subprocess.PIPE for name in ("stdin", "stdout", "stderr")}
with nodechannel.fork("child.js", exec_path=node, serialization=mode, **streams) as child:
    print(child.pid > 0, child.receive(60).data)
    child.send("x" * 1_000_000)
    print(len(child.receive(60).data["echo"]))
    with socket.create_server(("127.0.0.1", 0)) as server:
        address = server.getsockname()
        print(child.send("take it", server, timeout=60).state.name, child.receive(60).data)
    with socket.create_connection(address) as client:
        print(client.recv(100).decode())
    with socket.create_server(("127.0.0.1", 0)) as server:
        client = socket.create_connection(server.getsockname())
        connection, _ = server.accept()
    child.send("take it", connection, timeout=60)
    print(child.receive(60).data, client.recv(100).decode())
    client.close()
    child.send("give")
    message = child.receive(60)
    print(child.receive(60).data)
    with message.handle.socket(60) as server, socket.create_connection(("127.0.0.1", message.data["port"])) as client:
        connection, _ = server.accept()
        connection.sendall(b"served by Python")
        connection.close()
        print(client.recv(100).decode())
    child.send("out")
    print(child.receive(60).data)
    child.send("exit")
    print("exit", child.wait(60), child.exit_code, child.signal_code)
    print(child.process.stdout.read(), child.process.stderr.read())
with nodechannel.fork("child.js", exec_path=node) as child:
    child.receive(60)
    child.kill(9)
    print("killed", child.wait(60))
with nodechannel.fork("child.js", exec_path=node) as child:
    print(child.receive(60).data)
print("ended", child.exit_code)
try:
    nodechannel.spawn(["no-such-program.exe"])
except FileNotFoundError:
    print("not found")
"""

BLOCKING_TALK = """True ready
1000000
ACKNOWLEDGED server
served by Node
socket socket of Node
closed
served by Python
written
exit 7 7 None
b'on stdout\\n' b'on stderr\\n'
killed 1
ready
ended 0
not found
"""

ASYNCIO = """
import asyncio, socket, sys
import nodechannel
import nodechannel.asyncio as front

node, mode, loop = sys.argv[1:]
proactor = loop == "proactor"

async def main():
    streams = {"stdout": asyncio.subprocess.PIPE, "stderr": asyncio.subprocess.PIPE} if proactor else {}
    async with await front.fork("child.js", exec_path=node, serialization=mode, **streams) as child:
        print((await child.receive(60)).data)
        for number in range(300):
            await child.send(number)
        print([(await child.receive(60)).data["echo"] for _ in range(300)] == list(range(300)))
        await child.send("x" * 1_000_000)
        print(len((await child.receive(60)).data["echo"]))
        with socket.create_server(("127.0.0.1", 0)) as server:
            address = server.getsockname()
            await child.send("take it", server)
            print((await child.receive(60)).data)
        reader, writer = await asyncio.open_connection(*address)
        print((await reader.read()).decode())
        writer.close()
        with socket.create_server(("127.0.0.1", 0)) as server:
            client = socket.create_connection(server.getsockname())
            connection, _ = server.accept()
        await child.send("take it", connection, key="key")
        print((await child.receive(60)).data, client.recv(100).decode())
        client.close()
        await child.wait_all_closed("key", 60)
        await child.send("give")
        message = await child.receive(60)
        print((await child.receive(60)).data)
        async def serve(reader, writer):
            writer.write(b"served by asyncio")
            await writer.drain()
            writer.close()
        try:
            server = await front.start_server(message.handle, serve)
        except nodechannel.NotOnThisSystem as error:
            print(error.remedy)
            message.handle.close()
        else:
            reader, writer = await asyncio.open_connection("127.0.0.1", message.data["port"])
            print((await reader.read()).decode())
            writer.close()
            server.close()
        await child.send("exit")
        print("exit", await child.wait(60), child.exit_code)
    async with await front.fork("child.js", exec_path=node) as child:
        await child.receive(60)
        child.kill()
        print("killed", await child.wait(60))
    if not proactor:
        try:
            await front.fork("child.js", exec_path=node, stdout=asyncio.subprocess.PIPE)
        except nodechannel.NotOnThisSystem as error:
            print(error.remedy)

with asyncio.Runner(loop_factory=asyncio.ProactorEventLoop if proactor else asyncio.SelectorEventLoop) as runner:
    runner.run(main())
"""

ASYNCIO_TALK = """ready
True
1000000
server
served by Node
socket socket of Node
closed
{served}
exit 7 7
killed 1
"""

SERVED = {
    "proactor": "use asyncio.SelectorEventLoop, or the socket with calls that block",
    "selector": "served by asyncio",
}


def run(laboratory: Laboratory, folder: Path, program: str, *words: str | Path) -> Ended:
    (folder / "child.js").write_text(CHILD, "utf-8")
    (folder / "parent.py").write_text(program, "utf-8")
    packages = laboratory.python.parent / "packages"
    env = {"PYTHONPATH": f"{windows_path(ROOT / 'pyref')};{windows_path(packages)}"}
    return laboratory.run(laboratory.python, "parent.py", *words, cwd=folder, env=env, seconds=300)


def test_a_blocking_parent_of_node(laboratory: Laboratory, node: Path, tmp_path: Path) -> None:
    ended = run(laboratory, tmp_path, BLOCKING, node, "json")
    assert (ended.stdout, ended.stderr) == (BLOCKING_TALK, "")


@pytest.mark.parametrize(("loop", "mode"), [("proactor", "advanced"), ("selector", "json")])
def test_an_asyncio_parent_of_node(laboratory: Laboratory, loop: str, mode: str, tmp_path: Path) -> None:
    ended = run(laboratory, tmp_path, ASYNCIO, laboratory.newest, mode, loop)
    more = "" if loop == "proactor" else "use asyncio.ProactorEventLoop\n"
    assert (ended.stdout, ended.stderr) == (ASYNCIO_TALK.format(served=SERVED[loop]) + more, "")
