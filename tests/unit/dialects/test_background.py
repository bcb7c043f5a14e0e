"""An event loop in a thread of its own."""

from __future__ import annotations

import asyncio
import threading

import pytest

from nodechannel._dialects.background import Background
from nodechannel.errors import ChannelClosed


@pytest.fixture
def background():
    made = Background("test")
    yield made
    made.close()


def test_work_runs_in_the_thread_and_its_result_comes_back(background):
    async def work() -> str:
        await asyncio.sleep(0)
        return threading.current_thread().name

    assert background.wait(work()) == "test"
    assert background.call(threading.current_thread).name == "test"


def test_an_exception_comes_back(background):
    async def work() -> None:
        raise ValueError("x")

    with pytest.raises(ValueError, match="x"):
        background.wait(work())


def test_a_blocking_call_in_the_thread_itself_is_an_error(background):
    def inner() -> None:
        background.call(bool)

    with pytest.raises(RuntimeError, match="use the asyncio front end"):
        background.call(inner)


@pytest.mark.parametrize("error", [SystemExit, KeyboardInterrupt])
def test_a_task_that_wants_to_end_the_program_does_not_end_the_thread(background, error):
    async def work() -> None:
        raise error

    with pytest.raises(error):
        background.start(work()).result(20)

    async def other() -> int:
        return 1

    assert background.start(other()).result(20) == 1


def test_the_end_cancels_what_runs():
    background = Background("ends")
    ended: list[str] = []
    running = threading.Event()

    async def work() -> None:
        try:
            running.set()
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            ended.append("cancelled")
            raise

    future = background.start(work())
    assert running.wait(20)
    background.close()
    background.close()
    with pytest.raises(ChannelClosed):
        background.call(bool)
    assert (ended, future.cancelled()) == (["cancelled"], True)
    assert not any(thread.name == "ends" for thread in threading.enumerate())
