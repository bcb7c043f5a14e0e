"""Calls of registered functions: plain functions in a thread, coroutine functions in the event loop, generators item by item."""

from __future__ import annotations

import asyncio
import functools
import inspect
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from concurrent.futures import Executor

    Emit = Callable[[Any], Any]

_END = object()


def is_generator(function: Callable[..., Any]) -> bool:
    """Tell whether a function makes a generator, plain or asynchronous."""
    function = inspect.unwrap(function)
    return inspect.isgeneratorfunction(function) or inspect.isasyncgenfunction(function)


def is_coroutine(function: Callable[..., Any]) -> bool:
    """Tell whether a function has to be called in an event loop."""
    function = inspect.unwrap(function)
    return inspect.iscoroutinefunction(function) or inspect.isasyncgenfunction(function)


def refuse_bad_arguments(
    function: Callable[..., Any], args: tuple[Any, ...], options: dict[str, Any]
) -> None:
    """Raise `TypeError` when a function does not take these arguments."""
    try:
        signature = inspect.signature(function)
    except ValueError:  # a builtin without a signature
        return
    signature.bind(*args, **options)


async def call(
    function: Callable[..., Any], *args: Any, emit: Emit, executor: Executor | None = None, **options: Any
) -> Any:
    """Call a function and return its result. The items of a generator go to `emit`, and its return value is the result.

    A plain function runs in `executor`, so that the channel is served meanwhile. If this call is cancelled, a coroutine is cancelled
    too; a plain function goes on and its result is dropped.
    """
    result: Any = None
    if is_coroutine(function):
        result = function(*args, **options)
    else:
        loop = asyncio.get_running_loop()
        result = await loop.run_in_executor(executor, functools.partial(function, *args, **options))
    if inspect.isasyncgen(result):
        async for item in result:
            await _emitted(emit, item)
        return None
    if inspect.isgenerator(result):
        return await _drain(result, emit, executor)
    return await result if inspect.isawaitable(result) else result


async def _drain(generator: Any, emit: Emit, executor: Executor | None) -> Any:
    """Run a generator in the executor; return its return value."""
    returned: list[Any] = []

    def step() -> Any:
        try:
            return next(generator)
        except StopIteration as end:
            returned.append(end.value)
            return _END

    loop = asyncio.get_running_loop()
    try:
        while (item := await loop.run_in_executor(executor, step)) is not _END:
            await _emitted(emit, item)
    except asyncio.CancelledError:
        loop.run_in_executor(executor, generator.close)
        raise
    return returned[0]


async def _emitted(emit: Emit, item: Any) -> None:
    result = emit(item)
    if inspect.isawaitable(result):
        await result
