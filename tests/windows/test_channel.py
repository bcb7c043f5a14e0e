"""The reference on Windows, under Wine: named pipes, sockets by their descriptions, unmodified Node at the far end."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from support.node import ROOT
from support.windows import windows_path

if TYPE_CHECKING:
    from pathlib import Path

    from support.windows import Ended, Laboratory

pytestmark = pytest.mark.windows

# Writes its findings to a file: a child of Node has no streams of Linux.
CHILD = """
import json, os, socket, subprocess, sys, threading, traceback
import nodechannel

SEEN = []
def say(*words): SEEN.append(words)

def other_thread(channel, results):
    results.append(channel.receive(60).data)

def main():
    channel = nodechannel.connect()
    say("environment", os.environ.get("NODE_CHANNEL_FD"), channel.serialization)
    try:
        channel.receive(0.05)
    except TimeoutError:
        say("timeout")
    channel.send("ready")
    for message in channel:
        data, handle = message.data, message.handle
        if handle is not None and handle.type == "net.Server":
            server = handle.socket(60)
            channel.send({"got": "server"})
            connection, _ = server.accept()
            connection.sendall(b"served by Python")
            connection.close(); server.close()
        elif handle is not None:
            with handle.socket(60) as connection:
                connection.sendall(b"socket of Python")
            channel.send({"got": "socket"})
        elif data == "give":
            with socket.create_server(("127.0.0.1", 0)) as server:
                channel.send({"server": server.getsockname()[1]}, server, timeout=60)
            with socket.create_server(("127.0.0.1", 0)) as server:
                with socket.create_connection(server.getsockname()) as client:
                    connection, _ = server.accept()
                    channel.send({"socket": 1}, connection, timeout=60)
                    say("over the socket", client.recv(100).decode())
        elif data == "refuse":
            for sock in (socket.socket(socket.AF_INET, socket.SOCK_DGRAM), socket.socket()):
                sock.bind(("127.0.0.1", 0))
                try:
                    channel.send(1, sock)
                except nodechannel.InvalidHandle as error:
                    say("refused", str(error))
                sock.close()
            channel.send("refused")
        elif data == "grandchild":
            code = "import msvcrt\\ntry: msvcrt.get_osfhandle(3)\\nexcept OSError: print('none')"
            done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, close_fds=False)
            say("descriptor 3 of a grandchild", done.stdout.strip())
            channel.send("grandchild")
        elif data == "threads":
            results = []
            threads = [threading.Thread(target=other_thread, args=(channel, results)) for _ in range(2)]
            for thread in threads: thread.start()
            channel.send("go")
            for thread in threads: thread.join()
            channel.send(sorted(results))
        else:
            channel.send({"echo": data})
    say("ended", channel.connected)
    try:
        channel.send(1)
    except nodechannel.ChannelClosed:
        say("closed")

try:
    main()
except BaseException:
    say(traceback.format_exc())
with open("seen.json", "w") as file:
    json.dump(SEEN, file)
"""

# The same conversation under an event loop, until the big messages.
ASYNCIO_CHILD = """
import asyncio, json, socket, sys, traceback
import nodechannel
import nodechannel.asyncio as front

SEEN = []
def say(*words): SEEN.append(words)

async def serve_once(server):
    connection, _ = await asyncio.to_thread(server.accept)
    connection.sendall(b"served by Python")
    connection.close(); server.close()

async def take(channel, handle):
    \"\"\"Use a handle with the words of asyncio; where the loop cannot, with calls that block.\"\"\"
    if handle.type == "net.Server":
        async def serve(reader, writer):
            writer.write(b"served by Python")
            await writer.drain()
            writer.close()
            done.set()
        done = asyncio.Event()
        try:
            server = await front.start_server(handle, serve)
        except nodechannel.NotOnThisSystem as error:
            say(error.remedy)
            await channel.send({"got": "server"})
            await serve_once(handle.socket(60))
        else:
            await channel.send({"got": "server"})
            await done.wait()
            server.close()
        return
    try:
        reader, writer = await front.open_connection(handle)
    except nodechannel.NotOnThisSystem as error:
        say(error.remedy)
        with handle.socket(60) as connection:
            connection.sendall(b"socket of Python")
    else:
        writer.write(b"socket of Python")
        await writer.drain()
        writer.close()
        await writer.wait_closed()
    await channel.send({"got": "socket"})

