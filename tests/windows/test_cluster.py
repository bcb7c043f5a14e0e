"""A cluster's worker on Windows, under Wine: connections by turns over the channel, and the shared handle that is the default there."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from support.node import ROOT
from support.windows import windows_path

if TYPE_CHECKING:
    from pathlib import Path

    from support.windows import Laboratory

pytestmark = pytest.mark.windows

PRIMARY = """
const cluster = require('cluster'), net = require('net')
const [, , python, script, policy] = process.argv
process.execPath = python
cluster.schedulingPolicy = cluster[policy]
cluster.setupPrimary({ exec: script, args: [], execArgv: [] })
const worker = cluster.fork()
worker.on('message', message => console.log(message))
cluster.on('listening', (_, { port }) => {
  let left = 3
  const ask = () => {
    const client = net.connect(port, '127.0.0.1')
    client.on('data', data => console.log(data.toString()))
    client.on('error', () => {})
    client.on('close', () => { if (--left) ask(); else if (worker.isConnected()) worker.send('stop') })
  }
  ask()
})
worker.on('exit', code => { console.log('exit', code); process.exit() })
"""

BLOCKING = """
import nodechannel
import nodechannel.cluster

with nodechannel.cluster.connect() as worker:
    server = worker.listen(0, "127.0.0.1")
    try:
        for _ in range(3):
            connection, _ = server.accept(60)
            connection.sendall(b"served")
            connection.close()
        worker.receive(60)
    except nodechannel.NotOnThisSystem as error:
        worker.send(error.remedy)
    server.close()
"""

ASYNCIO = """
import asyncio
import nodechannel.cluster.asyncio

async def serve(reader, writer):
    writer.write(b"served")
    await writer.drain()
    writer.close()

async def main():
    async with await nodechannel.cluster.asyncio.connect() as worker:
        await worker.listen(0, serve, "127.0.0.1")
        await worker.receive(60)

with asyncio.Runner(loop_factory=asyncio.SelectorEventLoop) as runner:
    runner.run(main())
"""

TAKEN = """
import errno, socket
import nodechannel.cluster
from nodechannel.errors import ListenFailed

with nodechannel.cluster.connect() as worker, socket.create_server(("127.0.0.1", 0)) as taken:
    try:
        worker.listen(taken.getsockname()[1], "127.0.0.1")
    except ListenFailed as error:
        worker.send(f"{error.name} {error.errno == errno.EADDRINUSE}")
"""

SERVED = "served\nserved\nserved\nexit 0\n"
REFUSED = "set the primary's policy to cluster.SCHED_RR, or use nodechannel.cluster.asyncio under SelectorEventLoop\nexit 0\n"


@pytest.mark.parametrize(
    ("program", "policy", "said"),
    [
        (BLOCKING, "SCHED_RR", SERVED),
        (ASYNCIO, "SCHED_RR", SERVED),
        (ASYNCIO, "SCHED_NONE", SERVED),
        (BLOCKING, "SCHED_NONE", REFUSED),
        (TAKEN, "SCHED_RR", "EADDRINUSE True\nexit 0\n"),
    ],
    ids=["blocking in turns", "asyncio in turns", "asyncio shared", "blocking shared", "a port in use"],
)
def test_a_worker_of_node(
    laboratory: Laboratory, program: str, policy: str, said: str, tmp_path: Path
) -> None:
    (tmp_path / "primary.js").write_text(PRIMARY, "utf-8")
    (tmp_path / "worker.py").write_text(program, "utf-8")
    packages = laboratory.python.parent / "packages"
    env = {"PYTHONPATH": f"{windows_path(ROOT / 'pyref')};{windows_path(packages)}"}
    words = ("primary.js", laboratory.python, "worker.py", policy)
    ended = laboratory.run(laboratory.newest, *words, cwd=tmp_path, env=env, seconds=150)
    assert ended.stdout == said, ended.stderr
