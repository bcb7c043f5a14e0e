"""Tasks that go on in the callback that wakes them: how asyncio treats an awaitable that is not its own future."""

from __future__ import annotations

import asyncio
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any

import pytest

from nodechannel._aio.wakeup import Waiters

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Iterator

    Scenario = Callable[[Waiters, list[str]], Coroutine[Any, Any, None]]

USER: ContextVar[str] = ContextVar("USER", default="nobody")


def python_task(loop: asyncio.AbstractEventLoop, coro: Any, **more: Any) -> Any:
    return asyncio.tasks._PyTask(coro, loop=loop, **more)  # type: ignore[attr-defined]


@pytest.fixture(params=["c", "python"])
def run(request: pytest.FixtureRequest) -> Iterator[Callable[[Scenario], None]]:
    """Runs a scenario with the tasks of C, and with the tasks of Python. Afterwards no task may wait, and no error may be left."""
    errors: list[dict[str, Any]] = []
    with asyncio.Runner(debug=True) as runner:
        loop = runner.get_loop()
        loop.set_exception_handler(lambda _loop, error: errors.append(error))
        if request.param == "python":
            loop.set_task_factory(python_task)
        waiters = Waiters(loop)
        yield lambda scenario: runner.run(scenario(waiters, []))
    assert (waiters._waiting, errors) == ([], [])


def later() -> Callable[[], bool]:
    """Return a condition that is met from its second question on: the first comes when the task begins to wait."""
    answers = iter([False])
    return lambda: next(answers, True)


def in_callback(waiters: Waiters, log: list[str]) -> None:
    log.append("before")
    waiters.wake()
    log.append("after")


async def wait(waiters: Waiters, log: list[str], name: str) -> None:
    await waiters.until(later())
    log.append(name)


async def settle() -> None:
    for _ in range(3):
        await asyncio.sleep(0)


def test_a_task_goes_on_in_the_callback_and_the_others_one_turn_later(run):
    async def scenario(waiters, log):
        tasks = [asyncio.create_task(wait(waiters, log, "task")) for _ in range(3)]
        await settle()
        asyncio.get_running_loop().call_soon(in_callback, waiters, log)
        await asyncio.gather(*tasks)
        assert log == ["before", "task", "after", "task", "task"]

    run(scenario)


def test_no_task_runs_inside_another_one(run):
    async def scenario(waiters, log):
        task = asyncio.create_task(wait(waiters, log, "task"))
        await settle()
        in_callback(waiters, log)
        await task
        assert log == ["before", "after", "task"]

    run(scenario)


def test_a_task_that_waits_again_is_not_woken_twice(run):
    async def scenario(waiters, log):
        async def twice() -> None:
            await wait(waiters, log, "first")
            await wait(waiters, log, "second")

        task = asyncio.create_task(twice())
        await settle()
        loop = asyncio.get_running_loop()
        loop.call_soon(waiters.wake)
        await settle()
        assert log == ["first"]
        loop.call_soon(waiters.wake_all_soon)
        await task
        assert log == ["first", "second"]

    run(scenario)


def test_a_task_is_not_woken_before_it_is_done(run):
    async def scenario(waiters, log):
        async def patient() -> None:
            while len(log) < 2:
                await waiters.until(lambda: len(log) == 2)
            log.append("task")

        task = asyncio.create_task(patient())
        await settle()
        for word in ("one", "two", "three"):
            log.append(word)
            asyncio.get_running_loop().call_soon(waiters.wake)
            await settle()
        await task
        assert log == ["one", "two", "task", "three"]

    run(scenario)


def test_the_end_wakes_tasks_that_are_not_done(run):
    async def scenario(waiters, log):
        async def forever() -> None:
            await waiters.until(lambda: False)
            log.append("task")

        task = asyncio.create_task(forever())
        await settle()
        waiters.wake_all_soon()
        await task
        assert log == ["task"]

    run(scenario)


def test_a_task_keeps_its_context(run):
    async def scenario(waiters, log):
        async def ask() -> None:
            USER.set("task")
            await waiters.until(later())
            log.append(USER.get())

        task = asyncio.create_task(ask())
        await settle()
        USER.set("test")
        asyncio.get_running_loop().call_soon(waiters.wake)
        await task
        assert (log, USER.get()) == (["task"], "test")

    run(scenario)


def test_what_a_task_raises_is_its_own(run):
    async def scenario(waiters, log):
        async def fail() -> None:
            await waiters.until(later())
            raise LookupError("mine")

        task = asyncio.create_task(fail())
        await settle()
        asyncio.get_running_loop().call_soon(in_callback, waiters, log)
        with pytest.raises(LookupError, match="mine"):
            await task
        assert log == ["before", "after"]

    run(scenario)


@pytest.mark.parametrize("woken", [False, True], ids=["waiting", "woken"])
def test_a_cancelled_task_ends(run, woken):
    async def scenario(waiters, log):
        task = asyncio.create_task(wait(waiters, log, "task"))
        await settle()
        if woken:
            waiters.wake_all_soon()
        task.cancel("enough")
        with pytest.raises(asyncio.CancelledError, match="enough"):
            await task
        waiters.wake()
        await settle()
        assert log == []

    run(scenario)


def test_a_task_that_was_cancelled_and_goes_on_can_wait_again(run):
    async def scenario(waiters, log):
        async def stubborn() -> None:
            try:
                await waiters.until(later())
            except asyncio.CancelledError:
                await wait(waiters, log, "again")

        task = asyncio.create_task(stubborn())
        await settle()
        task.cancel()
        await settle()
        asyncio.get_running_loop().call_soon(waiters.wake)
        await task
        assert log == ["again"]

    run(scenario)


def test_waiting_in_vain_again_and_again_leaves_nothing_behind(run):
    async def scenario(waiters, log):
        for _ in range(5):
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0):
                    await waiters.until(later())

    run(scenario)
