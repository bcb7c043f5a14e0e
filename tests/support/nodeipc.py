"""Real programs of npm `node-ipc`, each under a channel that reports its events to the test."""

from __future__ import annotations

import json
import socket
import textwrap
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import nodechannel
from support.node import node

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

VERSIONS = (9, 14)
PACKAGES = {9: "node-ipc-9", 14: "node-ipc"}

# `tell` reports to the test; `settings` are those that the test gives.
PRELUDE = """
    const ipc = (await import('{package}')).default;
    const tell = (value) => process.send(value);
    ipc.config.silent = true;
    ipc.config.retry = 50;
    Object.assign(ipc.config, JSON.parse(process.argv[2]));
"""

# A server that answers, broadcasts and reports.
SERVER = """
    const watch = (server) => {
      server.on('echo', (data, socket) => server.emit(socket, 'echoed', data));
      server.on('all', (data) => server.broadcast('news', data));
      server.on('quit', (data, socket) => socket.destroy());
      server.on('connect', () => tell('connect'));
      server.on('socket.disconnected', (socket, id) => tell(['left', id]));
      server.on('error', (error) => tell(['error', String(error.message || error.err)]));
      server.start();
    };
"""

# A client that reports every event, and sends messages on request of the test.
CLIENT = """
    const watch = (client) => {
      client.on('connect', () => tell('connect'));
      client.on('disconnect', () => tell('disconnect'));
      for (const type of ['echoed', 'news']) client.on(type, (data) => tell([type, data ?? null]));
      process.on('message', ([type, data]) => client.emit(type, data));
    };
"""


# Frames that are no events, or none that may travel.
BAD = b'{"type":1}\fnull\f5\f[1]\f"x"\f{}\f\f NaN\f{"type":"connect","data":0}\f\xef\xbb\xbf{}\f'


def frame(type: str, data: Any) -> bytes:
    """Return the bytes of an event."""
    return json.dumps({"type": type, "data": data}, ensure_ascii=False).encode() + b"\f"


def wire(path: str) -> socket.socket:
    """Return the raw end of a connection to a server."""
    sock = socket.socket(socket.AF_UNIX)
    sock.settimeout(20)
    sock.connect(path)
    return sock


@contextmanager
def program(
    folder: Path, packages: Path, version: int, source: str, config: dict[str, Any], **options: Any
) -> Iterator[nodechannel.ChildProcess]:
    """Run a program of a version of `node-ipc`; its messages come over the channel."""
    modules = folder / "node_modules"
    if not modules.exists():
        modules.symlink_to(packages / "node_modules")
    script = folder / f"program{version}.mjs"
    prelude = textwrap.dedent(PRELUDE).replace("{package}", PACKAGES[version])
    script.write_text(prelude + textwrap.dedent(source))
    child = nodechannel.fork(script, json.dumps(config), exec_path=node(), **options)
    try:
        yield child
    finally:
        child.kill(9)
        child.wait(timeout=20)
        child.close()
