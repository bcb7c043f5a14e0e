"""Items that arrive in an event loop and wait for their reader."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from nodechannel import errors
from nodechannel._aio.channel import READ_AHEAD, READ_AHEAD_LOW
from nodechannel._carriers.inbox import Inbox, Receiver


class Reader(Receiver[Any]):
    def __init__(self) -> None:
        self.inbox = Inbox()


def test_a_reader_goes_on_with_what_arrives_and_ends_at_the_end():
    async def main() -> None:
        reader = Reader()
        waiting = asyncio.ensure_future(reader.receive(timeout=20))
        await asyncio.sleep(0)
        reader.inbox.put([1, 2, 3])
        assert await waiting == 1
        assert reader.pending == 2
        assert await reader.receive_many() == [2, 3]
        with pytest.raises(TimeoutError):
            await reader.receive(timeout=0)
        reader.inbox.put([4])
        reader.inbox.end()
        assert [item async for item in reader] == [4]
        with pytest.raises(errors.ChannelClosed):
            await reader.receive()

    asyncio.run(main())


def test_a_source_that_pauses_is_told_when_to_go_on():
    async def main() -> list[int]:
        reader = Reader()
        told: list[int] = []
        reader.inbox.on_room = lambda: told.append(reader.pending)
        reader.inbox.put(range(READ_AHEAD + 1))
        assert reader.inbox.full
        while reader.pending:
            await reader.receive()
        reader.inbox.put(range(READ_AHEAD + 1))
        assert reader.inbox.full
        reader.inbox.events.waiting.clear()
        await asyncio.to_thread(reader.inbox.read_on_soon)
        await asyncio.sleep(0)
        return told

    assert asyncio.run(main()) == [READ_AHEAD_LOW, 0]
