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


def test_a_thread_that_waits_learns_of_the_end():
    """The cancellation is the work of the thread that closes, and no word of the one that waits."""
    background = Background("ends")
    began = threading.Event()
    found: list[BaseException] = []

    async def work() -> None:
        began.set()
        await asyncio.sleep(60)

    def wait() -> None:
        try:
            background.wait(work())
        except Exception as error:
            found.append(error)

    thread = threading.Thread(target=wait)
    thread.start()
    assert began.wait(20)
    background.close()
    thread.join(20)
    assert [type(error) for error in found] == [ChannelClosed]


def test_work_that_is_begun_amid_the_end_waits_for_no_loop():
    """Each call has a result or is refused: none is left in a loop that has stopped."""
    for _ in range(20):
        background = Background("ends")
        begun = threading.Barrier(5)

        def work(background: Background = background, begun: threading.Barrier = begun) -> None:
            begun.wait(20)
            while True:
                try:
                    background.call(bool)
                except ChannelClosed:
                    return

        threads = [threading.Thread(target=work) for _ in range(4)]
        for thread in threads:
            thread.start()
        begun.wait(20)
        background.close()
        for thread in threads:
            thread.join(20)
            assert not thread.is_alive()


def test_the_end_within_the_thread_is_an_error(background):
    async def last() -> None: ...

    with pytest.raises(RuntimeError, match="use the asyncio front end"):
        background.call(background.close)
    with pytest.raises(RuntimeError, match="use the asyncio front end"):
        background.call(lambda: background.close(last()))


def test_many_threads_may_end_it():
    for _ in range(20):
        background = Background("ends")
        done: list[int] = []

        async def last(done: list[int] = done) -> None:
            done.append(1)

        threads = [threading.Thread(target=lambda b=background, work=last: b.close(work())) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(20)
            assert not thread.is_alive()
        assert done
