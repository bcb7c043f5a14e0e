"""An event loop in a thread of its own, for blocking front ends over asyncio code."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Coroutine
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
        self._ended = False
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
        """Start a coroutine; return its future, whose `cancel` cancels it. Raises `ChannelClosed` after `close`."""
        if self.loop.is_closed():
            work.close()
            raise ChannelClosed
        if self.is_current():
            work.close()
            raise RuntimeError(
                "a blocking call in the event loop's own thread would never return; use the asyncio front end"
            )
        return asyncio.run_coroutine_threadsafe(work, self.loop)

    def wait(self, work: Coroutine[Any, Any, Result]) -> Result:
        """Run a coroutine and return its result; an exception here, like `KeyboardInterrupt`, cancels it."""
        future = self.start(work)
        try:
            return future.result()
        except BaseException:
            future.cancel()
            raise

    def call(self, function: Callable[..., Result], *args: Any) -> Result:
        """Call a function in the loop's thread and return its result."""

        async def carry_out() -> Result:
            return function(*args)

        return self.wait(carry_out())

    def _end(self) -> None:
        self._ended = True
        self.loop.stop()

    def close(self) -> None:
        """Cancel all tasks and end the thread."""
        if self.loop.is_closed():
            return

        async def cancel() -> None:
            tasks = asyncio.all_tasks() - {asyncio.current_task()}
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

        self.wait(cancel())
        self.loop.call_soon_threadsafe(self._end)
        self._thread.join()
        self.loop.close()
