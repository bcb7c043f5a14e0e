"""The carriers of a run: the way of the messages, its faults, and the kind of sending that loses no message."""

from __future__ import annotations

import subprocess
import sys
import time
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, Self

from nodechannel import errors, nodeipc, redis, rsmq
from support.node import node
from support.packages import packages
from support.redis import Failover, Redis

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

CONSUMER = Path(__file__).with_name("consumer.py")
SERVER = Path(__file__).with_name("server.mjs")

# Messages of a call of `send_many`, and events of node-ipc that may be unanswered.
BATCH = 100
KEY = "load"


class Kind(NamedTuple):
    """The way of the messages of a run.

    Attributes:
        consumer: the word for `consumer.py`.
        promise: whether no message may be lost.
        consumers: how many there are at a time.
        failing_over: whether the server is a primary with a replica.
    """

    consumer: str
    promise: bool = True
    consumers: int = 3
    failing_over: bool = False


KINDS = {
    "stream": Kind("stream"),
    "list": Kind("list"),
    "rsmq": Kind("rsmq"),
    "stream-failover": Kind("stream", failing_over=True),
    "list-failover": Kind("list", failing_over=True),
    "node-ipc": Kind("node-ipc", consumers=1),
    "node-ipc-node": Kind("node-ipc-node", consumers=1),
    "channel": Kind("channel", promise=False, consumers=1),
}


class Carrier:
    """The server of a run, or the place where consumers serve.

    Args:
        kind: a member of `KINDS`.
        folder: for the files of servers.
    """

    def __init__(self, kind: Kind, folder: Path) -> None:
        self._kind, self._folder = kind, folder
        self._opened = ExitStack()
        self._server: Redis | None = None
        self.acts: dict[str, Callable[[], object]] = {}
        self.place = str(folder / "s")

    def __enter__(self) -> Self:
        if self._kind.failing_over:
            pair = self._opened.enter_context(Failover(self._folder))
            self.place = pair.url
            self.acts = {"failed over": pair.fail_over}
        elif not self._kind.consumer.startswith("node-ipc"):
            server = Redis("--dir", str(self._folder), "--appendonly", "yes", "--appendfsync", "always")
            self._server = self._opened.enter_context(server)
            self.place = f"redis://127.0.0.1:{server.port}"
            self.acts = {"server killed": server.restart, "connections cut": self._cut}
        if self._kind.consumer == "rsmq":
            with rsmq.queue(self.place, KEY) as queue:
                queue.create(vt=2)
        return self

    def __exit__(self, *error: object) -> None:
        self._opened.close()

    def _cut(self) -> None:
        import redis as client

        assert self._server is not None
        with client.Redis(port=self._server.port) as connection:
            for type in ("normal", "pubsub"):
                connection.client_kill_filter(_type=type, skipme=True)

    def start_consumer(self, notes: Path) -> subprocess.Popen[bytes]:
        """Start a consumer that notes its messages in a file."""
        if self._kind.consumer == "node-ipc-node":
            command = [node(), str(SERVER), str(packages()), self.place, str(notes)]
        else:
            command = [sys.executable, str(CONSUMER), self.place, KEY, self._kind.consumer, str(notes)]
        return subprocess.Popen(command, process_group=0, stderr=subprocess.DEVNULL)

    def produce(self, messages: int) -> None:
        """Send the numbers below `messages`, and return when the carrier has all of them."""
        send = {"stream": self._into_stream, "list": self._into_list, "rsmq": self._into_rsmq}
        send |= {"channel": self._into_channel}
        send.get(self._kind.consumer, self._over_sockets)(messages)

    @property
    def _replicas(self) -> int:
        return int(self._kind.failing_over)

    def _into_stream(self, messages: int) -> None:
        with redis.stream(self.place, KEY, replicas=self._replicas) as stream:
            for batch in _batches(messages):
                stream.send_many(batch)

    def _into_list(self, messages: int) -> None:
        with redis.queue(self.place, KEY, replicas=self._replicas) as queue:
            for number in range(messages):
                _surely(lambda number=number: queue.send(number))  # type: ignore[misc]

    def _into_rsmq(self, messages: int) -> None:
        with rsmq.queue(self.place, KEY) as queue:
            for number in range(messages):
                _surely(lambda text=str(number): queue.send(text))  # type: ignore[misc]

    def _into_channel(self, messages: int) -> None:
        with redis.channels(self.place) as channels:
            while not channels.send(KEY, "begin"):  # there is no listener yet
                time.sleep(0.05)
            for batch in _batches(messages):
                time.sleep(0.02)  # so that the faults meet messages
                _surely(lambda batch=batch: channels.send_many(KEY, batch))  # type: ignore[misc]

    def _over_sockets(self, messages: int) -> None:
        """Send events and await an answer to each: events without an answer go again when a connection has ended."""
        with nodeipc.connect(path=self.place, lifecycle=True, retry=0.05, timeout=60) as client:
            unanswered: dict[int, None] = {}
            unsent = iter(range(messages))
            more = True
            while more or unanswered:
                event = _next_event(client) if not more or len(unanswered) >= BATCH else None
                if event is None:
                    new = [number for _, number in zip(range(BATCH - len(unanswered)), unsent, strict=False)]
                    more = bool(new)
                    unanswered.update(dict.fromkeys(new))
                    _send(client, new)
                elif event.type == "connect":
                    _send(client, list(unanswered))
                elif event.type == "answer":
                    unanswered.pop(event.data, None)


def _next_event(client: nodeipc.Client) -> Any:
    try:
        return client.receive(60)
    except errors.RemoteError as error:  # half of a frame, from a peer that was killed amid it
        return nodeipc.Event("error", error)


def _send(client: nodeipc.Client, numbers: list[int]) -> None:
    with suppress(errors.ChannelClosed):  # the next connection takes all that is unanswered
        client.send_many(("work", number) for number in numbers)


def _batches(messages: int) -> Iterator[range]:
    for first in range(0, messages, BATCH):
        yield range(first, min(first + BATCH, messages))


def _surely(send: Callable[[], object]) -> None:
    """Send until the server says that it has the message; so it may be there twice."""
    while True:
        try:
            send()
        except errors.ConnectionLost:
            time.sleep(0.05)
        else:
            return
