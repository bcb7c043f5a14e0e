"""Jobs of a carrier to children: each child has one at a time, and a new one is read when a child is free."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from contextlib import suppress

from nodechannel._bridge.child import Child, ChildFailed
from nodechannel._bridge.jobs import Job, Source
from nodechannel.errors import ChannelClosed, ChannelError

# Seconds before a place gets another child after one that failed.
PAUSE = 0.5


class Bridge:
    """Children behind a source of jobs.

    Args:
        source: where jobs come from.
        command: the command line of a child.
        children: how many there are.
        timeout: seconds that a child has for an answer, None for no limit.
        tell: called with a text about each fault.
    """

    def __init__(
        self,
        source: Source,
        command: Sequence[str],
        children: int,
        timeout: float | None,
        tell: Callable[[str], object],
    ) -> None:
        self._source = source
        self._places = [Child(command, timeout) for _ in range(children)]
        self._tell = tell
        self._waiting: set[asyncio.Task[Job]] = set()
        self._stopping = False

    async def serve(self) -> None:
        """Serve until the source ends or `stop`; raises `OSError` for a command that cannot be started."""
        try:
            async with asyncio.TaskGroup() as group:
                for child in self._places:
                    group.create_task(self._serve_with(child))
        except* OSError as failures:
            raise failures.exceptions[0] from None
        finally:
            for child in self._places:
                await child.end()
            await self._source.close()

    def stop(self) -> None:
        """Take no more jobs; those under way are carried out."""
        self._stopping = True
        for task in self._waiting:
            task.cancel()

    async def _serve_with(self, child: Child) -> None:
        while not self._stopping:
            task = asyncio.ensure_future(self._source.receive())
            self._waiting.add(task)
            try:
                job = await task
            except ChannelClosed:
                return
            except asyncio.CancelledError:
                if _cancelled():
                    task.cancel()
                    raise
                return  # `stop` cancelled the reading alone
            except ChannelError as error:
                self._tell(f"a message was skipped: {error}")
                continue
            finally:
                self._waiting.discard(task)
            await self._carry_out(job, child)

    async def _carry_out(self, job: Job, child: Child) -> None:
        over = asyncio.Event()
        renewing = asyncio.ensure_future(self._keep(job, over))
        try:
            await job.answer(await child.ask(job.data))
        except ChildFailed as error:
            self._tell(f"{error}; another child takes its place")
            await asyncio.sleep(PAUSE)
        except ChannelError as error:
            self._tell(f"a message has no answer: {error}")
        finally:
            # Not cancelled: a client of a carrier may take a cancellation for a lost answer, and go on.
            over.set()
            await renewing

    async def _keep(self, job: Job, over: asyncio.Event) -> None:
        while not over.is_set():
            with suppress(TimeoutError):
                await asyncio.wait_for(over.wait(), self._source.pace)
            if not over.is_set():
                await job.renew()


def _cancelled() -> bool:
    """Tell whether the running task itself was cancelled."""
    task = asyncio.current_task()
    return task is not None and bool(task.cancelling())
