"""The host of a primary: sockets of places, and reports as events."""

from __future__ import annotations

import asyncio
import errno
import socket

from nodechannel._cluster.events import Announcer, Event
from nodechannel._cluster.host import ClusterHost
from nodechannel._cluster.listening import Sockets
from nodechannel._cluster.messages import Policy, Query
from nodechannel._cluster.primary import PrimaryProtocol, WorkerLink
from nodechannel._core.delivery import Delivery


class Scene:
    """A primary with a single worker, whose messages are kept."""

    def __init__(self, *, news: bool = True) -> None:
        self.events: list[Event] = []
        self.noted: list[tuple[int, Query]] = []
        self.sent: list[dict[str, object]] = []
        self.sockets = Sockets()
        self.announcer = Announcer(self.events.append)
        self.host = ClusterHost(self.sockets, self.announcer, self._note)
        self.host.primary = self.primary = PrimaryProtocol(Policy.ROUND_ROBIN, self.host)
        self.link = WorkerLink(7, self.primary, self._send)
        self._news = news

    def _note(self, id: int, query: Query) -> bool:
        self.noted.append((id, query))
        return self._news

    def _send(self, message: dict[str, object], _handle: object) -> Delivery:
        self.sent.append(message)
        return Delivery()

    def ask(self, port: int) -> None:
        """Have the worker ask for a place."""
        self.link.receive(
            {"cmd": "NODE_CLUSTER", "act": "queryServer", "seq": 1, "address": "127.0.0.1", "port": port,
             "addressType": 4, "index": 0, "flags": 0, "backlog": 511}, None
        )  # fmt: skip

    def told(self) -> list[tuple[str, int, object]]:
        """Return the events."""
        self.announcer.flush()
        return [(event.kind, event.worker, event.detail) for event in self.events]

    async def answer(self) -> dict[str, object]:
        """Return the answer to the question."""
        for _ in range(500):
            if self.sent:
                return self.sent.pop()
            await asyncio.sleep(0.01)
        raise TimeoutError

    def end(self) -> None:
        """Close the sockets."""
        self.primary.close()
        self.announcer.flush()


def test_a_place_gets_a_socket_that_listens():
    async def scenario() -> None:
        scene = Scene()
        with socket.create_server(("127.0.0.1", 0)) as found:
            port = found.getsockname()[1]
        scene.ask(port)
        answer = await scene.answer()
        assert answer["ack"] == 1
        assert not answer.get("errno")
        socket.create_connection(("127.0.0.1", port), 20).close()
        scene.end()

    asyncio.run(scenario())


def test_while_the_cluster_stops_no_socket_is_made():
    async def scenario() -> None:
        scene = Scene()
        scene.host.stopping = True
        scene.ask(0)
        assert (await scene.answer())["errno"] == -errno.ECANCELED
        scene.end()

    asyncio.run(scenario())


def test_reports_become_events():
    async def scenario() -> None:
        scene = Scene()
        error = ValueError("x")
        scene.host.online(scene.link)
        scene.host.listening(scene.link, Query(None, 80, 4))
        scene.host.listening(scene.link, Query("/tmp/s", -1, -1))
        scene.host.fault(scene.link, error)
        assert [id for id, _ in scene.noted] == [7, 7]
        assert scene.told() == [
            ("online", 7, None), ("listening", 7, "*:80"), ("listening", 7, "/tmp/s"), ("error", 7, error)
        ]  # fmt: skip
        scene.end()

    asyncio.run(scenario())


def test_a_known_place_is_no_news():
    async def scenario() -> None:
        scene = Scene(news=False)
        scene.host.listening(scene.link, Query(None, 80, 4))
        assert scene.told() == []
        scene.end()

    asyncio.run(scenario())


def test_later_is_later():
    async def scenario() -> None:
        scene, called = Scene(), asyncio.Event()
        scene.host.later(0.01, called.set)
        assert not called.is_set()
        await asyncio.wait_for(called.wait(), 20)
        scene.end()

    asyncio.run(scenario())
