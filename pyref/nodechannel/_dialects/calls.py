"""Calls of registered functions: plain functions in a thread, coroutine functions in the event loop, generators item by item."""

from __future__ import annotations

import asyncio
import functools
import inspect
import threading
from collections.abc import Callable, Iterator
from contextlib import aclosing, contextmanager, suppress
from typing import TYPE_CHECKING, Any

from nodechannel._dialects.faults import Uncommon

if TYPE_CHECKING:
    from concurrent.futures import Executor

    Emit = Callable[[Any], Any]

_END = object()


def is_generator(function: Callable[..., Any]) -> bool:
    """Tell whether a function makes a generator, plain or asynchronous."""
    function = _written(function)
    return inspect.isgeneratorfunction(function) or inspect.isasyncgenfunction(function)


def is_coroutine(function: Callable[..., Any]) -> bool:
    """Tell whether a function has to be called in an event loop."""
    function = _written(function)
    return inspect.iscoroutinefunction(function) or inspect.isasyncgenfunction(function)


def _written(function: Callable[..., Any]) -> Callable[..., Any]:
    """Return the `def` beneath decorators, and that of an object which can be called."""
    function = inspect.unwrap(function)
    plain = (
        inspect.isroutine(function) or inspect.isclass(function) or isinstance(function, functools.partial)
    )
    return function if plain else inspect.unwrap(type(function).__call__)


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
    too; a plain function goes on and its result is dropped. Exceptions that are no `Exception` arrive as `Uncommon`, but for those with
    which a coroutine ends its program.
    """
    if is_coroutine(function):
        with in_loop():
            result = function(*args, **options)
    else:
        result = await _in_thread(executor, functools.partial(function, *args, **options))
    if inspect.isgenerator(result):
        return await _drain(result, emit, executor)
    with in_loop():
        if inspect.isasyncgen(result):
            async with aclosing(result):
                async for item in result:
                    await _emitted(emit, item)
            return None
        return await result if inspect.isawaitable(result) else result


@contextmanager
def in_loop() -> Iterator[None]:
    """Carry an uncommon exception of a coroutine. A cancellation from outside and the wish to end the program pass."""
    try:
        yield
    except (Exception, GeneratorExit, SystemExit, KeyboardInterrupt):
        raise
    except BaseException as error:
        task = asyncio.current_task()
        if isinstance(error, asyncio.CancelledError) and task is not None and task.cancelling():
            raise
        raise Uncommon from error


async def _in_thread(executor: Executor | None, function: Callable[[], Any]) -> Any:
    """Call a function in the executor. As in threads of Python, `SystemExit` ends no program there."""

    def carry_out() -> Any:
        try:
            return function()
        except StopIteration as error:  # a future that gets it never ends
            raise Uncommon from error
        except Exception:
            raise
        except BaseException as error:
            raise Uncommon from error

    return await asyncio.get_running_loop().run_in_executor(executor, carry_out)


async def _drain(generator: Any, emit: Emit, executor: Executor | None) -> Any:
    """Run a generator in the executor and close it there; return its return value."""
    returned: list[Any] = []
    # A step that was given up may still run when the generator is closed.
    running = threading.Lock()

    def step() -> Any:
        with running:
            try:
                return next(generator)
            except StopIteration as end:
                returned.append(end.value)
                return _END

    def close() -> None:
        with running:
            generator.close()

    try:
        while (item := await _in_thread(executor, step)) is not _END:
            await _emitted(emit, item)
    except asyncio.CancelledError:
        # Threads that were shut down take no more; the generator is closed with its last reference then.
        with suppress(RuntimeError):
            asyncio.get_running_loop().run_in_executor(executor, close)
        raise
    except Exception:
        await _in_thread(executor, close)
        raise
    return returned[0]


async def _emitted(emit: Emit, item: Any) -> None:
    result = emit(item)
    if inspect.isawaitable(result):
        await result


def tell(listener: Callable[[Any], object], value: Any) -> None:
    """Call a listener of the user. Its exception has no receiver, and must not end the reading of a channel."""
    try:
        listener(value)
    except Exception as error:
        report(f"{listener!r} failed", error)


def drop(_item: object) -> None:
    """Drop an item of a generator that has no receiver."""


def report(what: str, error: Exception) -> None:
    """Give an exception without a receiver to the handler of the event loop."""
    asyncio.get_running_loop().call_exception_handler({"message": what, "exception": error})