async def main():
    channel = await front.connect()
    say(type(asyncio.get_running_loop()).__name__, channel.serialization)
    try:
        await channel.receive(0.05)
    except TimeoutError:
        say("timeout")
    await channel.send("ready")
    async for message in channel:
        data, handle = message.data, message.handle
        if handle is not None:
            await take(channel, handle)
        elif data == "give":
            with socket.create_server(("127.0.0.1", 0)) as server:
                await channel.send({"server": server.getsockname()[1]}, server, timeout=60)
            with socket.create_server(("127.0.0.1", 0)) as server:
                client = socket.create_connection(server.getsockname())
                connection, _ = server.accept()
                await channel.send({"socket": 1}, connection, timeout=60)
                say("over the socket", (await asyncio.to_thread(client.recv, 100)).decode())
                client.close()
        elif data in ("refuse", "grandchild"):
            await channel.send("refused" if data == "refuse" else data)
        elif data == "threads":
            tasks = [asyncio.create_task(channel.receive(60)) for _ in range(2)]
            await asyncio.sleep(0)
            await channel.send("go")
            await channel.send(sorted([(await task).data for task in tasks]))
        else:
            await channel.send({"echo": data})
    say("ended", channel.connected)
    try:
        await channel.send(1)
    except nodechannel.ChannelClosed:
        say("closed")

try:
    loops = {"proactor": asyncio.ProactorEventLoop, "selector": asyncio.SelectorEventLoop}
    with asyncio.Runner(loop_factory=loops[sys.argv[1]]) as runner:
        runner.run(main())
except BaseException:
    say(traceback.format_exc())
with open("seen.json", "w") as file:
    json.dump(SEEN, file)
