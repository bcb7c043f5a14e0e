"""Two blocking ends of a conversation at one channel."""

from __future__ import annotations

import socket
import sys
import threading
from typing import Any

import pytest

import nodechannel.asyncio
from nodechannel._rpc import peer as aio
from nodechannel._rpc.blocking import Peer
from nodechannel._rpc.wire import RpcError


async def over(sock: socket.socket) -> aio.Peer:
    return aio.Peer(nodechannel.asyncio.Channel(sock), threaded=True)


@pytest.fixture
def pair():
    one, other = [Peer(over(sock)) for sock in socket.socketpair()]
    yield one, other
    one.close()
    other.close()


def test_a_method_runs_in_a_thread_and_may_ask_back(pair):
    one, other = pair

    @one.method()
    def name() -> str:
        return "one"

    @other.method()
    def greet(word: str) -> list[Any]:
        return [
            word,
            other.request("name", timeout=20),
            threading.current_thread() is threading.main_thread(),
        ]

    other.start()
    assert one.request("greet", ["hello"], timeout=20) == ["hello", "one", False]
    assert one.remote.greet("hi") == ["hi", "one", False]


def test_errors_and_limits_of_time_are_raised_here(pair):
    one, other = pair
    release = threading.Event()

    @other.method()
    def wait() -> None:
        release.wait(20)

    other.start()
    with pytest.raises(RpcError, match="absent"):
        one.request("absent", timeout=20)
    with pytest.raises(TimeoutError):
        one.request("wait", timeout=0.05)
    release.set()


def test_a_notification_and_progress(pair):
    one, other = pair
    told = threading.Event()

    @other.method()
    def note() -> None:
        told.set()

    @other.method()
    def work(_params: Any, *, progress: Any) -> str:
        progress(1)
        return "done"

    other.start()
    one.notify("note")
    assert told.wait(20)
    seen: list[Any] = []
    assert one.request("work", {}, on_progress=seen.append, timeout=20) == "done"
    assert seen == [1]


@pytest.mark.parametrize("threaded", [False, True])
def test_a_method_that_wants_to_end_the_program_is_answered_and_the_others_go_on(pair, threaded):
    one, other = pair
    other.method("plain", threaded=threaded)(sys.exit)

    @other.method()
    async def in_the_loop() -> None:
        sys.exit("enough")

    other.start()
    with pytest.raises(RpcError, match="SystemExit: enough"):
        one.request("plain", ["enough"], timeout=20)
    with pytest.raises(RpcError, match="SystemExit: enough"):
        one.request("in_the_loop", timeout=20)
    with pytest.raises(RpcError, match="no method"):
        one.request("absent", timeout=20)


def test_the_end_of_one_side_ends_the_other(pair):
    one, other = pair
    with one:
        one.notify("x")
    other.wait_closed()
    one.close()


def test_what_fails_at_the_start_leaves_no_thread():
    async def fails() -> aio.Peer:
        raise ValueError("x")

    with pytest.raises(ValueError, match="x"):
        Peer(fails())
    assert not [thread for thread in threading.enumerate() if thread.name == "nodechannel.rpc"]
