"""The asyncio front end beside the suite of both: tasks, cancellation, a single loop."""

from __future__ import annotations

import asyncio
import contextlib
import pickle
import socket
from typing import Any

import pytest

from nodechannel import errors
from nodechannel._aio.channel import Channel


def run(steps: Any) -> None:
    """Run steps with both ends of a channel in the same event loop."""

    async def main() -> None:
        near, far = socket.socketpair()
        async with Channel(near) as one, Channel(far) as other:
            await steps(one, other)

    asyncio.run(main())


def test_tasks_that_wait_get_a_message_each_in_the_order_of_their_calls():
    async def steps(one: Channel, other: Channel) -> None:
        tasks = [asyncio.ensure_future(other.receive(20)) for _ in range(3)]
        await asyncio.sleep(0)
        tasks[0].cancel()
        await one.send_many([1, 2])
        assert [(await task).data for task in tasks[1:]] == [1, 2]

    run(steps)


def test_a_send_that_is_cancelled_leaves_the_stream_whole():
    async def steps(one: Channel, other: Channel) -> None:
        sending = asyncio.ensure_future(one.send("x" * 5_000_000))
        await asyncio.sleep(0)
        sending.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await sending
        behind = asyncio.ensure_future(one.send("behind"))
        assert [len((await other.receive(20)).data) for _ in range(2)] == [5_000_000, 6]
        await behind

    run(steps)


def test_it_belongs_to_one_process_and_one_loop():
    async def steps(one: Channel, _other: Channel) -> None:
        with pytest.raises(TypeError, match="cannot be copied or pickled"):
            pickle.dumps(one)
        one.close()
        one.close()
        assert one.fileno() == -1
        with pytest.raises(errors.ChannelClosed):
            await one.send(1)

    run(steps)
