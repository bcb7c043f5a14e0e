"""An end of a conversation, with asyncio: both sides call each other."""

from __future__ import annotations

import asyncio
import inspect
import itertools
import os
import reprlib
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from types import TracebackType
from typing import Any, NamedTuple, Self, TypeVar

from nodechannel import asyncio as aio
from nodechannel._dialects.calls import call, drop, in_loop, is_coroutine, report, tell
from nodechannel._dialects.remedy import RPC, remedy
from nodechannel._io.limits import seconds
from nodechannel._rpc import wire
from nodechannel._rpc.dialects import check_dialect, dialect_of
from nodechannel._rpc.wire import RequestCancelled, RpcError
from nodechannel.errors import ChannelClosed, RemoteError
from nodechannel.stdio import asyncio as streams

Function = TypeVar("Function", bound=Callable[..., Any])

# Requests of the remote side that run at the same time, and the number that may wait before more are refused.
MAX_RUNNING = 256
MAX_WAITING = 4096


class _Method(NamedTuple):
    function: Callable[..., Any]
    threaded: bool
    wants_progress: bool


class Peer:
    """An end of a JSON-RPC conversation. Made by `connect`, `fork` and `spawn`.

    As an asynchronous context manager it serves requests of the remote side, and ends the channel at the end of the block.

    Args:
        channel: the channel, which belongs to this object from now on.
        dialect: ``json-rpc``, or ``birpc`` for a remote side that uses the package birpc.
        max_running: requests of the remote side that run at the same time.
        max_waiting: how many more may wait; others are refused with the code -32000.
        threaded: whether plain functions run in threads if their decorator does not say.
    """

    def __init__(
        self,
        channel: aio.Channel | streams.Channel,
        *,
        dialect: str = "json-rpc",
        max_running: int = MAX_RUNNING,
        max_waiting: int = MAX_WAITING,
        threaded: bool = False,
    ) -> None:
        self.channel = channel
        self._dialect = dialect_of(dialect, channel.serialization)
        self.remote: Remote = Remote(self.request)
        self._methods: dict[str, _Method] = {}
        self._ids = itertools.count(1)
        self._asked: dict[Any, asyncio.Future[Any]] = {}
        self._listeners: dict[Any, Callable[[Any], object]] = {}
        self._running: dict[Any, asyncio.Task[None]] = {}
        self._room = asyncio.Semaphore(max_running)
        self._most = max_running + max_waiting
        self._threaded = threaded
        self._threads: ThreadPoolExecutor | None = None
        self._max_running = max_running
        self._notified: asyncio.Task[None] | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._reading: asyncio.Task[None] | None = None

    # Methods of this side.

    def method(
        self, name: str | None = None, *, threaded: bool | None = None
    ) -> Callable[[Function], Function]:
        """Let the remote side call a function, by request or by notification; a decorator.

        A function with one positional parameter gets the parameters of an object as a dictionary; a function with more gets them by
        name. Parameters in a list are given by position. A keyword-only parameter `progress` is a function that reports progress. The
        result is the answer. Exceptions are answered with the code -32603 and their traceback, `RpcError` with its own code. A cancelled
        request cancels its coroutine.

        Args:
            name: the method's name; the function's own if not given.
            threaded: whether a plain function runs in a thread, so that other messages are taken meanwhile.
        """

        def register(function: Function) -> Function:
            parameters = inspect.signature(function).parameters
            runs_in_thread = self._threaded if threaded is None else threaded
            in_thread = runs_in_thread and not is_coroutine(function)
            self._methods[name or function.__name__] = _Method(function, in_thread, "progress" in parameters)
            return function

        return register

    # Methods of the remote side.

    async def request(
        self,
        method: str,
        params: Any = None,
        *,
        timeout: float | None = None,
        on_progress: Callable[[Any], object] | None = None,
    ) -> Any:
        """Call a method of the remote side and return its result.

        A request that is cancelled or takes more than `timeout` seconds is cancelled there too. Progress reports go to
        `on_progress`; the token of these reports is added to the parameters as `workDoneToken`.

        Raises `RpcError` for an error answer, `RequestCancelled`, `TimeoutError`, `InvalidMessage`, and `ChannelClosed` when the channel
        ends before the answer.
        """
        self.start()
        id = next(self._ids)
        if on_progress is not None:
            params = {**(params or {}), "workDoneToken": id}
            self._listeners[id] = on_progress
        future = self._asked[id] = asyncio.get_running_loop().create_future()
        try:
            async with asyncio.timeout(seconds(timeout)):
                await self._send(wire.request(id, method, params))
                return await future
        except (asyncio.CancelledError, TimeoutError):
            if not future.done() or future.cancelled():
                self._tell_later(wire.notification(wire.CANCEL, {"id": id}))
            raise
        finally:
            del self._asked[id]
            self._listeners.pop(id, None)

    async def notify(self, method: str, params: Any = None) -> None:
        """Call a method of the remote side without an answer; raises `ChannelClosed` and `InvalidMessage`."""
        self.start()
        await self._send(wire.notification(method, params))

    # The conversation.

    def start(self) -> None:
        """Begin to take messages, once the methods are registered; a context manager and each request do it too."""
        if self._reading is None:
            self._reading = asyncio.get_running_loop().create_task(self._read())

    async def wait_closed(self) -> None:
        """Serve until the channel ends."""
        self.start()
        assert self._reading is not None
        await asyncio.wait([self._reading])

    async def close(self) -> None:
        """End the channel after all that was sent is written; requests under way are cancelled."""
        await self.channel.__aexit__(None, None, None)
        if self._reading is not None:
            await asyncio.wait([self._reading])
        if self._threads is not None:
            self._threads.shutdown(wait=False, cancel_futures=True)

    async def __aenter__(self) -> Self:
        self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def _read(self) -> None:
        try:
            with suppress(ChannelClosed):
                while True:
                    with suppress(RemoteError):
                        self._take(self._dialect.read((await self.channel.receive()).data))
        finally:
            for future in self._asked.values():
                if not future.done():
                    future.set_exception(ChannelClosed("wait for an answer"))
            for task in (*self._running.values(), *self._tasks):
                task.cancel()

    def _take(self, data: Any) -> None:
        """Take a message; this method does not wait, so answers are never behind calls."""
        if not isinstance(data, dict):
            self._tell_later(wire.failure(None, RpcError(wire.INVALID_REQUEST, "not a JSON-RPC message")))
        elif isinstance(data.get("method"), str):
            if "id" in data:
                self._take_request(data["id"], data["method"], data.get("params"))
            else:
                self._take_notification(data["method"], data.get("params"))
        elif "id" in data and ("result" in data or "error" in data):
            self._take_answer(data)
        else:
            error = RpcError(wire.INVALID_REQUEST, "neither a call nor an answer")
            self._tell_later(wire.failure(data.get("id"), error))

    def _take_answer(self, data: dict[str, Any]) -> None:
        id = data["id"]
        future = self._asked.get(id) if wire.is_id(id) else None
        if future is None or future.done():  # an answer that was given up
            return
        error = wire.error_of(data)
        if error is None:
            future.set_result(data.get("result"))
        else:
            future.set_exception(error)

    def _take_request(self, id: Any, name: str, params: Any) -> None:
        if not wire.is_id(id) or id in self._running:
            error = RpcError(wire.INVALID_REQUEST, f"the id {reprlib.repr(id)} cannot be used")
            self._tell_later(wire.failure(None, error))
        elif len(self._running) >= self._most:
            error = RpcError(wire.TOO_MANY_REQUESTS, "too many requests are under way")
            self._tell_later(wire.failure(id, error))
        else:
            task = asyncio.get_running_loop().create_task(self._serve(id, name, params))
            self._running[id] = task
            task.add_done_callback(lambda _: self._running.pop(id, None))

    def _take_notification(self, name: str, params: Any) -> None:
        if name == wire.CANCEL:
            id = params.get("id") if isinstance(params, dict) else None
            task = self._running.get(id) if wire.is_id(id) else None
            if task is not None:
                task.cancel()
        elif name == wire.PROGRESS:
            self._take_progress(params)
        elif name in self._methods:
            self._notified = self._start(self._notify(name, params, self._notified))

    def _take_progress(self, params: Any) -> None:
        if isinstance(params, dict) and isinstance(token := params.get("token"), int | str):
            listener = self._listeners.get(token)
            if listener is not None:
                tell(listener, params.get("value"))

    async def _serve(self, id: Any, name: str, params: Any) -> None:
        """Carry out a request and answer it, also if its function wants to end the program."""
        ending: BaseException | None = None
        try:
            async with self._room:
                reply = wire.answer(id, await self._call(name, params))
        except asyncio.CancelledError:
            reply = wire.failure(id, RequestCancelled())
        except Exception as error:
            reply = wire.failure(id, error)
        except (SystemExit, KeyboardInterrupt) as error:
            reply, ending = wire.failure(id, error), error
        with suppress(ChannelClosed):
            await self._reply(id, reply)
        if ending is not None:
            raise ending

    async def _reply(self, id: Any, reply: dict[str, Any]) -> None:
        """Send an answer. If the serialization cannot carry its result or its data, the answer is that error."""
        try:
            await self._send(reply)
        except ChannelClosed:
            raise
        except Exception as error:  # of the serialization, or of the user's `default`
            await self._send(wire.failure(id, error))

    async def _notify(self, name: str, params: Any, before: asyncio.Task[None] | None) -> None:
        """Carry out a notification after the one before it; an exception is reported to the event loop's handler."""
        if before is not None:
            await asyncio.wait([before])
        try:
            await self._call(name, params)
        except Exception as error:
            report(f"the notification {name!r} failed", error)

    async def _call(self, name: str, params: Any) -> Any:
        method = self._methods.get(name)
        if method is None:
            raise RpcError(wire.METHOD_NOT_FOUND, f"no method {name!r}")
        if not method.wants_progress:
            return await self._run(method, params, {})
        reports: list[Future[None]] = []
        try:
            return await self._run(method, params, {"progress": self._progress(params, reports)})
        finally:
            # The remote side takes no progress after the answer.
            for report in reports:
                await asyncio.wrap_future(report)

    async def _run(self, method: _Method, params: Any, options: dict[str, Any]) -> Any:
        args, named = _arguments(method.function, params, options)
        if method.threaded:
            if self._threads is None:
                self._threads = ThreadPoolExecutor(self._max_running, "nodechannel.rpc")
            return await call(method.function, *args, emit=drop, executor=self._threads, **named)
        with in_loop():
            result = method.function(*args, **named)
            return await result if inspect.isawaitable(result) else result

    def _progress(self, params: Any, reports: list[Future[None]]) -> Callable[[Any], None]:
        """Return the function that reports progress of a request; it may be called from any thread."""
        token = wire.token_of(params)
        loop = asyncio.get_running_loop()

        def report(value: Any) -> None:
            if token is not None:
                message = wire.notification(wire.PROGRESS, {"token": token, "value": value})
                reports.append(asyncio.run_coroutine_threadsafe(self._tell(message), loop))

        return report

    def _tell_later(self, message: dict[str, Any]) -> None:
        self._start(self._tell(message))

    async def _tell(self, message: dict[str, Any]) -> None:
        with suppress(ChannelClosed):
            await self._send(message)

    async def _send(self, message: dict[str, Any]) -> None:
        written = self._dialect.write(message)
        if written is not None:
            await self.channel.send(written)

    def _start(self, work: Any) -> asyncio.Task[None]:
        task: asyncio.Task[None] = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task


