"""Node and the reference write the transcripts in the chapter on clusters, byte for byte."""

from __future__ import annotations

import array
import json
import os
import re
import socket
import subprocess
import sys
from contextlib import ExitStack
from typing import NamedTuple

import pytest

from support.node import ROOT, node

CHAPTER = ROOT / "spec" / "90-cluster.md"
_FENCE = re.compile(r"^```cluster (worker|primary) ([a-z-]+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_LINE = re.compile(r"([<>]) (.*?)\\n(?:     \+ ([a-z]+))?")

NODE_WORKER = """const cluster = require('cluster');
require('net').createServer((connection) => connection.end()).listen({ port: 0, host: '127.0.0.1', backlog: 511 });
process.on('message', (message) => message === 'leave' && cluster.worker.disconnect());
"""
PYTHON_WORKER = """import asyncio
from nodechannel.cluster import asyncio as cluster

async def main():
    worker = await cluster.connect()
    await worker.listen(0, lambda reader, writer: writer.close(), "127.0.0.1")
    async for message in worker:
        if message.data == "leave":
            await worker.disconnect()
    await worker.wait_closed()

asyncio.run(main())
"""


class Line(NamedTuple):
    """A frame of a transcript, without its line feed; `handle` names the socket that comes with it."""

    arrow: str
    text: str
    handle: str | None


def lines(body: str) -> list[Line]:
    found = []
    for line in body.splitlines():
        match = _LINE.fullmatch(line)
        assert match, f"not a line of a transcript: {line}"
        found.append(Line(*match.groups()))
    return found


EXAMPLES = {
    role: {name: lines(body) for who, name, body in _FENCE.findall(CHAPTER.read_text("utf-8")) if who == role}
    for role in ("worker", "primary")
}


def a_socket(kind: str, stack: ExitStack) -> socket.socket:
    """Make the socket to be handed over: a bound socket, or a connection of a client that has ended."""
    server = stack.enter_context(socket.socket())
    server.bind(("127.0.0.1", 0))
    if kind == "bound":
        server.setblocking(False)
        return server
    server.listen()
    socket.create_connection(server.getsockname()).close()
    connection = stack.enter_context(server.accept()[0])
    connection.setblocking(False)
    return connection


@pytest.mark.parametrize("who", ["node", "reference"])
@pytest.mark.parametrize("name", EXAMPLES["worker"])
def test_worker(name, who, tmp_path):
    script = tmp_path / ("worker.cjs" if who == "node" else "worker.py")
    script.write_text(NODE_WORKER if who == "node" else PYTHON_WORKER)
    port = "none yet"
    with ExitStack() as stack:
        end, theirs = socket.socketpair()
        stack.enter_context(end)
        end.settimeout(30)
        with theirs:
            marks = {"NODE_CHANNEL_FD": str(theirs.fileno()), "NODE_UNIQUE_ID": "1"}
            command = [node() if who == "node" else sys.executable, str(script)]
            process = subprocess.Popen(command, env=os.environ | marks, pass_fds=[theirs.fileno()])
        stack.callback(process.wait, 30)
        stack.callback(process.terminate)
        stream = stack.enter_context(end.makefile("rb"))
        for line in EXAMPLES["worker"][name]:
            if line.arrow == "<":
                assert stream.readline() == line.text.replace("PORT", port).encode() + b"\n"
                continue
            rights = []
            if line.handle is not None:
                sock = a_socket(line.handle, stack)
                port = str(sock.getsockname()[1])
                rights = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [sock.fileno()]))]
            end.sendmsg([line.text.encode() + b"\n"], rights)
        assert stream.read() == b"", "something follows that the transcript does not show"
        assert process.wait(30) == 0


PYTHON_PRIMARY = """import asyncio, sys
from nodechannel.cluster import Cluster

async def main():
    ended = asyncio.Event()
    cluster = Cluster(sys.argv[2], *sys.argv[3:], workers=1, policy=sys.argv[1],
                      on_event=lambda event: event.kind == "exit" and ended.set())
    starting = asyncio.create_task(cluster.start())
    await ended.wait()
    await cluster.stop()
    await starting

asyncio.run(main())
"""
NODE_PRIMARY = """const cluster = require('cluster');
const [policy, exec, ...args] = process.argv.slice(2);
cluster.schedulingPolicy = policy === 'shared' ? cluster.SCHED_NONE : cluster.SCHED_RR;
cluster.setupPrimary({ exec, args, execArgv: [] });
process.execPath = process.env.PYTHON;
cluster.fork();
"""


@pytest.mark.parametrize("who", ["node", "reference"])
@pytest.mark.parametrize("name", EXAMPLES["primary"])
def test_primary(name, who, tmp_path):
    primary = tmp_path / ("primary.cjs" if who == "node" else "primary.py")
    primary.write_text(NODE_PRIMARY if who == "node" else PYTHON_PRIMARY)
    transcript, result = tmp_path / "transcript.json", tmp_path / "result"
    transcript.write_text(json.dumps(EXAMPLES["primary"][name]))
    player = ROOT / "tests" / "support" / "player.py"
    policy = "shared" if name.endswith("shared") else "round-robin"
    interpreter = node() if who == "node" else sys.executable
    subprocess.run(
        [interpreter, str(primary), policy, str(player), str(transcript), str(result)],
        env={**os.environ, "PYTHON": sys.executable},
        check=True,
        timeout=50,
        process_group=0,
    )
    assert result.read_text() == "as it stands there"
