"""A listening port, shared by a Node child and a Python child, under a Python parent and under a Node parent."""

from __future__ import annotations

import http.client
import socket
import subprocess
import sys

from support.node import FIXTURES, node

# Both children wait on the same socket; the kernel chooses. It would be no accident if a child got none of so many requests.
ENOUGH = 2000


def get(port: int, path: str) -> str:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        connection.request("GET", path)
        return connection.getresponse().read().decode()
    finally:
        connection.close()


def ask_until_both_answer(port: int) -> None:
    answers = set()
    for number in range(ENOUGH):
        who, path = get(port, f"/{number}").split()
        assert path == f"/{number}"
        answers.add(who)
        if answers == {"node", "python"}:
            return
    raise AssertionError(f"of {ENOUGH} requests all were answered by {answers}")


def test_a_python_parent_shares_its_port(api):
    server = socket.create_server(("127.0.0.1", 0))
    port = server.getsockname()[1]
    workers = [
        api.fork(FIXTURES / "http-worker.cjs", exec_path=node()),
        api.spawn([sys.executable, FIXTURES / "http_worker.py"]),
    ]
    with server, workers[0] as one, workers[1] as other:
        for number, child in enumerate((one, other)):
            child.send(number, handle=server)
        server.close()
        for number, child in enumerate((one, other)):
            assert child.receive(timeout=20).data == {"serving": number}
        ask_until_both_answer(port)


def test_a_node_parent_shares_its_port():
    command = [
        node(),
        str(FIXTURES / "share-port.cjs"),
        sys.executable,
        str(FIXTURES / "http-worker.cjs"),
        str(FIXTURES / "http_worker.py"),
    ]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, process_group=0
    ) as parent:
        assert parent.stdin is not None
        assert parent.stdout is not None
        try:
            ask_until_both_answer(int(parent.stdout.readline()))
            parent.stdin.close()
            assert parent.wait(20) == 0
        finally:
            parent.kill()
