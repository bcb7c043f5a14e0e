"""The words that all front ends of a carrier in Redis share."""

from __future__ import annotations

import asyncio

import pytest

from nodechannel.redis import asyncio as aio


def test_none_of_them_can_be_copied(url, key):
    import pickle

    async def main() -> None:
        for made in (await aio.stream(url, key), await aio.queue(url, key), await aio.channels(url)):
            with pytest.raises(TypeError, match="belongs to one process"):
                pickle.dumps(made)
            await made.close()
            assert [item async for item in made] == []

    asyncio.run(main())


def test_asyncio_has_the_same_words(url, key):
    async def main() -> None:
        async with await aio.stream(url, key) as stream:
            await stream.send(1)
            async for entry in stream:
                await stream.acknowledge(entry)
                break
            assert entry.data == 1
            # Cancelled, a message is not lost.
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0.1):
                    await stream.receive()
        async with await aio.queue(url, f"{key}-list") as queue:
            await queue.send(2)
            assert (await queue.receive(timeout=5)).data == 2
        async with await aio.channels(url, key) as channels:
            await channels.send(key, 3)
            assert (await channels.receive(timeout=5)).data == 3

    asyncio.run(main())