class Remote:
    """The methods of the remote side as attributes, `remote.lookup(id=7)`, or with brackets, `remote["text/open"](...)`.

    Arguments are all by position or all by name.
    """

    def __init__(self, request: Callable[..., Any]) -> None:
        self._request = request

    def __getitem__(self, name: str) -> Callable[..., Any]:
        def call(*args: Any, **named: Any) -> Any:
            if args and named:
                raise TypeError(f"{name}() takes arguments by position or by name, not both")
            return self._request(name, list(args) if args else named or None)

        return call

    def __getattr__(self, name: str) -> Callable[..., Any]:
        if name.startswith("__"):
            raise AttributeError(name)
        return self[name]


def _arguments(
    function: Callable[..., Any], params: Any, options: dict[str, Any]
) -> tuple[list[Any], dict[str, Any]]:
    """Return how to call a function with the parameters of a message; raises `RpcError` if it does not take them."""
    signature = inspect.signature(function)
    takes = [
        p for p in signature.parameters.values() if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)
    ]
    if params is None:
        attempts: list[tuple[list[Any], dict[str, Any]]] = [([], {}), ([None], {})]
    elif isinstance(params, list):
        attempts = [(params, {})]
        if params == [None]:  # vscode-jsonrpc sends `null` in this way
            attempts.append(([], {}))
    elif len(takes) == 1 and takes[0].name not in params:
        attempts = [([params], {})]
    else:
        attempts = [([], params)]
    for args, named in attempts:
        with suppress(TypeError):
            signature.bind(*args, **named, **options)
            return args, {**named, **options}
    raise RpcError(
        wire.INVALID_PARAMS,
        f"{getattr(function, '__name__', function)}{signature} does not take {reprlib.repr(params)}"[:500],
    )


