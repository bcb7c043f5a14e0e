"""A run: a producer, consumers, and faults until every message was sent."""

from __future__ import annotations

import random
import signal
import tempfile
import threading
import time
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from carrierfaults.kinds import KINDS, Carrier

if TYPE_CHECKING:
    import subprocess

# Seconds without news after which the rest counts as lost; less where much is.
PATIENCE, LITTLE_PATIENCE = 40.0, 3.0


class Result(NamedTuple):
    """The result of a run.

    Attributes:
        kind: the name of the kind.
        promise: whether no message may be lost.
        sent: messages that the producer was told were taken.
        lost: messages that no consumer noted.
        twice: further notes of messages that were noted before.
        gaps: how often a consumer was told that messages may be missing.
        faults: how often each fault was done.
        seconds: how long the run took.
    """

    kind: str
    promise: bool
    sent: int
    lost: int
    twice: int
    gaps: int
    faults: dict[str, int]
    seconds: float


class Run:
    """A carrier, consumers that note their messages, and faults in a thread.

    Args:
        kind: the name of the kind.
        folder: for the server's data and the notes.
        pause: seconds between two faults.
        seed: of the choice of faults.
    """

    def __init__(self, kind: str, folder: Path, pause: float, seed: int) -> None:
        self._name, self._kind, self._folder, self._pause = kind, KINDS[kind], folder, pause
        self._chance = random.Random(seed)
        self._carrier = Carrier(self._kind, folder)
        self._consumers: list[subprocess.Popen[bytes]] = []
        self._done = threading.Event()
        self._faults: Counter[str] = Counter()
        self._started = 0

    def carry_out(self, messages: int) -> Result:
        """Send so many messages and wait until all were noted, or none was for long."""
        begin = time.monotonic()
        with self._carrier:
            chaos = threading.Thread(target=self._disturb)
            try:
                for _ in range(self._kind.consumers):
                    self._consumers.append(self._start_consumer())
                chaos.start()
                self._carrier.produce(messages)
                self._done.set()
                chaos.join()
                seen = self._await(messages)
            finally:
                self._done.set()
                if chaos.ident is not None:
                    chaos.join()
                for consumer in self._consumers:
                    consumer.kill()
                    consumer.wait()
        gaps = seen.pop("gap", 0)
        seen.pop("begin", 0)
        lost = sum(str(number) not in seen for number in range(messages))
        twice = seen.total() - len(seen)
        seconds = time.monotonic() - begin
        return Result(
            self._name, self._kind.promise, messages, lost, twice, gaps, dict(self._faults), seconds
        )

    def _start_consumer(self) -> subprocess.Popen[bytes]:
        self._started += 1
        return self._carrier.start_consumer(self._folder / f"notes{self._started}")

    def _disturb(self) -> None:
        acts = {"consumer killed": self._kill_consumer, **self._carrier.acts}
        if self._kind.consumer.startswith("node-ipc"):
            acts["connections cut"] = self._tell_to_cut
        while not self._done.wait(self._pause):
            if not self._newest_works():
                continue
            name = self._chance.choice(list(acts))
            acts[name]()
            self._faults[name] += 1

    def _newest_works(self) -> bool:
        """Tell whether the last consumer has noted a message; a lone consumer that is killed before would never note any."""
        notes = self._folder / f"notes{self._started}"
        return self._kind.consumers > 1 or (notes.exists() and notes.stat().st_size > 0)

    def _kill_consumer(self) -> None:
        place = self._chance.randrange(len(self._consumers))
        self._consumers[place].kill()
        self._consumers[place].wait()
        self._consumers[place] = self._start_consumer()

    def _tell_to_cut(self) -> None:
        # Before a consumer has begun to write it would take the signal as its end, which is a fault too.
        [consumer] = self._consumers
        consumer.send_signal(signal.SIGUSR1)
        if consumer.poll() is not None:
            self._consumers[0] = self._start_consumer()

    def _await(self, messages: int) -> Counter[str]:
        patience = PATIENCE if self._kind.promise else LITTLE_PATIENCE
        seen: Counter[str] = Counter()
        last = time.monotonic()
        while len(seen) < messages and time.monotonic() - last < patience:
            time.sleep(0.2)
            found = self._noted()
            if found.total() > seen.total():
                last = time.monotonic()
            seen = found
        return seen

    def _noted(self) -> Counter[str]:
        seen: Counter[str] = Counter()
        for path in self._folder.glob("notes*"):
            # A line without its end is still being written.
            seen.update(path.read_text().split("\n")[:-1])
        return seen


def run(kind: str, messages: int, pause: float, seed: int) -> Result:
    """Return the result of a run."""
    with tempfile.TemporaryDirectory(prefix="carrierfaults") as folder:
        return Run(kind, Path(folder), pause, seed).carry_out(messages)
