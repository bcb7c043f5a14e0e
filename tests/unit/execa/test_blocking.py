"""Two blocking ends at one channel. The real execa is in `tests/packages`."""

from __future__ import annotations

import signal
import socket
import threading
import time

import pytest

import nodechannel.asyncio
from nodechannel._execa import aio
from nodechannel._execa.blocking import Ipc
from nodechannel._execa.exchange import CANCEL, Cancelled
from nodechannel.errors import ChannelClosed


async def over(sock: socket.socket) -> aio.Ipc:
    return aio.Ipc(nodechannel.asyncio.Channel(sock))


@pytest.fixture
def pair():
    one, other = [Ipc(over(sock)) for sock in socket.socketpair()]
    yield one, other
    one.close()
    other.close()


def test_a_strict_message_is_acknowledged_by_a_listener(pair):
    one, other = pair
    found: list[object] = []
    thread = threading.Thread(target=lambda: found.append(other.get_one_message(timeout=20)))
    thread.start()
    while not other._ipc._exchange.listeners:
        time.sleep(0.001)
    one.send_message("x", strict=True, timeout=20)
    thread.join()
    assert found == ["x"]


def test_messages_are_iterated_until_the_end(pair):
    one, other = pair
    for number in range(3):
        one.send_message(number)
    messages = other.get_each_message()
    assert [next(messages), next(messages)] == [0, 1]
    one.close()
    assert list(messages) == [2]
    with pytest.raises(ChannelClosed):
        other.get_one_message(timeout=20)


def test_a_cancel_interrupts_the_main_thread(pair):
    one, other = pair
    with pytest.raises(Cancelled, match="why"), other.graceful_cancel():
        one.send_message({"type": CANCEL, "message": "why"})
        time.sleep(30)


def test_a_cancel_at_the_end_of_the_block_interrupts_nothing_behind_it(pair, monkeypatch):
    one, other = pair
    begun = threading.Event()
    kill = signal.pthread_kill

    def kill_late(thread: int, number: int) -> None:
        begun.set()
        time.sleep(0.05)
        kill(thread, number)

    monkeypatch.setattr(signal, "pthread_kill", kill_late)
    before = signal.getsignal(signal.SIGINT)
    try:
        with other.graceful_cancel():
            one.send_message({"type": CANCEL, "message": "late"})
            assert begun.wait(20)
        time.sleep(0.1)
    except KeyboardInterrupt:
        pytest.fail("the signal came behind the block")
    assert signal.getsignal(signal.SIGINT) is before


def test_a_generator_outlives_its_conversation_and_calls_are_refused(pair):
    one, other = pair
    one.send_message(1)
    messages = other.get_each_message()
    assert next(messages) == 1
    other.close()
    assert list(messages) == []
    messages.close()
    for use in (lambda: other.send_message(1), other.get_one_message):
        with pytest.raises(ChannelClosed):
            use()


def test_another_thread_cannot_be_interrupted(pair):
    errors: list[BaseException] = []

    def work() -> None:
        try:
            with pair[0].graceful_cancel():
                pass
        except RuntimeError as error:
            errors.append(error)

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert "only the main thread" in str(errors[0])


def test_what_fails_at_the_start_leaves_no_thread():
    async def fails() -> aio.Ipc:
        raise ValueError("x")

    with pytest.raises(ValueError, match="x"):
        Ipc(fails())
    assert not [thread for thread in threading.enumerate() if thread.name == "nodechannel.execa"]