async def connect(*, stdio: str | None = None, **options: Any) -> Peer:
    """Adopt the channel that the parent opened for this process; for the options see `Peer` and `ChannelOptions`.

    With `stdio`, ``headers`` or ``lines``, the conversation goes over the standard streams in that framing; see `nodechannel.stdio`.

    Raises `NoChannel`, `BadChannelFd` or `UnsupportedSerialization`, and with `stdio` `StreamsUnavailable`.
    """
    own = take_options(options)
    with remedy(RPC):
        channel = (
            await aio.connect(**options) if stdio is None else await streams.connect(framing=stdio, **options)
        )
    return Peer(channel, **own)


async def fork(
    script: str | os.PathLike[str], *args: str | os.PathLike[str], stdio: str | None = None, **options: Any
) -> Peer:
    """Start a Node script and talk to it, over its standard streams if `stdio` names their framing.

    See `nodechannel.fork` and `nodechannel.stdio.fork` for the options.
    """
    own = take_options(options)
    child = (
        await aio.fork(script, *args, **options)
        if stdio is None
        else await streams.fork(script, *args, framing=stdio, **options)
    )
    return Peer(child, **own)


async def spawn(argv: Sequence[str | os.PathLike[str]], *, stdio: str | None = None, **options: Any) -> Peer:
    """Start a command and talk to it, over its standard streams if `stdio` names their framing.

    See `nodechannel.spawn` and `nodechannel.stdio.spawn` for the options.
    """
    own = take_options(options)
    child = (
        await aio.spawn(argv, **options)
        if stdio is None
        else await streams.spawn(argv, framing=stdio, **options)
    )
    return Peer(child, **own)


def take_options(options: dict[str, Any]) -> dict[str, Any]:
    """Remove and return those options that concern the conversation; raises `ValueError` for an unknown dialect."""
    own = ("dialect", "max_running", "max_waiting", "threaded")
    check_dialect(options.get("dialect", "json-rpc"))
    return {name: options.pop(name) for name in own if name in options}
