"""Python workers of a real Node primary."""

from __future__ import annotations

import json
import os
import socket
import sys

import pytest

from support.cluster import NodePrimary, read_all, talk
from support.node import FIXTURES

WORKERS = FIXTURES / "cluster"

# Tests that depend little on the policy run under both policies in `make test-nodes` only.
little = pytest.mark.parametrize(
    "policy", ["rr", "none"] if os.environ.get("NODE") else ["rr"], indirect=True
)


@pytest.fixture(params=["rr", "none"])
def policy(request):
    return request.param


@pytest.fixture
def primary(policy):
    with NodePrimary(policy) as primary:
        yield primary


@pytest.fixture(params=["worker_asyncio.py", "worker_blocking.py"])
def start(request, primary):
    """Fork a worker that listens; return its number and its first message."""

    def fork(**options):
        id = primary.fork(WORKERS / request.param, json.dumps({"host": "127.0.0.1", **options}))
        return id, primary.message(id)

    return fork


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as server:
        return server.getsockname()[1]


def test_it_comes_online_listens_serves_and_ends(primary, start):
    id, said = start(port=0)
    primary.expect("online", id=id)
    address = primary.listening(id)
    assert said == {"serving": ["127.0.0.1", address["port"]]}
    assert (address["address"], address["addressType"]) == ("127.0.0.1", 4)
    for number in range(20):
        assert talk(address["port"], b"%d" % number) == b"%d" % number
    primary.do(disconnect=id)
    assert primary.expect("disconnect", id=id)["voluntary"]
    ended = primary.expect("exit", id=id)
    assert (ended["code"], ended["voluntary"]) == (0, True)
    with pytest.raises(ConnectionRefusedError):
        talk(address["port"])


@little
def test_two_share_a_port(primary, start):
    port = free_port()
    ids = [start(port=port)[0] for _ in range(2)]
    for id in ids:
        assert primary.listening(id)["port"] == port
    assert talk(port) == b"hello"
    primary.do(disconnect=ids[0])
    primary.expect("exit", id=ids[0])
    assert talk(port) == b"hello"


def test_a_unix_socket(primary, start, tmp_path):
    path = str(tmp_path / "s")
    id, said = start(host=None, path=path)
    assert said == {"serving": path}
    assert primary.listening(id)["address"] == path
    with socket.socket(socket.AF_UNIX) as client:
        client.settimeout(20)
        client.connect(path)
        client.sendall(b"hello")
        client.shutdown(socket.SHUT_WR)
        assert read_all(client) == b"hello"


@little
def test_ipv6(primary, start):
    try:
        socket.create_server(("::1", 0), family=socket.AF_INET6).close()
    except OSError:
        pytest.skip("this machine has no IPv6")
    id, said = start(host="::1", ipv6_only=True)
    address = primary.listening(id)
    assert address["addressType"] == 6
    assert said["serving"][:2] == ["::1", address["port"]]
    assert talk(address["port"], family=socket.AF_INET6) == b"hello"


@little
def test_without_a_host_everywhere(primary, start):
    id, _ = start(host=None)
    assert talk(primary.listening(id)["port"]) == b"hello"


def test_a_port_that_is_taken(primary, start):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        _, said = start(port=taken.getsockname()[1])
    assert said == {"failed": "EADDRINUSE", "errno": 98}


def test_a_connection_that_is_open_is_finished(primary, start):
    id, _ = start(port=0)
    port = primary.listening(id)["port"]
    with socket.create_connection(("127.0.0.1", port), timeout=30) as client:
        client.sendall(b"before")
        assert client.recv(10) == b"before"
        primary.do(disconnect=id)
        client.sendall(b"after")
        assert client.recv(10) == b"after"
        client.shutdown(socket.SHUT_WR)
        assert read_all(client) == b""
    assert primary.expect("exit", id=id)["code"] == 0


@little
def test_a_worker_outlived_by_its_primary_ends(primary, start):
    start(port=0)
    primary.do(exit=3)
    assert primary.process.wait(30) == 3
    # The worker has the same standard output: it ends when the worker has.
    assert primary.rest() is not None


