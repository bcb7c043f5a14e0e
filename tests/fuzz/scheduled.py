"""The asyncio front end under a virtual clock and a scheduler of a seed: the order of ready callbacks, cancellations, limits, slow readers.

Two channels are the ends of a real pair of sockets in a single event loop. A seed and a plan always give the same run.
"""

from __future__ import annotations

import asyncio
import random
import socket
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from hypothesis import given
from hypothesis import strategies as st

from fuzz.surroundings import descriptors
from fuzz.virtual import VirtualLoop
from nodechannel import asyncio as aio

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from hypothesis import settings

# Virtual seconds after which a run is taken for one that hangs.
PATIENCE = 2000.0


class ScheduledLoop(VirtualLoop):
    """An event loop that runs the callbacks of a turn in an order of the seed."""

    def __init__(self, seed: int) -> None:
        super().__init__(seed)
        self._order = random.Random(seed)

    def _run_once(self) -> None:
        ready = self._ready  # type: ignore[attr-defined]
        shuffled = list(ready)
        self._order.shuffle(shuffled)
        ready.clear()
        ready.extend(shuffled)
        super()._run_once()  # type: ignore[misc]


class Talk:
    """One direction of a conversation.

    Attributes:
        sent: the numbers that `send` accepted, in order.
        received: the numbers that arrived.
        log: the moments of both, by which two runs are compared.
    """

    def __init__(self, sender: aio.Channel, receiver: aio.Channel, source: random.Random) -> None:
        self.sender = sender
        self.receiver = receiver
        self.source = source
        self.sent: list[int] = []
        self.received: list[int] = []
        self.log: list[tuple[float, str, int]] = []

    def note(self, what: str, number: int) -> None:
        """Note a moment."""
        self.log.append((asyncio.get_running_loop().time(), what, number))

    async def send(self, sizes: list[int], handles: bool) -> None:
        """Send messages of these sizes, some with a socket."""
        for size in sizes:
            await asyncio.sleep(self.source.choice([0, 0, 0.1, 10]))
            number = len(self.sent)
            self.sent.append(number)
            self.note("send", number)
            message = [number, "x" * size]
            if handles and size % 3 == 0:
                with socket.create_server(("127.0.0.1", 0)) as server:
                    await self.sender.send(message, server)
            else:
                await self.sender.send(message)
        await self.sender.flush()

    async def receive(self, count: int) -> None:
        """Receive so many messages; some waits are cut off by limits or by a cancellation."""
        while len(self.received) < count:
            await asyncio.sleep(self.source.choice([0, 0, 0.1, 10]))
            task = asyncio.create_task(self._one(self.source.choice([None, None, 0.05, 5])))
            try:
                if self.source.random() < 0.3:
                    await asyncio.sleep(self.source.choice([0, 0.1]))
                    task.cancel()
                await asyncio.wait([task])
            finally:
                task.cancel()
            if not task.cancelled():
                with suppress(TimeoutError):
                    task.result()

    async def _one(self, limit: float | None) -> None:
        message = await self.receiver.receive(limit)
        if message.handle is not None:
            message.handle.close()
        self.received.append(message.data[0])
        self.note("receive", message.data[0])


def converse(seed: int, ways: list[list[int]], buffer: int, handles: bool) -> list[tuple[float, str, int]]:
    """Have both ends talk at once; return what happened and when. Raises when a message is lost, doubled or late for ever."""
    log: list[tuple[float, str, int]] = []

    async def main() -> None:
        ends = socket.socketpair()
        for end in ends:
            end.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, buffer)
        left, right = (aio.Channel(end) for end in ends)
        source = random.Random(seed)
        talks = [Talk(left, right, source), Talk(right, left, source)]
        acts: list[Coroutine[Any, Any, None]] = []
        for talk, sizes in zip(talks, ways, strict=True):
            acts += [talk.send(sizes, handles), talk.receive(len(sizes))]
        tasks = [asyncio.create_task(act) for act in acts]
        try:
            _, late = await asyncio.wait(tasks, timeout=PATIENCE)
            assert not late, f"{len(late)} of {len(tasks)} tasks hang"
            for task in tasks:
                task.result()
            for talk in talks:
                assert talk.received == talk.sent, (talk.sent, talk.received)
                log.extend(talk.log)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.wait(tasks)
            left.close()
            right.close()

    loop = ScheduledLoop(seed)
    try:
        loop.run_until_complete(main())
    finally:
        loop.close()
    return log


def scheduled(profile: settings, tick: Callable[[], None]) -> Callable[[], None]:
    """Whatever order the event loop takes: every message arrives once and in order, no task hangs, no descriptor is left."""
    sizes = st.lists(st.sampled_from([0, 1, 3, 300, 30_000, 200_001]), max_size=12)

    @profile
    @given(
        st.integers(0, 2**32),
        st.tuples(sizes, sizes).map(list),
        st.sampled_from([5000, 200_000]),
        st.booleans(),
    )
    def test(seed: int, ways: list[list[int]], buffer: int, handles: bool) -> None:
        tick()
        before = descriptors()
        converse(seed, ways, buffer, handles)
        assert descriptors() == before, "a descriptor is left"

    return test
