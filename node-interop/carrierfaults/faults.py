"""One run: a producer, consumers, and faults until every message was sent."""

from __future__ import annotations

import random
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from pathlib import Path
from typing import Any, NamedTuple

from nodechannel import errors, redis
from support.redis import Redis

CONSUMER = Path(__file__).with_name("consumer.py")
CONSUMERS = 3

# Messages of a call of `send_many`, and seconds without news after which the rest counts as lost.
BATCH = 100
PATIENCE = 40.0


class Result(NamedTuple):
    """What came of a run.

    Attributes:
        kind: ``stream`` or ``list``.
        sent: messages that the producer was told were taken.
        lost: messages that no consumer noted.
        twice: further notes of messages that were noted before.
        faults: how often each fault was done.
        seconds: how long the run took.
    """

    kind: str
    sent: int
    lost: int
    twice: int
    faults: dict[str, int]
    seconds: float


class Run:
    """A server that keeps its data, consumers that note what they get, and faults in a thread.

    Args:
        kind: ``stream`` or ``list``.
        folder: for the server's data and the notes.
        pause: seconds between two faults.
        seed: of the choice of faults.
    """

    def __init__(self, kind: str, folder: Path, pause: float, seed: int) -> None:
        self._kind, self._folder, self._pause = kind, folder, pause
        self._chance = random.Random(seed)
        self._server = Redis("--dir", str(folder), "--appendonly", "yes", "--appendfsync", "always")
        self._url = f"redis://127.0.0.1:{self._server.port}"
        self._consumers: list[subprocess.Popen[bytes]] = []
        self._done = threading.Event()
        self._faults: Counter[str] = Counter()
        self._started = 0

    def carry_out(self, messages: int) -> Result:
        """Send so many messages and wait until all were noted, or none was for long."""
        begin = time.monotonic()
        with self._server:
            chaos = threading.Thread(target=self._disturb)
            try:
                for _ in range(CONSUMERS):
                    self._consumers.append(self._start_consumer())
                chaos.start()
                self._produce(messages)
                self._done.set()
                chaos.join()
                seen = self._await(messages)
            finally:
                self._done.set()
                for consumer in self._consumers:
                    consumer.kill()
                    consumer.wait()
        lost = sum(number not in seen for number in range(messages))
        twice = sum(seen.values()) - len(seen)
        return Result(self._kind, messages, lost, twice, dict(self._faults), time.monotonic() - begin)

    def _produce(self, messages: int) -> None:
        if self._kind == "stream":
            with redis.stream(self._url, "load") as stream:
                for first in range(0, messages, BATCH):
                    stream.send_many(range(first, min(first + BATCH, messages)))
            return
        with redis.queue(self._url, "load") as queue:
            for number in range(messages):
                _send_surely(queue, number)

    def _start_consumer(self) -> subprocess.Popen[bytes]:
        self._started += 1
        notes = self._folder / f"notes{self._started}"
        return subprocess.Popen(
            [sys.executable, str(CONSUMER), self._url, "load", self._kind, str(notes)],
            process_group=0,
            stderr=subprocess.DEVNULL,
        )

    def _disturb(self) -> None:
        acts = {
            "server killed": self._kill_server,
            "consumer killed": self._kill_consumer,
            "connections cut": self._cut,
        }
        while not self._done.wait(self._pause):
            name = self._chance.choice(list(acts))
            acts[name]()
            self._faults[name] += 1

    def _kill_server(self) -> None:
        self._server.restart()

    def _kill_consumer(self) -> None:
        place = self._chance.randrange(len(self._consumers))
        self._consumers[place].kill()
        self._consumers[place].wait()
        self._consumers[place] = self._start_consumer()

    def _cut(self) -> None:
        import redis as client

        with client.Redis.from_url(self._url) as connection:
            connection.client_kill_filter(_type="normal", skipme=True)

    def _await(self, messages: int) -> Counter[int]:
        seen: Counter[int] = Counter()
        last = time.monotonic()
        while len(seen) < messages and time.monotonic() - last < PATIENCE:
            time.sleep(0.2)
            found = self._noted()
            if found.total() > seen.total():
                last = time.monotonic()
            seen = found
        return seen

    def _noted(self) -> Counter[int]:
        seen: Counter[int] = Counter()
        for path in self._folder.glob("notes*"):
            # A line without its end is still being written.
            seen.update(int(line) for line in path.read_bytes().split(b"\n")[:-1])
        return seen


def _send_surely(queue: redis.Queue, message: Any) -> None:
    """Send until the server says that it has the message; so it may be there twice."""
    while True:
        try:
            queue.send(message)
        except errors.ConnectionLost:
            time.sleep(0.05)
        else:
            return


def run(kind: str, messages: int, pause: float, seed: int) -> Result:
    """Return the result of one run."""
    with tempfile.TemporaryDirectory(prefix="carrierfaults") as folder:
        return Run(kind, Path(folder), pause, seed).carry_out(messages)
