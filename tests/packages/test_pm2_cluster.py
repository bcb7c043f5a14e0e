"""Python workers in PM2's cluster mode, through `hop.cjs`: reloads under load without a failed request."""

from __future__ import annotations

import json
import os
import signal
import socket
import sys
import threading
import time
from pathlib import Path
from typing import Any, Self

import pytest

from nodechannel import hop
from support.cluster import read_all
from support.processes import children_of, wait_until_gone

pytestmark = pytest.mark.package("pm2", "program, cluster mode", "`nodechannel.pm2`, `hop.cjs`")

WORKER = """
import asyncio, os, sys
from nodechannel.pm2.asyncio import connect

async def main():
    async with await connect() as app:
        done = app.counter("requests")

        async def serve(reader, writer):
            try:
                await reader.readuntil(b"\\r\\n\\r\\n")
                body = str(os.getpid()).encode()
                writer.write(b"HTTP/1.1 200 OK\\r\\nConnection: close\\r\\nContent-Length: %d\\r\\n\\r\\n%s" % (len(body), body))
                await writer.drain()
                done.inc()
            finally:
                writer.close()

        await app.channel.listen(int(sys.argv[1]), serve, "127.0.0.1")
        await app.ready()
        print("serving", flush=True)
        await app.wait()

asyncio.run(main())
print("left")
"""

CLIENTS = 8
INSTANCES = 2


@pytest.fixture
def port():
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


@pytest.fixture
def start(pm2, script, port):
    """Start the workers; return PM2."""

    def run(**options: Any) -> Any:
        pm2.start(
            hop.path(),
            sys.executable,
            str(script("worker.py", WORKER)),
            str(port),
            exec_mode="cluster",
            instances=INSTANCES,
            interpreter="node",
            listen_timeout=40_000,
            **options,
        )
        wait_until_served(port)
        return pm2

    return run


def request(port: int) -> str:
    """Make a request on a connection of its own; return the body, which is the worker's process id."""
    with socket.create_connection(("127.0.0.1", port), timeout=30) as client:
        client.sendall(b"GET / HTTP/1.1\r\nHost: here\r\n\r\n")
        head, _, body = read_all(client).partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 200"), head
    assert body
    return body.decode()


def wait_until_served(port: int) -> None:
    """Wait until the first worker listens; without `wait_ready` PM2 does not."""
    deadline = time.monotonic() + 40
    while True:
        try:
            request(port)
        except ConnectionRefusedError:
            assert time.monotonic() < deadline, "no worker listens"
            time.sleep(0.05)
        else:
            return


class Load:
    """Threads that make request after request.

    Attributes:
        done: the number of requests that succeeded.
        failed: the errors of the requests that failed.
        served_by: the workers that answered.
    """

    def __init__(self, port: int) -> None:
        self.port = port
        self.done = 0
        self.failed: list[str] = []
        self.served_by: set[str] = set()
        self._guard = threading.Lock()
        self._stopping = False
        self._threads = [threading.Thread(target=self._client) for _ in range(CLIENTS)]

    def _client(self) -> None:
        while not self._stopping:
            try:
                worker = request(self.port)
            except (OSError, AssertionError) as error:
                self.failed.append(repr(error))
                continue
            with self._guard:
                self.served_by.add(worker)
                self.done += 1

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, kind: object, error: object, trace: object) -> None:
        self._stopping = True
        for thread in self._threads:
            thread.join()


@pytest.mark.parametrize(
    ("options", "requests"),
    [({"wait_ready": True}, 10_000), ({}, 2_000)],
    ids=["by ready", "by listening"],
)
def test_reloads_under_load_lose_no_request(start, port, options, requests):
    pm2 = start(**options)
    reloads = 0
    with Load(port) as load:
        while load.done < requests or reloads < 2:
            pm2.call("reload", "app")
            reloads += 1
    assert load.failed == []
    assert load.done >= requests
    # Each reload replaced each worker.
    assert len(load.served_by) >= INSTANCES * 2
    assert {program["pm2_env"]["restart_time"] for program in pm2.describe()} == {reloads}
    assert pm2.logs()[1] == ""


def test_pm2_shows_the_worker_and_takes_its_output(start, port):
    pm2 = start(wait_ready=True)
    pids = {request(port) for _ in range(2 * INSTANCES)}
    assert len(pids) == INSTANCES
    env = pm2.until(lambda env: "requests" in env["axm_monitor"])
    assert (env["exec_mode"], env["node_version"][:6]) == ("cluster_mode", "Python")
    assert "serving" in pm2.logs()[0]


def test_a_stop_leaves_nothing_behind(start, port):
    pm2 = start(wait_ready=True)
    hops = pm2.pids()
    below = [pid for one in hops for pid in children_of(one)]
    assert len(below) == 2 * INSTANCES
    pm2.call("stop", "app")
    wait_until_gone(*hops, *below)
    environments = [program["pm2_env"] for program in pm2.describe()]
    for stream, expected in ("out", "serving\nleft\n"), ("err", ""):
        paths = {Path(env[f"pm_{stream}_log_path"]) for env in environments}
        assert [path.read_text() for path in paths] == [expected] * INSTANCES


def test_a_worker_that_was_killed_takes_its_command_along_and_is_replaced(start, port):
    pm2 = start(wait_ready=True, autorestart=True)
    victim = pm2.pids()[0]
    below = children_of(victim)
    os.kill(victim, signal.SIGKILL)
    wait_until_gone(victim, *below)
    deadline = time.monotonic() + 30
    while len([pid for pid in pm2.pids() if pid != victim]) < INSTANCES:
        assert time.monotonic() < deadline, json.dumps(pm2.call("list"))[:2000]
    assert request(port)
