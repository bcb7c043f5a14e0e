"""Two ends of a conversation at one channel. The real vscode-jsonrpc is in `tests/packages`."""

from __future__ import annotations

import asyncio
import socket
import threading
from typing import TYPE_CHECKING, Any

import pytest

import nodechannel.asyncio
from nodechannel._rpc import wire
from nodechannel._rpc.peer import Peer, take_options
from nodechannel._rpc.wire import RequestCancelled, RpcError
from nodechannel.errors import ChannelClosed

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable


def run(scenario: Callable[[Peer, Peer], Awaitable[None]], **options: Any) -> None:
    async def main() -> None:
        ours, theirs = socket.socketpair()
        one = Peer(nodechannel.asyncio.Channel(ours))
        other = Peer(nodechannel.asyncio.Channel(theirs), **options)
        try:
            other.start()
            await asyncio.wait_for(scenario(one, other), 30)
        finally:
            await one.close()
            await other.close()

    asyncio.run(main())


def test_parameters_reach_the_function_by_name_by_position_or_as_a_dictionary():
    async def scenario(one: Peer, other: Peer) -> None:
        @other.method()
        def add(a: int, b: int = 0) -> int:
            return a + b

        @other.method("text/open")
        async def open_(document: Any) -> Any:
            return document

        assert await one.request("add", {"a": 1, "b": 2}) == 3
        assert await one.request("add", [1]) == 1
        assert await one.remote.add(4, 5) == 9
        assert await one.remote["text/open"](uri="x", version=1) == {"uri": "x", "version": 1}
        for bad in ([], {"c": 1}, [1, 2, 3]):
            with pytest.raises(RpcError) as caught:
                await one.request("add", bad)
            assert caught.value.number == wire.INVALID_PARAMS

    run(scenario)


def test_errors_come_back_with_their_number():
    async def scenario(one: Peer, other: Peer) -> None:
        @other.method()
        def fails() -> None:
            raise ValueError("no")

        @other.method()
        def refuses() -> None:
            raise RpcError(4711, "because", [1])

        for name, number, message in [
            ("absent", wire.METHOD_NOT_FOUND, "absent"), ("fails", wire.INTERNAL_ERROR, "no"), ("refuses", 4711, "because")
        ]:  # fmt: skip
            with pytest.raises(RpcError, match=message) as caught:
                await one.request(name)
            assert caught.value.number == number

    run(scenario)


def test_a_cancelled_request_cancels_its_coroutine():
    async def scenario(one: Peer, other: Peer) -> None:
        cancelled = asyncio.Event()

        @other.method()
        async def wait() -> None:
            try:
                await asyncio.sleep(60)
            except asyncio.CancelledError:
                cancelled.set()
                raise

        with pytest.raises(TimeoutError):
            await one.request("wait", timeout=0.05)
        await cancelled.wait()

    run(scenario)


def test_progress_goes_to_the_one_that_asked():
    async def scenario(one: Peer, other: Peer) -> None:
        @other.method()
        async def work(_params: Any, *, progress: Callable[[Any], None]) -> str:
            for number in range(3):
                progress(number)
            return "done"

        seen: list[Any] = []
        assert await one.request("work", {}, on_progress=seen.append) == "done"
        assert seen == [0, 1, 2]

    run(scenario)


def test_notifications_are_taken_in_order_and_a_bad_one_harms_nothing():
    async def scenario(one: Peer, other: Peer) -> None:
        seen: list[int] = []

        @other.method()
        async def note(n: int) -> None:
            await asyncio.sleep(0.01 / (n + 1))
            seen.append(n)

        await one.notify("absent")
        for number in range(3):
            await one.notify("note", [number])
        while len(seen) < 3:
            await asyncio.sleep(0.005)
        assert seen == [0, 1, 2]

    run(scenario)


def test_too_many_requests_are_refused():
    async def scenario(one: Peer, other: Peer) -> None:
        release = asyncio.Event()

        @other.method()
        async def wait() -> str:
            await release.wait()
            return "done"

        tasks = [asyncio.create_task(one.request("wait")) for _ in range(3)]
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        (refused,) = done
        error = refused.exception()
        assert isinstance(error, RpcError)
        assert error.number == wire.TOO_MANY_REQUESTS
        release.set()
        assert sorted([await task for task in tasks if task is not refused]) == ["done", "done"]

    run(scenario, max_running=1, max_waiting=1)


