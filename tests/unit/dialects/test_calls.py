"""Calls of functions of each kind."""

from __future__ import annotations

import asyncio
import functools
import threading
from typing import TYPE_CHECKING, Any

import pytest

from nodechannel._dialects.calls import call, is_coroutine, is_generator, refuse_bad_arguments
from nodechannel._dialects.faults import describe

if TYPE_CHECKING:
    from collections.abc import Callable


def plain(a: int, b: int = 2) -> list[Any]:
    return [a, b, threading.current_thread() is threading.main_thread()]


async def coroutine(a: int) -> list[Any]:
    return [a, threading.current_thread() is threading.main_thread()]


def generator(n: int) -> Any:
    yield from range(n)
    return "end"


async def agenerator(n: int) -> Any:
    for number in range(n):
        yield number


@functools.wraps(generator)
def wrapped(*args: int) -> Any:
    return generator(*args)


def test_the_kind_is_seen_through_decorators():
    functions: list[Callable[..., Any]] = [plain, coroutine, generator, agenerator, wrapped]
    assert [is_generator(f) for f in functions] == [False, False, True, True, True]
    assert [is_coroutine(f) for f in functions] == [False, True, False, True, False]


def test_a_plain_function_runs_in_a_thread_and_a_coroutine_in_the_loop():
    async def scenario() -> tuple[Any, Any]:
        return await call(plain, 1, emit=print, b=3), await call(coroutine, 4, emit=print)

    assert asyncio.run(scenario()) == ([1, 3, False], [4, True])


@pytest.mark.parametrize(
    ("function", "result"),
    [(generator, "end"), (agenerator, None), (wrapped, "end")],
    ids=lambda v: str(v)[:12],
)
def test_items_are_emitted_one_by_one(function, result):
    items: list[int] = []

    async def emit(item: int) -> None:
        await asyncio.sleep(0)
        items.append(item)

    assert asyncio.run(call(function, 3, emit=emit)) == result
    assert items == [0, 1, 2]


def test_a_cancelled_generator_is_closed():
    closed = threading.Event()

    def endless() -> Any:
        try:
            while True:
                yield 1
        finally:
            closed.set()

    async def scenario() -> None:
        begun = asyncio.Event()

        async def emit(_item: int) -> None:
            begun.set()
            await asyncio.sleep(60)

        task = asyncio.create_task(call(endless, emit=emit))
        await begun.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert await asyncio.to_thread(closed.wait, 20)

    asyncio.run(scenario())


class Odd(BaseException):
    """An exception that is no `Exception`, as libraries have them for limits of time."""


class CallableObject:
    """An object that is called like a coroutine function."""

    async def __call__(self) -> bool:
        return threading.current_thread() is threading.main_thread()


def raises(error: type[BaseException]) -> list[Callable[..., Any]]:
    """Return a function of each kind that raises an exception."""

    def function() -> None:
        raise error

    async def in_the_loop() -> None:
        raise error

    async def items() -> Any:
        yield 1
        raise error

    return [function, in_the_loop, items]


@pytest.mark.parametrize("error", [Odd, asyncio.CancelledError])
def test_an_exception_of_any_kind_ends_the_call(error):
    async def scenario(function: Callable[..., Any]) -> str:
        try:
            await asyncio.wait_for(call(function, emit=bool), 20)
        except Exception as caught:
            return describe(caught).name
        return "nothing"

    for function in raises(error):
        assert asyncio.run(scenario(function)) == error.__name__


@pytest.mark.parametrize("error", [StopIteration, SystemExit, KeyboardInterrupt])
def test_an_exception_that_no_future_takes_ends_the_call_of_a_thread(error):
    async def scenario() -> str:
        with pytest.raises(Exception) as caught:  # noqa: PT011 (the carrier is not the matter)
            await asyncio.wait_for(call(raises(error)[0], emit=bool), 20)
        return describe(caught.value).name

    assert asyncio.run(scenario()) == error.__name__


def test_an_object_with_a_coroutine_method_is_called_in_the_loop():
    assert is_coroutine(CallableObject())
    assert not is_coroutine(functools.partial(plain, 1))
    assert asyncio.run(call(CallableObject(), emit=bool)) is True


@pytest.mark.parametrize("kind", ["plain", "async"])
def test_a_generator_whose_item_is_refused_is_closed_before_the_call_ends(kind):
    closed: list[bool] = []

    def items() -> Any:
        try:
            yield 1
        finally:
            closed.append(threading.current_thread() is threading.main_thread())

    async def aitems() -> Any:
        try:
            yield 1
        finally:
            closed.append(threading.current_thread() is threading.main_thread())

    def refuse(_item: int) -> None:
        raise ValueError("no such item")

    async def scenario() -> None:
        with pytest.raises(ValueError, match="no such item") as caught:
            await call(items if kind == "plain" else aitems, emit=refuse)
        assert closed == [kind == "async"]
        assert caught.value.__traceback__ is not None

    asyncio.run(scenario())


def test_a_generator_is_closed_after_the_step_that_was_given_up():
    go_on, closed = threading.Event(), threading.Event()
    begun = threading.Event()

    def slow() -> Any:
        try:
            begun.set()
            go_on.wait(20)
            yield 1
        finally:
            closed.set()

    async def scenario() -> None:
        task = asyncio.create_task(call(slow, emit=bool))
        await asyncio.to_thread(begun.wait, 20)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        go_on.set()
        assert await asyncio.to_thread(closed.wait, 20)

    asyncio.run(scenario())


def test_bad_arguments_are_refused_before_the_call():
    refuse_bad_arguments(plain, (1,), {"b": 2})
    refuse_bad_arguments(max, (), {})  # a builtin tells nothing of its arguments
    for args, options in [((), {}), ((1, 2, 3), {}), ((1,), {"c": 1})]:
        with pytest.raises(TypeError):
            refuse_bad_arguments(plain, args, options)
