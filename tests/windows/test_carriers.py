"""Carriers and primaries on Windows, under Wine: those that work there, and the remedy of those that do not."""

from __future__ import annotations

import importlib.util
import socket
import threading
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from nodechannel import nodeipc
from support.node import ROOT
from support.redis import Redis
from support.windows import windows_path

if TYPE_CHECKING:
    from support.windows import Ended, Laboratory

pytestmark = pytest.mark.windows

UNSUPPORTED = """
import asyncio, sys
import nodechannel
from nodechannel import cluster, lsp, nodeipc, rpc, stdio

def tried(call, *args, **options):
    try:
        result = call(*args, **options)
        if asyncio.iscoroutine(result):
            asyncio.run(result)
    except nodechannel.NotOnThisSystem as error:
        print(error.remedy)

tried(stdio.connect)
tried(stdio.asyncio.connect)
tried(stdio.spawn, [sys.executable, "-c", "print(1)"])
tried(stdio.asyncio.spawn, ["child.exe"])
tried(nodeipc.connect, "world")
tried(nodeipc.serve, path="/tmp/world")
tried(nodeipc.asyncio.connect, "world")
tried(cluster.Cluster, "worker.py")
"""

REMEDIES = """open a channel instead, with nodechannel.connect() and 'ipc' in the parent's stdio
open a channel instead, with nodechannel.connect() and 'ipc' in the parent's stdio
open a channel instead, with nodechannel.fork() or spawn()
open a channel instead, with nodechannel.fork() or spawn()
give host= and port=; in Node they are for serveNet and connectToNet
give host= and port=; in Node they are for serveNet and connectToNet
give host= and port=; in Node they are for serveNet and connectToNet
let a Node primary fork the workers; they call nodechannel.cluster.connect()
"""


NODE_IPC = """
import sys
from nodechannel import nodeipc

tcp, udp = map(int, sys.argv[1:])
with nodeipc.connect(host="127.0.0.1", port=tcp) as client:
    client.send("hello", {"from": "Windows"})
    print(next(event.data for event in client if event.type == "answer"))
with nodeipc.serve_udp(port=0) as sock:
    sock.peer("127.0.0.1", udp).send("hello", {"from": "Windows"})
    print(sock.receive(60).data)
"""

REDIS = """
import sys
from nodechannel import redis

with redis.stream(sys.argv[1], "there", group="g") as stream, redis.stream(sys.argv[1], "back") as back:
    entry = stream.receive(timeout=60)
    back.send({"echo": entry.data})
    stream.acknowledge(entry)
"""

COMMANDS = """
import subprocess, sys
for words in (["cluster", "worker.py"], ["bridge", "stdio", "--", "child.exe"], ["run", "--", "child.exe"]):
    done = subprocess.run(
        [sys.executable, "-m", "nodechannel", *words],
        stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, timeout=100,
    )
    print(done.returncode, done.stderr.strip())
"""

SAID = """2 nodechannel: a primary in Python is not supported on this system: \
let a Node primary fork the workers; they call nodechannel.cluster.connect()
2 nodechannel: to carry messages over standard streams is not supported on this system: \
open a channel instead, with nodechannel.connect() and 'ipc' in the parent's stdio
2 nodechannel: no lifeline is possible: this system has no pidfd (Linux 5.3 or later has)
"""


@pytest.fixture
def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as free:
        return int(free.getsockname()[1])


def run(laboratory: Laboratory, folder: Path, *words: str | Path) -> Ended:
    places = (ROOT / "pyref", laboratory.python.parent / "packages", folder)
    env = {"PYTHONPATH": ";".join(map(windows_path, places))}
    return laboratory.run(*words, cwd=folder, env=env, seconds=150)


def test_what_needs_unix_names_what_to_use_instead(laboratory: Laboratory, tmp_path: Path) -> None:
    (tmp_path / "tries.py").write_text(UNSUPPORTED, "utf-8")
    ended = run(laboratory, tmp_path, laboratory.python, "tries.py")
    assert (ended.stdout, ended.stderr) == (REMEDIES, "")


def answer(receiver: nodeipc.Server | nodeipc.UdpSocket) -> None:
    """Answer the first greeting."""
    event = next(event for event in receiver if event.type == "hello")
    event.peer.send("answer", {"got": event.data})


def test_node_ipc_over_tcp_and_udp(laboratory: Laboratory, tmp_path: Path, free_port: int) -> None:
    (tmp_path / "client.py").write_text(NODE_IPC, "utf-8")
    with (
        nodeipc.serve(host="127.0.0.1", port=free_port) as server,
        nodeipc.serve_udp(port=free_port) as datagrams,
    ):
        threads = [threading.Thread(target=answer, args=(one,), daemon=True) for one in (server, datagrams)]
        for thread in threads:
            thread.start()
        ended = run(laboratory, tmp_path, laboratory.python, "client.py", str(free_port), str(free_port))
        assert (ended.stdout, ended.stderr) == ("{'got': {'from': 'Windows'}}\n" * 2, "")
        for thread in threads:
            thread.join(60)


def test_a_stream_of_redis(laboratory: Laboratory, tmp_path: Path) -> None:
    (tmp_path / "consumer.py").write_text(REDIS, "utf-8")
    with Redis() as server:
        from nodechannel import redis  # which a machine without a server need not have

        package = importlib.util.find_spec("redis")
        assert package is not None
        assert package.origin is not None
        (tmp_path / "redis").symlink_to(Path(package.origin).parent)
        url = f"redis://127.0.0.1:{server.port}"
        with redis.stream(url, "there") as stream, redis.stream(url, "back", group="g") as back:
            stream.send({"n": 1})
            ended = run(laboratory, tmp_path, laboratory.python, "consumer.py", url)
            assert (ended.stdout, ended.stderr) == ("", "")
            assert back.receive(timeout=10).data == {"echo": {"n": 1}}


def test_commands_that_need_unix_end_with_one_line(laboratory: Laboratory, tmp_path: Path) -> None:
    (tmp_path / "commands.py").write_text(COMMANDS, "utf-8")
    ended = run(laboratory, tmp_path, laboratory.python, "commands.py")
    assert (ended.stdout, ended.stderr) == (SAID, "")
