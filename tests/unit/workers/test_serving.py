"""The life of a worker process: calls, hooks, and the end. The protocol is a plain one of this file."""

from __future__ import annotations

import asyncio
import socket
import threading
from contextlib import suppress
from typing import Any

import pytest

import nodechannel.asyncio
from nodechannel._workers.protocols import Protocol
from nodechannel._workers.serving import Threads, Worker
from nodechannel.errors import ChannelClosed


class Plain(Protocol):
    """Calls the function that a message names; `last words` before the end."""

    package = "plain"

    async def begin(self) -> None:
        await self.worker.set_up("x")
        await self.worker.set_up("y")
        await self.worker.send("begun")

    async def received(self, data: Any) -> None:
        if data == "stop":
            self.worker.stop()
        elif data == "fault":
            self.worker.start(self._fail())
        else:
            self.worker.start(self._call(*data))

    async def _fail(self) -> None:
        raise KeyError("a fault of the protocol")

    async def _call(self, name: str, *args: Any) -> None:
        result, fault = await self.worker.outcome(name, args)
        await self.worker.reply(
            {"result": result, "fault": fault and fault.name}, lambda fault: {"lost": fault.name}
        )

    async def last(self) -> None:
        await self.worker.send("last words")


def talk(functions: Any, *messages: Any, answers: int, **hooks: Any) -> list[Any]:
    """Run a worker; return what it says to the messages, and then to a stop."""

    async def main() -> list[Any]:
        ours, theirs = socket.socketpair()
        worker = Worker(functions, hooks.get("setup"), hooks.get("teardown"), 2)
        channel = nodechannel.asyncio.Channel(ours, default=hooks.get("default"))
        async with nodechannel.asyncio.Channel(theirs) as pool:
            task = asyncio.create_task(worker.run(Plain(worker), channel))
            for message in messages:
                await pool.send(message)
            found = [(await pool.receive(20)).data for _ in range(answers)]
            with suppress(ChannelClosed):
                await pool.send("stop")
            found += [message.data async for message in pool]
            await asyncio.wait_for(task, 20)
            assert not worker.busy
        return found

    return asyncio.run(main())


def test_functions_are_called_by_name():
    found = talk({"double": lambda value: 2 * value}, ["double", 4], ["absent"], answers=3)
    assert found[0] == "begun"
    assert sorted(found[1:3], key=str) == [
        {"result": 8, "fault": None},
        {"result": None, "fault": "LookupError"},
    ]
    assert found[3:] == ["last words"]


def test_a_result_that_json_cannot_carry_is_told_otherwise():
    assert talk({"f": lambda: ...}, ["f"], answers=2)[1] == {"lost": "InvalidMessage"}


def test_a_result_that_the_default_of_the_user_refuses_is_told_otherwise():
    def refuse(_value: object) -> None:
        raise ZeroDivisionError

    assert talk({"f": object}, ["f"], answers=2, default=refuse)[1] == {"lost": "ZeroDivisionError"}


def test_a_fault_of_the_worker_ends_it_and_leaves_no_call_waiting():
    with pytest.raises(KeyError, match="a fault of the protocol"):
        talk({}, "fault", answers=1)


def test_a_pool_without_events_takes_no_generator():
    def items() -> Any:
        yield 1

    assert talk({"items": items}, ["items"], answers=2)[1] == {"result": None, "fault": "TypeError"}


def test_the_hooks_are_called_once_around_the_work():
    seen: list[Any] = []
    talk({}, answers=1, setup=lambda *args: seen.append(args), teardown=lambda: seen.append("down"))
    assert seen == [("x",), "down"]


def test_the_end_of_the_pool_ends_the_worker_and_cancels_coroutines():
    cancelled: list[str] = []

    async def forever() -> None:
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            cancelled.append("yes")
            raise

    async def main() -> None:
        ours, theirs = socket.socketpair()
        worker = Worker({"forever": forever}, None, None, 1)
        pool = nodechannel.asyncio.Channel(theirs)
        task = asyncio.create_task(worker.run(Plain(worker), nodechannel.asyncio.Channel(ours)))
        await pool.send(["forever"])
        await pool.receive(20)
        await asyncio.sleep(0.05)
        pool.close()
        await asyncio.wait_for(task, 20)

    asyncio.run(main())
    assert cancelled == ["yes"]


def test_threads_know_what_still_runs():
    threads, release = Threads(1, "test"), threading.Event()
    future = threads.submit(release.wait, 20)
    assert threads.running == {future}
    release.set()
    assert future.result(20) is True
    threads.shutdown()
    assert threads.running == set()


def test_an_unknown_name_is_told_with_the_known_ones():
    worker = Worker({"a": print, "b": print}, None, None, 1)
    with pytest.raises(LookupError, match="no function 'c'; this worker has a, b"):
        worker.find("c")
