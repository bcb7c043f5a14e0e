"""The sockets of a primary; all of them are real."""

from __future__ import annotations

import asyncio
import resource
import socket
from typing import Any

import pytest

from nodechannel._cluster import listening
from nodechannel._cluster.listening import MAX_WAITING, Sockets, max_waiting
from nodechannel._cluster.messages import Policy, Query
from nodechannel._cluster.primary import Place


class Primary:
    """Keeps the failures."""

    def __init__(self):
        self.failures = []

    def failed(self, place, number):
        self.failures.append(number)


def a_primary() -> Any:
    return Primary()


def a_place(sockets, **members):
    query = Query(**{"address": "127.0.0.1", "port": 0, "address_type": 4, **members})
    return Place(query.key, query, Policy.ROUND_ROBIN, sockets.later)


@pytest.mark.parametrize(
    "error", [OverflowError("odd"), UnicodeError("odd"), RecursionError(), MemoryError()]
)
def test_any_exception_of_opening_becomes_an_answer(monkeypatch, error):
    def fail(query, listening):
        raise error

    async def main():
        monkeypatch.setattr(listening, "open_socket", fail)
        sockets, primary = Sockets(), a_primary()
        sockets.open(a_place(sockets), primary)
        assert len(primary.failures) == 1
        assert primary.failures[0] < 0

    asyncio.run(main())


def test_a_closed_place_leaves_the_kernels_queue_to_nobody():
    async def main():
        sockets, primary = Sockets(), a_primary()
        place = a_place(sockets)
        sockets.open(place, primary)
        with socket.create_connection(("127.0.0.1", place.sockname["port"])) as client:
            sockets.drain()
            assert place.scheduler.waiting == 1
            place.scheduler.close()
            client.settimeout(5)
            assert client.recv(1) == b""

    asyncio.run(main())


@pytest.mark.parametrize(("soft", "waiting"), [(64, 16), (1024, 256), (2, 1), (1_000_000, MAX_WAITING)])
def test_waiting_connections_leave_most_of_the_descriptor_table(monkeypatch, soft, waiting):
    monkeypatch.setattr(resource, "getrlimit", lambda which: (soft, soft))
    assert max_waiting() == waiting


def test_connections_beyond_that_wait_in_the_kernel(monkeypatch):
    monkeypatch.setattr(listening, "MAX_WAITING", 3)

    async def main():
        sockets, primary = Sockets(), a_primary()
        places = [a_place(sockets), a_place(sockets)]
        for place in places:
            sockets.open(place, primary)
        clients = [
            socket.create_connection(("127.0.0.1", place.sockname["port"]))
            for place in places
            for _ in range(4)
        ]
        await asyncio.sleep(0.2)
        assert sum(place.scheduler.waiting for place in places) == 3
        for place in places:
            sockets.close(place)
            place.scheduler.close()
        for client in clients:
            client.close()

    asyncio.run(main())
