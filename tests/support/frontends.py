"""Both front ends behind the same words, so that a single suite tests them.

The asyncio front end runs in an event loop of its own thread; every coroutine is carried out there while the test waits.
"""

from __future__ import annotations

import asyncio
import functools
import inspect
import threading
from typing import TYPE_CHECKING, Any, Self

import nodechannel
from nodechannel import asyncio as aio

if TYPE_CHECKING:
    import socket


class Blocking:
    """The blocking front end, as it is."""

    name = "blocking"
    fork = staticmethod(nodechannel.fork)
    spawn = staticmethod(nodechannel.spawn)
    connect = staticmethod(nodechannel.connect)

    def channel(self, sock: socket.socket, **options: Any) -> Any:
        return nodechannel.Channel(sock, **options)

    def call(self, function: Any, *args: Any, **options: Any) -> Any:
        return function(*args, **options)

    def close(self) -> None:
        pass


class Asyncio:
    """The asyncio front end, seen through a loop in another thread."""

    name = "asyncio"

    def __init__(self) -> None:
        self.loop = asyncio.new_event_loop()
        self.loop.set_debug(True)
        self.errors: list[str] = []
        self.loop.set_exception_handler(lambda loop, context: self.errors.append(str(context)))
        self.thread = threading.Thread(target=self.loop.run_forever)
        self.thread.start()

    def run(self, coroutine: Any) -> Any:
        return asyncio.run_coroutine_threadsafe(coroutine, self.loop).result()

    def call(self, function: Any, *args: Any, **options: Any) -> Any:
        """Carry out a plain function or a coroutine function in the loop."""

        async def carry_out() -> Any:
            result = function(*args, **options)
            return await result if inspect.isawaitable(result) else result

        return self.run(carry_out())

    def channel(self, sock: socket.socket, **options: Any) -> Any:
        return Synchronous(self, self.call(aio.Channel, sock, **options))

    def connect(self, **options: Any) -> Any:
        return Synchronous(self, self.run(aio.connect(**options)))

    def fork(self, *args: Any, **options: Any) -> Any:
        return Synchronous(self, self.run(aio.fork(*args, **options)))

    def spawn(self, *args: Any, **options: Any) -> Any:
        return Synchronous(self, self.run(aio.spawn(*args, **options)))

    def close(self) -> None:
        async def settle() -> None:
            tasks = asyncio.all_tasks() - {asyncio.current_task()}
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

        self.run(settle())
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join()
        self.loop.close()
        assert not self.errors, f"the event loop saw unhandled errors: {self.errors}"


class Synchronous:
    """A channel of the asyncio front end whose methods run in its loop."""

    def __init__(self, front_end: Asyncio, channel: aio.Channel) -> None:
        self._front_end = front_end
        self.channel = channel

    def __getattr__(self, name: str) -> Any:
        value = getattr(self.channel, name)
        return functools.partial(self._front_end.call, value) if callable(value) else value

    def __enter__(self) -> Self:
        self._front_end.run(self.channel.__aenter__())
        return self

    def __exit__(self, kind: Any, error: Any, trace: Any) -> None:  # noqa: PYI036
        self._front_end.run(self.channel.__aexit__(kind, error, trace))

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> Any:
        try:
            return self._front_end.run(self.channel.__anext__())
        except StopAsyncIteration:
            raise StopIteration from None


def begin(channel: Any, *args: Any, **options: Any) -> Any:
    """Send without waiting for the peer; return the delivery."""
    try:
        return channel.send(*args, **options, timeout=0)
    except nodechannel.SendTimeout as waiting:
        return waiting.delivery
