"""The blocking front end alone: several threads share a channel."""

from __future__ import annotations

import socket
import sys
import threading
from contextlib import suppress
from typing import Any

import pytest

import nodechannel
from nodechannel import errors


@pytest.fixture
def ends():
    ours, theirs = socket.socketpair()
    with nodechannel.Channel(ours) as one, nodechannel.Channel(theirs) as other:
        yield one, other
        one.close()
        other.close()


def in_threads(*functions):
    """Run functions in threads; raise the first error."""
    failures = []

    def guarded(function):
        try:
            function()
        except Exception as error:
            failures.append(error)

    threads = [threading.Thread(target=guarded, args=(function,)) for function in functions]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(40)
        assert not thread.is_alive()
    if failures:
        raise failures[0]


def test_many_senders_and_one_receiver(ends):
    one, other = ends
    received: list[list[Any]] = []

    def send(name):
        for number in range(500):
            one.send([name, number, "x" * 2000])

    def receive():
        received.extend(other.receive(timeout=20).data[:2] for _ in range(4 * 500))

    in_threads(receive, *(lambda name=name: send(name) for name in range(4)))
    for name in range(4):
        assert [number for who, number in received if who == name] == list(range(500))


def test_both_directions_at_once(ends):
    def talk(end):
        for number in range(1000):
            end.send(number)

    def listen(end):
        assert [end.receive(timeout=20).data for _ in range(1000)] == list(range(1000))

    in_threads(*(lambda end=end: talk(end) for end in ends), *(lambda end=end: listen(end) for end in ends))


def test_a_message_behind_a_handle_is_written_though_another_thread_reads(ends):
    one, other = ends
    with socket.create_server(("127.0.0.1", 0)) as server:

        def reader():
            assert one.receive(timeout=20).data == "done"

        def writer():
            for number in range(50):
                one.send(number, handle=server)
                one.send("plain")
            one.flush(timeout=20)
            other.send("done")

        def peer():
            for number in range(50):
                message = other.receive(timeout=20)
                assert message.data == number
                message.handle.close()
                assert other.receive(timeout=20).data == "plain"

        in_threads(reader, writer, peer)


def test_closing_wakes_a_thread_that_receives(ends):
    one, _ = ends
    waiting = threading.Event()

    def receive():
        waiting.set()
        with pytest.raises(errors.ChannelClosed):
            one.receive()

    def close():
        waiting.wait()
        one.close()

    in_threads(receive, close)


def test_closing_wakes_a_thread_that_sends(ends):
    one, _ = ends

    def send():
        with pytest.raises(errors.ChannelClosed):
            for _ in range(1000):
                one.send("x" * 100_000)

    in_threads(send, lambda: threading.Event().wait(0.1) or one.close())


def test_several_receivers_share_the_messages(ends):
    one, other = ends
    received = []
    in_threads(
        *(lambda: received.append(other.receive(timeout=20).data) for _ in range(5)),
        lambda: [one.send(number) for number in range(5)],
    )
    assert sorted(received) == [0, 1, 2, 3, 4]


@pytest.fixture
def often():
    """Threads take turns so often that each comes between any two steps of another."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(before)


@pytest.mark.usefixtures("often")
@pytest.mark.parametrize("at_once", [False, True])
def test_each_message_is_received_by_one_of_several_threads(ends, at_once):
    one, other = ends
    received: list[int] = []

    def receive():
        with suppress(errors.ChannelClosed):
            while True:
                messages = other.receive_many() if at_once else [other.receive()]
                received.extend(message.data for message in messages)

    def send():
        for number in range(3000):
            one.send(number)
        one.disconnect()

    in_threads(*[receive] * 5, send)
    assert sorted(received) == list(range(3000))
