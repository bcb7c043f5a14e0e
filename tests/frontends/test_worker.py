"""The blocking front end of a cluster worker alone: threads that wait for connections learn that none will come."""

from __future__ import annotations

import json
import socket
import threading
import time
from typing import TYPE_CHECKING, Any

import pytest

import nodechannel
from nodechannel._cluster.blocking import Worker

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from nodechannel._cluster.blocking import Server

KEY = "K"


class Primary:
    """A puppet primary: it lets a worker listen, and dismisses it."""

    def __init__(self, sock: socket.socket, policy: str) -> None:
        self.sock = sock
        self._policy = policy
        self._lines = sock.makefile("rb")

    def grant(self) -> None:
        """Answer the question for a place."""
        asked: dict[str, Any] = {}
        while asked.get("act") != "queryServer":
            asked = json.loads(self._lines.readline())
        answer = {
            "cmd": "NODE_CLUSTER",
            "errno": None,
            "key": KEY,
            "ack": asked["seq"],
            "data": None,
            "seq": 0,
        }
        if self._policy == "round-robin":
            self._send({**answer, "sockname": {"address": "127.0.0.1", "family": "IPv4", "port": 4321}})
            return
        with socket.create_server(("127.0.0.1", 0)) as bound:
            envelope = {"cmd": "NODE_HANDLE", "type": "net.Native", "msg": {**answer, "errno": 0}}
            socket.send_fds(self.sock, [json.dumps(envelope).encode() + b"\n"], [bound.fileno()])

    def dismiss(self) -> None:
        self._send({"cmd": "NODE_CLUSTER", "act": "disconnect", "seq": 1})

    def vanish(self) -> None:
        self.sock.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        self._lines.close()
        self.sock.close()

    def _send(self, message: dict[str, Any]) -> None:
        self.sock.sendall(json.dumps(message).encode() + b"\n")


@pytest.fixture(params=["round-robin", "shared"])
def ends(request: pytest.FixtureRequest) -> Iterator[tuple[Worker, Server, Primary]]:
    ours, theirs = socket.socketpair()
    primary = Primary(theirs, request.param)
    worker = Worker(ours, 1)
    granting = threading.Thread(target=primary.grant)
    granting.start()
    server = worker.listen(0, "127.0.0.1", timeout=10)
    granting.join()
    with server:
        yield worker, server, primary
    worker.close()
    primary.close()


ENDS: dict[str, Callable[[Worker, Server, Primary], object]] = {
    "closed": lambda _worker, server, _primary: server.close(),
    "dismissed": lambda _worker, _server, primary: primary.dismiss(),
    "the primary is gone": lambda _worker, _server, primary: primary.vanish(),
    "the channel is closed": lambda worker, _server, _primary: worker.close(),
}


@pytest.mark.parametrize("how", ENDS)
@pytest.mark.parametrize("waiting", [1, 3], ids=["one thread", "three threads"])
@pytest.mark.parametrize("reading", [False, True], ids=["nobody reads", "another thread reads"])
def test_whoever_waits_for_a_connection_learns_that_none_will_come(ends, how, waiting, reading):
    worker, server, primary = ends
    told: list[str] = []

    def accept() -> None:
        try:
            server.accept(timeout=20)
        except nodechannel.ChannelClosed:
            told.append("closed")
        except TimeoutError:
            told.append("nothing")

    def read() -> None:
        for _ in worker:
            pass

    threads = [threading.Thread(target=read)] if reading else []
    threads += [threading.Thread(target=accept) for _ in range(waiting)]
    for thread in threads:
        thread.start()
        time.sleep(0.02)  # the first thread reads for all
    ENDS[how](worker, server, primary)
    for thread in threads[-waiting:]:
        thread.join(3)
    found = list(told)
    worker.close()
    for thread in threads:
        thread.join(25)
    assert found == ["closed"] * waiting


def test_waiting_for_a_connection_costs_nothing_but_time(ends):
    _worker, server, primary = ends
    began, used = time.monotonic(), time.process_time()

    def accept() -> None:
        with pytest.raises(TimeoutError):
            server.accept(timeout=1)

    threads = [threading.Thread(target=accept) for _ in range(3)]
    for thread in threads:
        thread.start()
    time.sleep(0.1)
    primary.sock.sendall(b'"wakes all of them"\n')
    for thread in threads:
        thread.join()
    assert time.monotonic() - began >= 1
    assert time.process_time() - used < 0.3