@little
class TestAsyncio:
    """Requests that only the fixture of a single front end understands."""

    @pytest.fixture
    def worker(self, primary):
        def fork(**options):
            id = primary.fork(WORKERS / "worker_asyncio.py", json.dumps({"host": "127.0.0.1", **options}))
            return id, primary.message(id)

        return fork

    def test_nothing_of_the_bootstrap_is_left_in_the_environment(self, primary, worker):
        id, _ = worker()
        primary.do(send=id, message="environment")
        assert primary.message(id) == {"id": id, "marks": []}

    def test_it_leaves_by_its_own_wish(self, primary, worker):
        id, _ = worker()
        primary.do(send=id, message="leave")
        assert primary.expect("disconnect", id=id)["voluntary"]
        assert primary.expect("exit", id=id)["code"] == 0

    def test_any_port_twice_is_two_ports(self, primary, worker):
        id, first = worker()
        primary.do(send=id, message="listen")
        second = primary.message(id)
        assert first != second
        for said in (first, second):
            assert talk(said["serving"][1]) == b"hello"

    def test_the_same_port_twice_is_an_error_that_the_primary_does_not_see(self, primary, worker):
        id, _ = worker(port=free_port())
        primary.do(send=id, message="listen")
        assert primary.message(id) == {"failed": "EADDRINUSE", "errno": 98}
        primary.do(send=id, message="still there")
        assert primary.message(id) == {"echo": "still there"}

    def test_a_closed_server_can_be_opened_again(self, primary, worker):
        port = free_port()
        id, _ = worker(port=port)
        for _ in range(3):
            primary.do(send=id, message="close")
            primary.do(send=id, message="listen")
            assert primary.message(id) == {"serving": ["127.0.0.1", port]}
            assert talk(port) == b"hello"

    def test_messages_that_nobody_reads_do_not_stop_connections(self, primary, worker, tmp_path):
        script = tmp_path / "deaf.py"
        script.write_text(
            "import asyncio\n"
            "from nodechannel.cluster import asyncio as cluster\n"
            "async def hello(reader, writer):\n"
            "    writer.write(await reader.read(100)); writer.close()\n"
            "async def main():\n"
            "    worker = await cluster.connect()\n"
            "    server = await worker.listen(0, hello, '127.0.0.1')\n"
            "    await worker.wait_closed()\n"
            "asyncio.run(main())\n"
        )
        id = primary.fork(script)
        port = primary.listening(id)["port"]
        for _ in range(3000):
            primary.do(send=id, message="x")
        assert talk(port) == b"hello"


@pytest.mark.parametrize("policy", ["rr", "none"], indirect=True)
def test_udp(primary, tmp_path):
    script = tmp_path / "udp.py"
    script.write_text(
        "import sys\n"
        "from nodechannel import cluster\n"
        "with cluster.connect() as worker:\n"
        "    with worker.bind(0, '127.0.0.1') as sock:\n"
        "        sock.settimeout(30)\n"
        "        data, client = sock.recvfrom(100)\n"
        "        sock.sendto(data, client)\n"
    )
    id = primary.fork(script)
    address = primary.listening(id)
    assert address["addressType"] == "udp4"
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
        client.settimeout(30)
        client.sendto(b"hello", ("127.0.0.1", address["port"]))
        assert client.recv(100) == b"hello"
    assert primary.expect("exit", id=id)["voluntary"]


def test_beside_a_node_worker_on_one_port(primary, start, tmp_path):
    port = free_port()
    script = tmp_path / "worker.cjs"
    script.write_text(
        f"require('net').createServer((c) => c.end('node')).listen({port}, '127.0.0.1', () => process.send('up'));"
    )
    python, _ = start(port=port)
    other = primary.fork(script, interpreter="node")
    assert primary.message(other) == "up"
    for id in (python, other):
        primary.listening(id)
    if primary.policy == "rr":
        answers = [talk(port) for _ in range(4)]
        assert sorted(answers) == [b"hello", b"hello", b"node", b"node"]
    else:
        assert {talk(port) for _ in range(40)} <= {b"hello", b"node"}


def test_outside_of_a_cluster_it_says_so():
    import subprocess

    result = subprocess.run(
        [sys.executable, "-c", "from nodechannel import cluster; cluster.connect()"],
        capture_output=True,
        text=True,
        timeout=30,
        process_group=0,
        check=False,
    )
    assert "NODE_UNIQUE_ID is not set" in result.stderr
