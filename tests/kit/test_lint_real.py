"""No false alarm: what real Node and the reference write breaks no rule."""

# ruff: noqa: E501  # scripts of Node

from __future__ import annotations

import os
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest

from channelkit.lint.linter import lint
from channelkit.tap.record import Recording, read
from support.node import node

if TYPE_CHECKING:
    from pathlib import Path

    from channelkit.lint.violation import Violation

HANDLES = """
const net = require('net'), dgram = require('dgram'), cp = require('child_process');
const serialization = process.argv[2], command = process.argv.slice(3);
const child = cp.spawn(command[0], command.slice(1), { stdio: ['inherit', 'inherit', 'inherit', 'ipc'], serialization });
const server = net.createServer((socket) => child.send({ connection: 1 }, socket, () => {
  server.getConnections((e, n) => { if (e) throw e; client.end('x'); server.close(); });
})).listen(0, '127.0.0.1');
let client;
const udp = dgram.createSocket('udp4').bind(0, '127.0.0.1', () => child.send('datagrams', udp, () => udp.close()));
server.on('listening', () => { child.send('server', server); client = net.connect(server.address().port, '127.0.0.1'); client.on('error', () => {}); });
child.send({ text: 'é \\u2028 \\ud83d\\ude00', numbers: [1, -0.5, 1e21, 9007199254740991], deep: [[[{}]]], none: null });
child.send('x'.repeat(300000));
let got = 0;
child.on('message', (m) => { if (++got === 5) setTimeout(() => child.disconnect(), 100); });
"""
ECHO_NODE = """
process.on('message', (m, h) => { process.send({ echo: typeof m === 'string' ? m.length : m }); if (h && h.destroy) h.destroy(); else if (h) h.close(); });
"""
ECHO_PYTHON = """
import nodechannel
with nodechannel.connect() as channel:
    for message in channel:
        if message.handle is not None:
            message.handle.close()
        channel.send({"echo": len(message.data) if isinstance(message.data, str) else message.data})
"""
PARENT_PYTHON = """
import socket, sys, nodechannel
with nodechannel.spawn(sys.argv[2:], serialization=sys.argv[1]) as child, socket.create_server(("127.0.0.1", 0)) as server:
    child.send({"text": "é \\u2028", "numbers": [1, -0.5, 1e21, 2**53 - 1]})
    child.send("x" * 300000)
    child.send("server", server)
    with socket.create_connection(server.getsockname()):
        child.send("connection", server.accept()[0])
        for _ in range(4):
            child.receive(timeout=20)
"""
CLUSTER = """
const cluster = require('cluster'), http = require('http');
if (process.argv[2] === 'shared') cluster.schedulingPolicy = cluster.SCHED_NONE;
if (cluster.isMaster) {
  let ready = 0;
  const ask = (port, left) => http.get({ port, agent: false }, (r) => { r.resume(); r.on('end', () => left ? ask(port, left - 1) : cluster.disconnect()); });
  cluster.fork(); cluster.fork();
  cluster.on('listening', (w, a) => { if (++ready === 2) ask(a.port, 6); });
} else http.createServer((q, s) => s.end('hi')).listen(0, '127.0.0.1');
"""


def followed(folder: Path, *command: str) -> list[Recording]:
    """The recordings of a program that ran to its end."""
    done = subprocess.run(
        [sys.executable, "-m", "channelkit", "tap", "--follow", "-o", str(folder / "taps"), "--", *command],
        capture_output=True,
        text=True,
        check=False,
        timeout=50,
        process_group=0,
        env=dict(os.environ),
    )
    assert done.returncode == 0, done
    deadline = time.monotonic() + 10
    while True:
        found = [read(path) for path in sorted((folder / "taps").glob("*.ctap"))]
        if all(any(entry.end for entry in one.entries) for one in found):
            return found
        assert time.monotonic() < deadline, found
        time.sleep(0.01)


def script(folder: Path, name: str, text: str) -> list[str]:
    path = folder / name
    path.write_text(text, "utf-8")
    return [sys.executable if name.endswith(".py") else node(), str(path)]


def violations(recording: Recording) -> list[Violation]:
    """All but the newer version of frames, which every Node from 18 on writes."""
    return [found for found in lint(recording.header, recording.entries) if found.rule != "ADV-010"]


@pytest.mark.parametrize("mode", ["json", "advanced"])
@pytest.mark.parametrize("child", ["child.cjs", "child.py"])
@pytest.mark.parametrize("parent", ["parent.cjs", "parent.py"])
def test_pairs_of_real_ends_break_no_rule(tmp_path: Path, parent: str, child: str, mode: str) -> None:
    texts = {
        "child.cjs": ECHO_NODE,
        "child.py": ECHO_PYTHON,
        "parent.cjs": HANDLES,
        "parent.py": PARENT_PYTHON,
    }
    start = script(tmp_path, parent, texts[parent])
    [found] = followed(tmp_path, *start, mode, *script(tmp_path, child, texts[child]))
    assert violations(found) == []
    assert sum(len(entry.descriptors) for entry in found.entries) >= 2


@pytest.mark.parametrize("policy", ["round-robin", "shared"])
def test_clusters_of_node_break_no_rule(tmp_path: Path, policy: str) -> None:
    found = followed(tmp_path, *script(tmp_path, "app.cjs", CLUSTER), policy)
    assert len(found) == 2
    for one in found:
        assert violations(one) == []
        assert one.header["worker"] in ("1", "2")
