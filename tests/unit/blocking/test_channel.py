"""The blocking front end beside the suite of both: threads, polls, signals."""

from __future__ import annotations

import pickle
import select
import signal
import socket
import threading

import pytest

from nodechannel._blocking.channel import Channel


@pytest.fixture
def ends():
    near, far = socket.socketpair()
    with Channel(near) as one, Channel(far) as other:
        yield one, other


def test_threads_take_each_message_once(ends):
    one, other = ends
    found: list[int] = []

    def take() -> None:
        for message in other:
            found.append(message.data)  # noqa: PERF401 (`extend` of several threads loses items)

    threads = [threading.Thread(target=take) for _ in range(3)]
    for thread in threads:
        thread.start()
    one.send_many(range(300))
    one.disconnect()
    for thread in threads:
        thread.join(20)
    assert sorted(found) == list(range(300))


def test_a_selector_sees_what_was_read_ahead(ends):
    one, other = ends
    assert not select.select([other.fileno()], [], [], 0)[0]
    one.send_many([1, 2])
    assert other.receive(20).data == 1
    assert other.pending == 1
    assert select.select([other.fileno()], [], [], 20)[0]
    assert other.receive(0).data == 2


def test_a_signal_handler_that_raises_costs_no_message(ends):
    one, other = ends

    def interrupt(_number: int, _frame: object) -> None:
        one.send("from the handler")
        raise KeyError

    previous = signal.signal(signal.SIGUSR1, interrupt)
    try:
        timer = threading.Timer(0.05, signal.raise_signal, [signal.SIGUSR1])
        timer.start()
        with pytest.raises(KeyError):
            other.receive(20)
        timer.join()
    finally:
        signal.signal(signal.SIGUSR1, previous)
    assert other.receive(20).data == "from the handler"


def test_it_belongs_to_one_process(ends):
    one, _ = ends
    with pytest.raises(TypeError, match="cannot be copied or pickled"):
        pickle.dumps(one)
    one.close()
    one.close()
    assert one.fileno() == -1
