"""The blocking front end of a worker, against a primary on strings."""

from __future__ import annotations

import json
import socket
import threading

import pytest

import nodechannel
from nodechannel._cluster.blocking import Worker
from support.cluster import PATIENCE


@pytest.fixture
def pair():
    ours, theirs = socket.socketpair()
    theirs.settimeout(PATIENCE)
    worker = Worker(ours, 7)
    with theirs, theirs.makefile("rb") as lines:
        yield worker, theirs, lines
    worker.close()


def answer(theirs, lines, **members):
    """Answer the next question."""
    while (message := json.loads(lines.readline())).get("act") != "queryServer":
        pass
    reply = {"cmd": "NODE_CLUSTER", "ack": message["seq"], "data": None, "key": "K", "seq": 0, **members}
    theirs.sendall(json.dumps(reply).encode() + b"\n")
    return message


def in_thread(function, *args, **options):
    thread = threading.Thread(target=function, args=args, kwargs=options)
    thread.start()
    return thread


def test_it_is_online_first(pair):
    worker, _, lines = pair
    assert json.loads(lines.readline())["act"] == "online"
    assert worker.id == 7
    assert not worker.dismissed


@pytest.mark.parametrize("backlog", [1, 2**32, 2**64])
def test_a_backlog_of_any_size_is_asked_for(pair, backlog):
    worker, theirs, lines = pair
    asked: list[dict[str, object]] = []
    sockname = {"address": "127.0.0.1", "family": "IPv4", "port": 4321}
    thread = in_thread(lambda: asked.append(answer(theirs, lines, errno=None, sockname=sockname)))
    server = worker.listen(0, "127.0.0.1", backlog=backlog, timeout=PATIENCE)
    thread.join()
    assert asked[0]["backlog"] == backlog
    assert server.getsockname() == ("127.0.0.1", 4321)


@pytest.mark.parametrize(
    "sockname", [None, 5, {}, {"port": 2**80}, {"port": "x", "address": 7}, {"port": True}]
)
def test_an_odd_address_of_the_primary_is_not_believed(pair, sockname):
    worker, theirs, lines = pair
    thread = in_thread(answer, theirs, lines, errno=None, sockname=sockname)
    server = worker.listen(8080, "127.0.0.1", timeout=PATIENCE)
    thread.join()
    assert server.getsockname()[1] == 8080


def test_a_refusal_has_nodes_name(pair):
    worker, theirs, lines = pair
    thread = in_thread(answer, theirs, lines, errno=-98)
    with pytest.raises(nodechannel.ListenFailed) as caught:
        worker.listen(8080, "127.0.0.1", timeout=PATIENCE)
    thread.join()
    assert caught.value.name == "EADDRINUSE"


def test_a_primary_that_does_not_answer_in_time(pair):
    worker, _, lines = pair
    with pytest.raises(TimeoutError):
        worker.listen(0, "127.0.0.1", timeout=0.1)
    assert [json.loads(lines.readline())["act"] for _ in range(2)] == ["online", "queryServer"]
