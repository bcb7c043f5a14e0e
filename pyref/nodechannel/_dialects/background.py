"""An event loop in a thread of its own, for blocking front ends over asyncio code."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Coroutine
from concurrent.futures import CancelledError
from contextlib import suppress
from typing import TYPE_CHECKING, Any, TypeVar

from nodechannel.errors import ChannelClosed

if TYPE_CHECKING:
    from concurrent.futures import Future

Result = TypeVar("Result")


class Background:
    """An event loop in a daemon thread. Made for one object, which closes it."""

    def __init__(self, name: str) -> None:
        self.loop = asyncio.new_event_loop()
        self._closing = self._ended = False
        # Held while work is handed to the loop, since no work is carried out behind the last. A signal handler may hand over work too.
        self._starting = threading.RLock()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        asyncio.set_event_loop(self.loop)
        while not self._ended:
            # `SystemExit` of a function of the user leaves the loop; the calls that wait for this thread must not wait for ever.
            with suppress(SystemExit, KeyboardInterrupt):
                self.loop.run_forever()

    def is_current(self) -> bool:
        """Tell whether the caller runs in this loop."""
        return threading.current_thread() is self._thread

    def start(self, work: Coroutine[Any, Any, Result]) -> Future[Result]:
        """Start a coroutine; return its future, whose `cancel` cancels it. Raises `ChannelClosed` once `close` has begun."""
        try:
            self._refuse_own_thread()
            with self._starting:
                if self._closing:
                    raise ChannelClosed
                return asyncio.run_coroutine_threadsafe(work, self.loop)
        except (RuntimeError, ChannelClosed):
            work.close()
            raise

    def _refuse_own_thread(self) -> None:
        if self.is_current():
            raise RuntimeError(
                "a blocking call in the event loop's own thread would never return; use the asyncio front end"
            )

    def wait(self, work: Coroutine[Any, Any, Result]) -> Result:
        """Run a coroutine and return its result; an exception here, like `KeyboardInterrupt`, cancels it.

        Raises `ChannelClosed` when another thread closes meanwhile.
        """
        future = self.start(work)
        try:
            return future.result()
        except CancelledError:
            if self._closing:
                raise ChannelClosed from None
            raise
        except BaseException:
            future.cancel()
            raise

    def call(self, function: Callable[..., Result], *args: Any) -> Result:
        """Call a function in the loop's thread and return its result."""

        async def carry_out() -> Result:
            return function(*args)

        return self.wait(carry_out())

    def close(self, last: Coroutine[Any, Any, object] | None = None) -> None:
        """Run `last`, then cancel all other tasks and end the thread. Another thread, or a signal handler, may do the same meanwhile."""
        if last is not None:
            with suppress(ChannelClosed):
                self.wait(last)
        self._refuse_own_thread()
        with self._starting:
            if not self._closing:
                asyncio.run_coroutine_threadsafe(self._wind_up(), self.loop)
                # Behind the call: a handler that raises between the two leaves a loop that a second `close` can end.
                self._closing = True
        self._thread.join()
        with self._starting:
            self.loop.close()

    async def _wind_up(self) -> None:
        while tasks := asyncio.all_tasks() - {asyncio.current_task()}:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        # One more round: the results of tasks that ended by themselves are still on their way to the threads that wait.
        await asyncio.sleep(0)
        self._ended = True
        self.loop.stop()
