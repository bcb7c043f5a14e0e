"""Jobs of a carrier to children: each child has a single job, and a new job is read when a child is free."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from contextlib import suppress

from nodechannel._bridge.child import Child, ChildFailed
from nodechannel._bridge.jobs import Job, Source
from nodechannel.errors import ChannelClosed, ChannelError

# Seconds before a place gets another child after a failure.
PAUSE = 0.5

# Seconds for the end of the source when the jobs under way were given up.
FAREWELL = 1.0


class Bridge:
    """Children behind a source of jobs.

    Args:
        source: where jobs come from.
        command: the command line of a child.
        children: how many there are.
        timeout: seconds that a child has for an answer, None for no limit.
        grace: seconds that jobs under way have after `stop`.
        tell: called with a text about each fault.
    """

    def __init__(
        self,
        source: Source,
        command: Sequence[str],
        children: int,
        timeout: float | None,
        grace: float,
        tell: Callable[[str], object],
    ) -> None:
        self._source = source
        self._places = [Child(command, timeout) for _ in range(children)]
        self._grace = grace
        self._tell = tell
        self._waiting: set[asyncio.Task[Job]] = set()
        # All that `stop` ends when it is called again: the places, and later the end of the source.
        self._tasks: list[asyncio.Future[None]] = []
        self._stopping = False
        self._given_up = False

    async def serve(self) -> None:
        """Serve until the source ends or `stop`; raises `OSError` for a command that cannot be started."""
        try:
            async with asyncio.TaskGroup() as group:
                self._tasks += [group.create_task(self._serve_with(child)) for child in self._places]
        except* OSError as failures:
            raise failures.exceptions[0] from None
        finally:
            await asyncio.gather(*(child.end() for child in self._places))
            await self._close_source()

    def stop(self) -> None:
        """Take no more jobs, and give those under way their grace; a second call gives them up at once."""
        if self._stopping:
            self._give_up()
            return
        self._stopping = True
        for task in self._waiting:
            task.cancel()
        asyncio.get_running_loop().call_later(self._grace, self._give_up)

    def _give_up(self) -> None:
        """End children and connections now. A job under way is not acknowledged."""
        self._given_up = True
        for task in self._tasks:
            task.cancel()
        for child in self._places:
            child.kill()

    async def _close_source(self) -> None:
        """Close the source. A peer that reads no answers has no limit of time before `stop`."""
        closing = asyncio.ensure_future(self._source.close())
        self._tasks.append(closing)
        if (await asyncio.wait([closing], timeout=FAREWELL if self._given_up else None))[1]:
            closing.cancel()
        with suppress(asyncio.CancelledError):
            await closing

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
            # A client of a carrier may take a cancellation for a lost answer, and go on: the event ends that too.
            over.set()
            renewing.cancel()
            await asyncio.wait([renewing])

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
