"""The blocking `App` at a real channel; the test stands for PM2's daemon. The real daemon is in `tests/packages`."""

from __future__ import annotations

import resource
import signal
import socket
import sys
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest

import nodechannel
from nodechannel._pm2.blocking import App
from nodechannel._pm2.messages import UnsafeForPM2

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def no_free_descriptor() -> Iterator[None]:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (0, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


@pytest.fixture
def pair():
    ours, theirs = socket.socketpair()
    app, daemon = App(nodechannel.Channel(ours)), nodechannel.Channel(theirs)
    assert daemon.receive(20).data["node_version"].startswith("Python")
    yield app, daemon
    app.close()
    daemon.close()


def test_the_words_of_the_program(pair):
    app, daemon = pair
    app.ready()
    app.event("n", a=1)
    app.publish("t", 5)
    app.send("x")
    with pytest.raises(UnsafeForPM2):
        app.send(None)
    found = [daemon.receive(20).data for _ in range(4)]
    assert found[0] == "ready"
    assert found[1]["data"] == {"a": 1, "__name": "n"}
    assert found[2:] == [{"type": "t", "data": 5}, "x"]


def test_an_action_is_called_in_a_thread_of_its_own(pair):
    app, daemon = pair
    threads = []

    @app.action("double")
    def double(value: int) -> int:
        threads.append(threading.current_thread())
        return 2 * value

    assert daemon.receive(20).data["type"] == "axm:action"
    daemon.send({"msg": "double", "opts": 21})
    assert daemon.receive(20).data["data"]["return"] == 42
    assert threads[0] is not threading.main_thread()


def test_messages_are_iterated_until_the_shutdown(pair):
    app, daemon = pair
    called = threading.Event()
    app.on_shutdown(called.set)
    daemon.send("for the program")
    daemon.send("shutdown")
    assert [message.data for message in app] == ["for the program"]
    app.wait()
    assert called.wait(20)
    assert app.stopping


def test_a_signal_ends_the_iteration_and_the_handlers_come_back(pair):
    app, _ = pair
    before = signal.getsignal(signal.SIGTERM)
    with app:
        assert signal.getsignal(signal.SIGTERM) != before
        signal.raise_signal(signal.SIGTERM)
        assert list(app) == []
    assert signal.getsignal(signal.SIGTERM) == before


def test_a_callback_that_fails_does_not_keep_the_program_from_its_end(pair, monkeypatch):
    app, daemon = pair
    failed: list[Any] = []
    monkeypatch.setattr(threading, "excepthook", failed.append)
    called = threading.Event()
    app.on_shutdown(lambda: 1 // 0)
    app.on_shutdown(called.set)
    daemon.send("shutdown")
    app.wait()
    assert called.is_set()
    assert [found.exc_type for found in failed] == [ZeroDivisionError]


def test_a_topic_may_be_a_coroutine_and_may_fail(pair, monkeypatch):
    app, daemon = pair
    failed: list[Any] = []
    monkeypatch.setattr(threading, "excepthook", failed.append)

    @app.topic("bad")
    def bad(data: int) -> None:
        raise ValueError(data)

    @app.topic("good")
    async def good(data: int) -> None:
        app.send(["got", data])

    daemon.send({"topic": "bad", "data": 1})
    daemon.send({"topic": "good", "data": 2})
    assert daemon.receive(20).data == ["got", 2]
    app.close()
    assert [found.exc_type for found in failed] == [ValueError]


@pytest.mark.parametrize("kind", ["plain", "coroutine"])
def test_an_action_that_wants_to_end_the_program_is_replied(pair, kind):
    app, daemon = pair

    async def coroutine() -> None:
        sys.exit("enough")

    app.action("quit")(coroutine if kind == "coroutine" else lambda: sys.exit("enough"))
    daemon.receive(20)
    for _ in range(2):
        daemon.send("quit")
        assert daemon.receive(20).data["data"]["return"]["error"] == "enough"


def test_an_action_needs_no_new_descriptor(pair):
    app, daemon = pair
    app.action("add")(lambda: 5)
    daemon.receive(20)
    with no_free_descriptor():
        daemon.send("add")
        assert daemon.receive(20).data["data"]["return"] == 5


def test_the_end_of_the_daemon_ends_the_program(pair):
    app, daemon = pair
    daemon.close()
    app.wait()