def test_a_plain_function_can_run_in_a_thread():
    async def scenario(one: Peer, other: Peer) -> None:
        @other.method(threaded=True)
        def where() -> bool:
            return threading.current_thread() is threading.main_thread()

        @other.method(threaded=False)
        def here() -> bool:
            return threading.current_thread() is threading.main_thread()

        assert [await one.request("where"), await one.request("here")] == [False, True]

    run(scenario)


def test_the_end_of_the_channel_ends_requests():
    async def scenario(one: Peer, other: Peer) -> None:
        @other.method()
        async def wait() -> None:
            await asyncio.sleep(60)

        task = asyncio.create_task(one.request("wait"))
        await asyncio.sleep(0.02)
        other.channel.close()
        with pytest.raises(ChannelClosed):
            await task
        await one.wait_closed()

    run(scenario)


def test_a_request_that_the_other_side_cancelled_is_told_as_such():
    async def scenario(one: Peer, other: Peer) -> None:
        @other.method()
        async def wait() -> None:
            raise RequestCancelled

        with pytest.raises(RequestCancelled):
            await one.request("wait")

    run(scenario)


class Odd(BaseException):
    """An exception that is no `Exception`."""


@pytest.mark.parametrize("threaded", [False, True])
@pytest.mark.parametrize("error", [Odd, StopIteration, asyncio.CancelledError])
def test_an_exception_of_any_kind_is_answered(error, threaded):
    async def scenario(one: Peer, other: Peer) -> None:
        @other.method()
        def plain() -> None:
            raise error

        @other.method()
        async def in_the_loop() -> None:
            raise error

        for name in ("plain", "in_the_loop"):
            with pytest.raises(RpcError):
                await one.request(name, timeout=20)

    run(scenario, threaded=threaded)


def test_a_listener_that_fails_and_odd_ids_do_not_end_the_conversation():
    async def scenario(one: Peer, other: Peer) -> None:
        failed: list[Any] = []
        asyncio.get_running_loop().set_exception_handler(
            lambda _loop, context: failed.append(context["exception"])
        )

        def refuse(_report: Any) -> None:
            raise ValueError("this listener fails")

        @other.method()
        async def work(_params: Any, *, progress: Callable[[Any], None]) -> str:
            progress(1)
            return "done"

        assert await one.request("work", {}, on_progress=refuse, timeout=20) == "done"
        assert [str(error) for error in failed] == ["this listener fails"]
        odd: Any
        for odd in ([], {}, [[1]], True):
            for message in (
                {"method": "$/cancelRequest", "params": {"id": odd}},
                {"method": "work", "id": odd},
                {"id": odd, "result": 1},
                {"method": "$/progress", "params": {"token": odd, "value": 1}},
            ):
                await one.channel.send({"jsonrpc": "2.0", **message})
        assert await one.request("work", {}, timeout=20) == "done"

    run(scenario)


def test_an_answer_that_cannot_be_written_is_an_error_whatever_raises_it():
    def refuse(_value: object) -> Any:
        raise KeyError("default fails")

    async def main() -> None:
        ours, theirs = socket.socketpair()
        async with (
            Peer(nodechannel.asyncio.Channel(ours)) as one,
            Peer(nodechannel.asyncio.Channel(theirs, default=refuse)) as other,
        ):
            other.method("odd")(object)
            with pytest.raises(RpcError, match="default fails"):
                await one.request("odd", timeout=20)

    asyncio.run(main())


def test_parameters_that_do_not_fit_are_told_in_short():
    async def scenario(one: Peer, other: Peer) -> None:
        other.method("none")(lambda: None)
        deep: list[Any] = []
        for _ in range(5000):
            deep = [deep]
        for params in (deep, ["x" * 1_000_000]):
            with pytest.raises(RpcError, match="does not take") as caught:
                await one.request("none", params, timeout=20)
            assert len(caught.value.message) < 300

    run(scenario)


def test_options_of_the_conversation_are_taken_out():
    options = {"threaded": True, "cwd": "/", "max_running": 3}
    assert take_options(options) == {"max_running": 3, "threaded": True}
    assert options == {"cwd": "/"}
