"""Servers count the connections that they handed to a child: a Node server with Python children, a Python server with Node children."""

from __future__ import annotations

import json
import socket
import subprocess
import sys

import pytest

from support.node import node

NODE_SERVER = """
'use strict';
const { spawn } = require('child_process');
const net = require('net');
const child = spawn(process.argv[2], [process.argv[3]], { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
const seen = [];
const clients = [];
const server = net.createServer({ pauseOnConnect: true }, (socket) => child.send('connection', socket));
const count = (then) => server.getConnections((error, number) => { seen.push(error ? String(error) : number); then(); });
child.on('message', (message) => {
  if (message === 'three are open') {
    count(() => {
      seen.push('closing');
      server.close(() => { seen.push('server closed'); child.send('done'); });
      child.send('close them');
    });
  } else {
    seen.push(message);
  }
});
child.on('exit', (code) => { seen.push({ exit: code }); console.log(JSON.stringify(seen)); process.exit(); });
server.listen(0, '127.0.0.1', () => {
  for (let i = 0; i < 3; i++) clients.push(net.connect(server.address().port, '127.0.0.1').on('error', () => {}));
});
"""

BLOCKING = "from nodechannel import connect\n{body}\nmain()\n"
ASYNCIO = "import asyncio\nfrom nodechannel.asyncio import connect\n{body}\nasyncio.run(main())\n"

CHILD = """
async def main():
    async with await connect() as channel:
        sockets = []
        async for message in channel:
            if message.data == "connection":
                sockets.append(message.handle.socket())
                if len(sockets) == 3:
                    await channel.send("three are open")
            elif message.data == "close them":
                for number, sock in enumerate(sockets):
                    await channel.send(f"closing {number}")
                    sock.close()
            else:
                break
"""


@pytest.mark.parametrize("front_end", ["blocking", "asyncio"])
def test_a_node_server_counts_connections_in_a_python_child(front_end, script):
    if front_end == "asyncio":
        source = ASYNCIO.format(body=CHILD)
    else:
        source = BLOCKING.format(body=CHILD.replace("await ", "").replace("async ", ""))
    command = [node(), script("parent.cjs", NODE_SERVER), sys.executable, script("child.py", source)]
    result = subprocess.run(command, capture_output=True, text=True, timeout=50, process_group=0, check=False)
    assert (result.returncode, result.stderr) == (0, "")
    seen = json.loads(result.stdout)
    assert seen == [3, "closing", "closing 0", "closing 1", "closing 2", "server closed", {"exit": 0}]


def test_a_python_server_counts_connections_in_a_node_child(api, fork):
    source = """
        const sockets = [];
        process.on('message', (message, socket) => {
          if (socket) { sockets.push(socket); process.send('got it'); }
          else sockets.pop().destroy();
        });
    """
    key = "4:127.0.0.1:0"
    with fork(source) as child, socket.create_server(("127.0.0.1", 0)) as server:
        clients = []
        for _ in range(3):
            clients.append(socket.create_connection(server.getsockname()))
            child.send("connection", handle=server.accept()[0], key=key)
            assert child.receive(timeout=20).data == "got it"
        assert child.get_connections(key, timeout=20) == 3
        child.send("close one")
        with clients.pop() as client:
            assert client.recv(1) == b""
        assert child.get_connections(key, timeout=20) == 2
        child.send("close one")
        child.send("close one")
        child.wait_all_closed(key, timeout=20)
        for client in clients:
            client.close()
