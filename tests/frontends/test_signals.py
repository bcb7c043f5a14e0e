"""The blocking front end alone: a signal handler that runs while a call waits."""

from __future__ import annotations

import signal
import socket
import threading

import pytest

import nodechannel


class Alarm(Exception):
    """Raised by a signal handler."""


@pytest.fixture
def pair():
    ours, theirs = socket.socketpair()
    with nodechannel.Channel(ours) as channel, theirs:
        yield channel, theirs
        channel.close()


@pytest.fixture
def on_signal():
    """Install a handler for SIGUSR1."""
    previous = []

    def install(handler):
        previous.append(signal.signal(signal.SIGUSR1, handler))

    yield install
    signal.signal(signal.SIGUSR1, previous[0])


def soon(*actions):
    """Signal this thread, and then do the rest, while it waits."""
    main = threading.get_ident()

    def act():
        threading.Event().wait(0.1)
        signal.pthread_kill(main, signal.SIGUSR1)
        for action in actions:
            threading.Event().wait(0.05)
            action()

    thread = threading.Thread(target=act)
    thread.start()
    return thread


@pytest.mark.parametrize("timeout", [None, 10])
def test_a_handler_that_returns_interrupts_nothing(pair, on_signal, timeout):
    channel, peer = pair
    calls = []
    on_signal(lambda number, frame: calls.append(number))
    thread = soon(lambda: peer.sendall(b"1\n"))
    assert channel.receive(timeout=timeout).data == 1
    thread.join()
    assert calls == [signal.SIGUSR1]


@pytest.mark.parametrize("timeout", [None, 10])
def test_a_handler_that_raises_loses_nothing(pair, on_signal, timeout):
    def handler(number, frame):
        raise Alarm

    channel, peer = pair
    on_signal(handler)
    peer.sendall(b'{"half')
    thread = soon()
    with pytest.raises(Alarm):
        channel.receive(timeout=timeout)
    thread.join()
    peer.sendall(b'":1}\n')
    assert channel.receive(timeout=5).data == {"half": 1}


def test_a_send_that_was_interrupted_in_mid_frame_goes_on_later(pair, on_signal):
    def handler(number, frame):
        raise Alarm

    channel, peer = pair
    on_signal(handler)
    text = "x" * (4 << 20)
    thread = soon()
    with pytest.raises(Alarm):
        channel.send(text)
    thread.join()
    data = bytearray()
    frame = b'"' + text.encode() + b'"\n"after"\n'

    def read():
        while len(data) < len(frame):
            data.extend(peer.recv(1 << 20))

    reader = threading.Thread(target=read)
    reader.start()
    channel.send("after")
    reader.join()
    assert bytes(data) == frame