"""

PARENT = """
const { spawn } = require('child_process'), net = require('net'), { once } = require('events')
const [, , python, how, ...more] = process.argv
const child = spawn(python, ['child.py', ...more], { stdio: ['ignore', 'ignore', 'ignore', 'ipc'], serialization: how })
const log = (...words) => console.log(...words)
const inbox = [], waiting = []
child.on('message', (message, handle) => {
  const resolve = waiting.shift()
  if (resolve) resolve([message, handle])
  else inbox.push([message, handle])
})
const next = async () => inbox.shift() ?? new Promise(resolve => waiting.push(resolve))
const text = async (socket) => { let all = ''; for await (const part of socket) all += part; return all }
async function main () {
  log((await next())[0])
  child.send({ n: 1, text: 'ä' }); log(JSON.stringify((await next())[0]))
  const server = net.createServer(); server.listen(0, '127.0.0.1'); await once(server, 'listening')
  const { port } = server.address()
  child.send('a server', server); log((await next())[0].got); server.close()
  log(await text(net.connect(port, '127.0.0.1')))
  const giver = net.createServer(socket => { child.send('a socket', socket); giver.close() })
  giver.listen(0, '127.0.0.1'); await once(giver, 'listening')
  log(await text(net.connect(giver.address().port, '127.0.0.1')), (await next())[0].got)
  child.send('give')
  const [given, listener] = await next()
  listener.on('connection', socket => socket.end('served by Node'))
  log(await text(net.connect(given.server, '127.0.0.1'))); listener.close()
  const [, socket] = await next()
  socket.end('socket of Node')
  for (const word of ['refuse', 'grandchild']) { child.send(word); log((await next())[0]) }
  child.send('threads'); log((await next())[0]); child.send(1); child.send(2); log((await next())[0].join())
  const big = 'x'.repeat(1500000)
  for (let n = 0; n < 3; n++) child.send(big)
  for (let n = 0; n < 3; n++) log((await next())[0].echo === big)
  for (let n = 0; n < 2000; n++) child.send(n)
  let ordered = true
  for (let n = 0; n < 2000; n++) ordered &&= (await next())[0].echo === n
  log('ordered', ordered)
  child.disconnect()
  log(...await once(child, 'exit'))
}
main().catch(error => { log(error); child.kill() })
"""

TALK = """ready
{"echo":{"n":1,"text":"ä"}}
server
served by Python
socket of Python socket
served by Node
refused
grandchild
go
1,2
true
true
true
ordered true
0 null
"""


def with_reference(laboratory: Laboratory) -> dict[str, str]:
    """Return the environment in which Python for Windows finds this package and orjson."""
    packages = laboratory.python.parent / "packages"
    return {"PYTHONPATH": f"{windows_path(ROOT / 'pyref')};{windows_path(packages)}"}


def run(laboratory: Laboratory, folder: Path, *words: str | Path) -> Ended:
    return laboratory.run(*words, cwd=folder, env=with_reference(laboratory), seconds=300)


@pytest.mark.parametrize("mode", ["json", "advanced"])
def test_a_blocking_child_of_node(laboratory: Laboratory, node: Path, mode: str, tmp_path: Path) -> None:
    if mode == "advanced" and node != laboratory.newest:
        pytest.skip("the newest Node alone, since the serialization is the same for each")
    (tmp_path / "child.py").write_text(CHILD, "utf-8")
    (tmp_path / "parent.js").write_text(PARENT, "utf-8")
    ended = run(laboratory, tmp_path, node, "parent.js", laboratory.python, mode)
    seen = json.loads((tmp_path / "seen.json").read_text("utf-8"))
    assert (ended.stdout, ended.stderr) == (TALK, ""), seen
    assert seen[:2] == [["environment", None, mode], ["timeout"]]
    assert ["over the socket", "socket of Node"] in seen
    refused = [words[1] for words in seen if words[0] == "refused"]
    assert ["datagram" in refused[0], "call listen()" in refused[1]] == [True, True]
    assert seen[-3:] == [["descriptor 3 of a grandchild", "none"], ["ended", False], ["closed"]]


REMEDY = ["use asyncio.SelectorEventLoop, or the socket with calls that block"]


@pytest.mark.parametrize(("loop", "refusals"), [("proactor", 2), ("selector", 0)])
def test_an_asyncio_child_of_node(laboratory: Laboratory, loop: str, refusals: int, tmp_path: Path) -> None:
    (tmp_path / "child.py").write_text(ASYNCIO_CHILD, "utf-8")
    (tmp_path / "parent.js").write_text(PARENT, "utf-8")
    ended = run(laboratory, tmp_path, laboratory.newest, "parent.js", laboratory.python, "json", loop)
    seen = json.loads((tmp_path / "seen.json").read_text("utf-8"))
    assert (ended.stdout, ended.stderr) == (TALK, ""), seen
    assert loop in seen[0][0].lower()
    assert seen[1] == ["timeout"]
    assert seen.count(REMEDY) == refusals
    assert seen[-3:] == [["over the socket", "socket of Node"], ["ended", False], ["closed"]]


# A program under PM2, which on Windows asks for the end by a message alone.
PM2_CHILD = """
import asyncio
from nodechannel._transport.system import memory
from nodechannel.pm2 import asyncio as pm2

async def main():
    async with await pm2.connect() as app:
        await app.send({"memory": 1 << 20 < memory() < 1 << 36})
        await app.ready()
        await app.wait()

asyncio.run(main())
"""

PM2_PARENT = """
const { spawn } = require('child_process')
const child = spawn(process.argv[2], ['child.py'], { stdio: ['ignore', 'ignore', 'inherit', 'ipc'] })
child.on('message', message => {
  if (message.memory !== undefined) console.log('memory', message.memory)
  if (message === 'ready') child.send('shutdown')
})
child.on('exit', code => console.log('exit', code))
"""


def test_a_program_under_pm2(laboratory: Laboratory, tmp_path: Path) -> None:
    (tmp_path / "child.py").write_text(PM2_CHILD, "utf-8")
    (tmp_path / "parent.js").write_text(PM2_PARENT, "utf-8")
    ended = run(laboratory, tmp_path, laboratory.newest, "parent.js", laboratory.python)
    assert (ended.stdout, ended.stderr) == ("memory true\nexit 0\n", "")
