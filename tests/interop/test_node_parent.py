"""Python children under a real Node parent, which reports its observations on stdout."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

import pytest

from support.node import node

# The parent starts the child, then runs the script of the test, then prints the list `seen`.
PARENT = """
'use strict';
const { spawn, fork } = require('child_process');
const net = require('net');
const [python, ...argv] = process.argv.slice(2);
const seen = [];
const child = spawn(python, argv, { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
process.on('exit', () => process.stdout.write(JSON.stringify(seen)));
child.on('exit', (code, signal) => seen.push({ exit: code, signal }));
"""

# The child's side in both front ends: `main` is written once, as a coroutine; for the blocking front end the awaits are removed.
BLOCKING = "from nodechannel import connect\n{body}\nmain()\n"
ASYNCIO = "import asyncio\nfrom nodechannel.asyncio import connect\n{body}\nasyncio.run(main())\n"


@pytest.fixture(params=["blocking", "asyncio"])
def run(request, script):
    """Run a parent over a child; return the parent's observations."""

    def start(parent: str, child: str, *options: str) -> Any:
        if request.param == "asyncio":
            source = ASYNCIO.format(body=child)
        else:
            source = BLOCKING.format(body=child.replace("await ", "").replace("async ", ""))
        command = [
            node(),
            script("parent.cjs", PARENT + parent),
            sys.executable,
            script("child.py", source),
            *options,
        ]
        result = subprocess.run(
            command, capture_output=True, text=True, timeout=50, process_group=0, check=False
        )
        assert result.stderr == ""
        assert result.returncode == 0
        return json.loads(result.stdout)

    return start


ECHO = """
async def main():
    async with await connect() as channel:
        async for message in channel:
            await channel.send({"echo": message.data})
"""


def test_messages_go_both_ways_and_the_child_ends_with_the_channel(run):
    parent = """
        const values = [null, true, -1.5, 'é\\u2028', '\\ud800', [1, [2]], { a: { b: [] } }];
        child.on('message', (message) => {
          seen.push(message);
          if (seen.length === values.length) child.disconnect();
        });
        values.forEach((value) => child.send(value));
    """
    expected: list[Any] = [None, True, -1.5, "é\u2028", "\ud800", [1, [2]], {"a": {"b": []}}]
    seen = run(parent, ECHO)
    assert seen == [*({"echo": value} for value in expected), {"exit": 0, "signal": None}]


def test_no_message_is_lost_when_the_child_ends(run):
    parent = "let count = 0; child.on('message', ({ length }) => { count += length }); child.on('close', () => seen.push(count));"
    child = """
async def main():
    async with await connect() as channel:
        for number in range(200):
            await channel.send("x" * 10_000)
"""
    assert run(parent, child) == [{"exit": 0, "signal": None}, 2_000_000]


COUNTING = "let count = 0; child.on('message', ({ length }) => { count += length }); child.on('close', () => seen.push(count));"


@pytest.mark.parametrize(
    "end",
    ["", "raise SystemExit(0)", "sys.modules['kept'] = channel"],
    ids=["returns", "exits", "keeps the channel until the interpreter ends"],
)
def test_no_message_is_lost_when_the_program_just_ends(run, end):
    child = f"""
import sys

async def main():
    channel = await connect()
    for number in range(200):
        await channel.send("x" * 10_000)
    {end}
"""
    assert run(COUNTING, child) == [{"exit": 0, "signal": None}, 2_000_000]


@pytest.mark.parametrize("run", ["asyncio"], indirect=True)
def test_no_message_is_lost_when_the_event_loop_is_never_closed(run):
    child = """
async def main():
    sys.modules["kept"] = channel = await connect()
    for number in range(200):
        await channel.send("x" * 10_000)

import sys
loop = asyncio.new_event_loop()
loop.run_until_complete(main())
sys.modules["loop"] = loop
sys.exit()
"""
    assert run(COUNTING, child) == [{"exit": 0, "signal": None}, 2_000_000]


def test_neither_the_child_nor_its_own_child_sees_the_channel(run):
    parent = "child.on('message', (message) => seen.push(message));"
    child = """
import os, subprocess, sys
LISTING = "import os, json; print(json.dumps([[n for n in os.environ if n.startswith('NODE_CHANNEL')], len(os.listdir('/dev/fd'))]))"

async def main():
    async with await connect() as channel:
        mine = [name for name in os.environ if name.startswith("NODE_CHANNEL")]
        inherits_all = subprocess.run([sys.executable, "-c", LISTING], close_fds=False, capture_output=True, check=True)
        await channel.send([mine, inherits_all.stdout.decode().strip()])
"""
    assert run(parent, child) == [[[], "[[], 4]"], {"exit": 0, "signal": None}]


def test_a_node_server_is_served_and_a_socket_comes_back(run):
    parent = """
        net.createServer({ pauseOnConnect: true }, function (socket) {
          child.send('connection', socket);
          this.close();
        }).listen(0, '127.0.0.1', function () {
          net.connect(this.address().port, '127.0.0.1').on('data', (data) => seen.push(String(data))).end('to python');
        });
        child.on('message', (message, server) => {
          seen.push(message);
          const client = net.connect(server.address().port, '127.0.0.1', () => client.end());
          server.on('connection', (socket) => { seen.push('accepted'); socket.end(); server.close(); child.disconnect(); });
        });
    """
    child = """
import socket

async def main():
    async with await connect() as channel:
        async for message in channel:
            with message.handle.socket(timeout=20) as sock:
                sock.sendall(b"python read " + sock.recv(100))
            with socket.create_server(("127.0.0.1", 0)) as server:
                await channel.send("server", handle=server)
"""
    seen = run(parent, child)
    assert set(map(str, seen)) >= {"python read to python", "server", "accepted"}
    assert {"exit": 0, "signal": None} in seen


def test_a_child_that_dies_of_an_error_says_so(run):
    parent = "child.on('disconnect', () => seen.push('disconnect'));"
    child = """
import os
async def main():
    channel = await connect()
    await channel.send("half")
    os._exit(9)
"""
    seen = run(parent, child)
    assert {"exit": 9, "signal": None} in seen
    assert "disconnect" in seen


@pytest.mark.parametrize("options", [(), ("--asyncio",)], ids=["blocking", "asyncio"])
def test_the_echo_command_under_nodes_fork(script, options):
    parent = """
        const { fork } = require('child_process');
        const child = fork('-m', ['nodechannel', 'echo', ...process.argv.slice(3)], { execPath: process.argv[2], execArgv: [] });
        child.on('message', (message) => { console.log(JSON.stringify(message)); child.disconnect(); });
        child.on('exit', (code) => console.log(code));
        child.send({ a: 1 });
    """
    command = [node(), script("parent.cjs", parent), sys.executable, *options]
    result = subprocess.run(command, capture_output=True, text=True, timeout=50, process_group=0, check=True)
    assert result.stdout == '{"echo":{"a":1}}\n0\n'
