"""Calls of functions of each kind."""

from __future__ import annotations

import asyncio
import functools
import threading
from typing import TYPE_CHECKING, Any

import pytest

from nodechannel._dialects.calls import call, is_coroutine, is_generator, refuse_bad_arguments

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


def test_bad_arguments_are_refused_before_the_call():
    refuse_bad_arguments(plain, (1,), {"b": 2})
    refuse_bad_arguments(max, (), {})  # a builtin tells nothing of its arguments
    for args, options in [((), {}), ((1, 2, 3), {}), ((1,), {"c": 1})]:
        with pytest.raises(TypeError):
            refuse_bad_arguments(plain, args, options)
