"""Two asyncio ends at one channel. The real execa is in `tests/packages`."""

from __future__ import annotations

import asyncio
import socket
from typing import TYPE_CHECKING

import pytest

import nodechannel.asyncio
from nodechannel._execa.aio import Ipc
from nodechannel._execa.exchange import CANCEL, REQUEST, Cancelled, NotListening
from nodechannel.errors import ChannelClosed

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable


def run(scenario: Callable[[Ipc, Ipc], Awaitable[None]]) -> None:
    async def main() -> None:
        sockets = socket.socketpair()
        one, other = [Ipc(nodechannel.asyncio.Channel(sock)) for sock in sockets]
        try:
            await asyncio.wait_for(scenario(one, other), 30)
        finally:
            await one.close()
            await other.close()

    asyncio.run(main())


def test_a_strict_message_is_acknowledged_by_a_listener():
    async def scenario(one: Ipc, other: Ipc) -> None:
        listening = asyncio.create_task(other.get_one_message(lambda message: message != "not this"))
        await one.send_message("not this")
        await one.send_message("x", strict=True)
        assert await listening == "x"

    run(scenario)


def test_without_a_listener_it_fails_and_the_next_one_does_not():
    async def scenario(one: Ipc, other: Ipc) -> None:
        with pytest.raises(TimeoutError):
            await other.get_one_message(timeout=0.01)
        with pytest.raises(NotListening):
            await one.send_message("x", strict=True)
        listening = asyncio.create_task(other.get_one_message())
        await asyncio.sleep(0)
        await one.send_message("y", strict=True)
        assert await listening == "y"

    run(scenario)


def test_each_loop_gets_each_message_until_the_end():
    async def scenario(one: Ipc, other: Ipc) -> None:
        async def collect() -> list[object]:
            return [message async for message in other.get_each_message()]

        loops = [asyncio.create_task(collect()) for _ in range(2)]
        await asyncio.sleep(0)
        for number in range(3):
            await one.send_message(number)
        await one.close()
        assert [await loop for loop in loops] == [[0, 1, 2], [0, 1, 2]]
        with pytest.raises(ChannelClosed):
            await other.get_one_message()

    run(scenario)


@pytest.mark.parametrize("first", ["one", "loop"])
def test_a_message_that_no_listener_has_seen_waits_for_the_next(first):
    async def scenario(one: Ipc, other: Ipc) -> None:
        for number in range(3):
            await one.send_message(number)
        await one.send_message({"id": 0, "type": REQUEST, "message": 3, "hasListeners": True})
        await one.close()
        seen = []
        if first == "one":
            seen.append(await other.get_one_message(timeout=20))
        elif first == "loop":
            messages = other.get_each_message()
            async for message in messages:
                seen.append(message)
                break
            await messages.aclose()
        while len(seen) < 3:
            seen.append(await other.get_one_message(timeout=20))
        assert seen == [0, 1, 2]
        assert [message async for message in other.get_each_message()] == [3]

    run(scenario)


def test_a_cancel_of_the_parent_ends_the_block():
    async def scenario(one: Ipc, other: Ipc) -> None:
        with pytest.raises(Cancelled, match="why"):
            async with other.graceful_cancel():
                await one.send_message({"type": CANCEL, "message": "why"})
                await asyncio.sleep(30)
        assert isinstance(await other.wait_cancelled(), Cancelled)

    run(scenario)
