"""The pump between a connection and its transport. Interruptions at each line are in `tests/frontends/test_interruption.py`."""

from __future__ import annotations

import socket
import threading
import time

import pytest

from nodechannel._blocking.pump import Intent, Pump, Sleeper
from nodechannel._core.connection import Connection
from nodechannel._core.delivery import WRITTEN_AT_ONCE, Delivery, DeliveryState
from nodechannel._json.serialization import JsonSerialization
from nodechannel._transport.unix import UnixTransport
from nodechannel.errors import ChannelClosed, ReentrantCall


@pytest.fixture
def pair():
    ours, theirs = socket.socketpair()
    theirs.settimeout(20)
    pump = Pump(Connection(JsonSerialization()), UnixTransport(ours))
    yield pump, theirs
    pump.close()
    theirs.close()


def test_a_frame_with_nothing_before_it_leaves_at_once(pair):
    pump, peer = pair
    assert pump.send(b"1\n") is WRITTEN_AT_ONCE
    assert peer.recv(10) == b"1\n"


def test_what_the_kernel_does_not_take_is_written_while_a_call_waits(pair):
    pump, peer = pair
    data = b'"' + b"x" * 2_000_000 + b'"\n'
    delivery = pump.send(data)
    assert delivery.state is DeliveryState.QUEUED
    found: list[bytes] = []

    def read() -> None:
        while sum(map(len, found)) < len(data):
            found.append(peer.recv(1 << 20))

    reader = threading.Thread(target=read)
    reader.start()
    assert pump.wait(lambda: delivery.state is DeliveryState.WRITTEN, time.monotonic() + 20)
    reader.join()
    assert b"".join(found) == data


def test_a_wait_ends_with_what_arrives_or_with_its_limit(pair):
    pump, peer = pair
    began = time.monotonic()
    assert not pump.wait(pump.connection.arrived, began + 0.05)
    assert 0.04 < time.monotonic() - began < 5
    threading.Timer(0.05, peer.sendall, (b"5\n",)).start()
    assert pump.wait(pump.connection.arrived, time.monotonic() + 20)
    assert pump.connection.events.popleft().data == 5


def test_with_no_time_at_all_what_is_there_is_taken(pair):
    pump, peer = pair
    peer.sendall(b"5\n")
    assert pump.wait(pump.connection.arrived, time.monotonic())


def test_another_thread_wakes_those_that_wait(pair):
    pump, _ = pair
    results: list[bool] = []
    stopped = lambda: pump.connection.stopped  # noqa: E731
    waiting = threading.Thread(
        target=lambda: results.append(pump.wait(stopped, time.monotonic() + 20, also=()))
    )
    waiting.start()
    while not pump._sleepers:
        time.sleep(0.001)
    pump.connection.stop()
    pump.rouse()
    waiting.join(10)
    assert results == [True]


def test_an_error_of_an_action_reaches_its_caller_and_changes_nothing(pair):
    pump, peer = pair
    peer.close()
    pump.wait(lambda: pump.connection.closed, time.monotonic() + 20)
    with pytest.raises(ChannelClosed):
        pump.send(b"1\n")
    assert not pump.intents


def test_a_call_within_a_call_does_not_wait(pair):
    pump, _ = pair
    with pump.lock:
        assert pump.entered
        with pytest.raises(ReentrantCall):
            pump.wait(lambda: False, None)
        assert pump.wait(lambda: True, None)
        assert not pump.act(bool), "the frame beneath is to do it"
    pump.carry_out()
    assert not pump.entered
    assert not pump.intents


def test_the_end_closes_the_transport_and_tells(pair):
    pump, _ = pair
    ended: list[int] = []
    pump.ended = lambda: ended.append(1)
    pump.close()
    pump.close()
    assert (ended, pump.transport.fileno()) == ([1], -1)


def test_a_thread_on_the_descriptor_closes_it_as_the_last(pair):
    pump, _ = pair
    results: list[bool] = []
    waiting = threading.Thread(target=lambda: results.append(pump.wait(lambda: pump.connection.closed, None)))
    waiting.start()
    while not any(sleeper.on_descriptor for sleeper in pump._sleepers.values()):
        time.sleep(0.001)
    pump.close()
    waiting.join(10)
    assert (results, pump.transport.fileno()) == ([True], -1)


def test_an_intent_that_fails_abandons_its_delivery():
    delivery = Delivery()
    intent = Intent(bool, delivery)
    intent.fail(ChannelClosed("send"))
    assert (intent.done, delivery.state) == (True, DeliveryState.ABANDONED)
    assert isinstance(intent.failure, ChannelClosed)


def test_a_bell_that_rang_before_the_sleep_ends_it():
    sleeper = Sleeper()
    for pipe in (False, True):
        if pipe:
            sleeper.open_pipe()
        sleeper.clear()
        sleeper.ring()
        sleeper.ring()
        began = time.monotonic()
        if not pipe:
            sleeper.sleep(20)
        assert time.monotonic() - began < 10
        sleeper.clear()
    sleeper.close_pipe()
    sleeper.ring()
