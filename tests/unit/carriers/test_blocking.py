"""The words of receiving for blocking front ends, over an event loop in a thread."""

from __future__ import annotations

import pickle
import threading
import time
from typing import Any

import pytest

from nodechannel import errors
from nodechannel._carriers.blocking import Closing, Receiver
from nodechannel._carriers.inbox import Inbox


class Front(Receiver[int]):
    def __init__(self) -> None:
        super().__init__("test")

        async def make() -> Inbox[int]:
            return Inbox()

        self.inbox: Inbox[int] = self._start(make())

    @property
    def _inbox(self) -> Inbox[int]:
        return self.inbox

    def put(self, *items: Any) -> None:
        self._background.call(self.inbox.put, items)

    def close(self) -> None:
        self._background.call(self.inbox.end)
        self._background.close()


def test_threads_take_each_item_once():
    front = Front()
    found: list[int] = []

    def take() -> None:
        for item in front:
            found.append(item)  # noqa: PERF402 (`extend` of several threads loses items)

    threads = [threading.Thread(target=take) for _ in range(3)]
    for thread in threads:
        thread.start()
    for number in range(300):
        front.put(number)
    while len(found) < 300:
        time.sleep(0.001)
    front.close()
    for thread in threads:
        thread.join()
    assert sorted(found) == list(range(300))


def test_the_words():
    front = Front()
    with pytest.raises(TimeoutError):
        front.receive(timeout=0)
    front.put(1, 2, errors.InvalidJson("odd", b"x"), 3)
    assert (front.pending, front.receive(), front.receive_many()) == (4, 1, [2])
    with pytest.raises(errors.InvalidJson):
        front.receive()
    with pytest.raises(TypeError, match="belongs to one process"):
        pickle.dumps(front)
    front.close()
    assert list(front) == [3]
    with pytest.raises(errors.ChannelClosed):
        front.receive()


def test_a_start_that_fails_leaves_no_thread():
    async def fail() -> None:
        raise OSError("odd")

    before = threading.active_count()
    with pytest.raises(OSError, match="odd"):
        Closing("test", fail())
    assert threading.active_count() == before
