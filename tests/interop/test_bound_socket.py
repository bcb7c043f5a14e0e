"""`net.BoundSocket` of Node 26: a port that is taken here and served there, both ways."""

from __future__ import annotations

import socket
import subprocess

import pytest

from support.node import node

SERVE = "net.createServer((client) => client.end('node')).listen(bound, () => process.send('listening'));"


@pytest.fixture(autouse=True)
def only_where_node_knows_it():
    version = subprocess.run([node(), "--version"], capture_output=True, text=True, check=True).stdout
    if int(version.removeprefix("v").split(".")[0]) < 26:
        pytest.skip(f"Node {version.strip()} has no net.BoundSocket")


def ask(address: tuple[str, int]) -> bytes:
    with socket.create_connection(address, timeout=30) as client:
        return client.makefile("rb").read()


@pytest.mark.rule("HND-027", "HND-045")
def test_node_serves_a_port_that_python_took(fork):
    with (
        socket.socket() as bound,
        fork(
            f"const net = require('net'); process.on('message', (message, bound) => {{ {SERVE} }});"
        ) as child,
    ):
        bound.bind(("127.0.0.1", 0))
        child.send("serve", bound, handle_type="net.BoundSocket")
        assert child.receive(timeout=30).data == "listening"
        assert ask(bound.getsockname()) == b"node"
        child.kill()


@pytest.mark.rule("HND-045")
def test_python_serves_a_port_that_node_took(fork):
    with fork(
        """
        const net = require('net');
        const bound = new net.BoundSocket({ port: 0, host: '127.0.0.1' });
        process.send('take', bound);
        process.on('message', () => {});
        """
    ) as child:
        message = child.receive(timeout=30)
        assert message.handle.type == "net.BoundSocket"
        with message.handle.socket(timeout=30) as server:
            server.listen()
            with socket.create_connection(server.getsockname(), timeout=30) as client:
                connection, _ = server.accept()
                with connection:
                    assert connection.getsockname() == client.getpeername()
        child.disconnect()
