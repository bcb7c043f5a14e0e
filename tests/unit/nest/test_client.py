"""A client of NestJS microservices."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from nodechannel import errors, nest
from nodechannel.nest import asyncio as aio


def test_no_server_listens(url, key):
    async def main() -> None:
        async with await aio.connect(url) as client:
            with pytest.raises(nest.NestError, match="no server listens"):
                await client.request(key, 1)
            assert await client.emit(key, 1) == 0

    asyncio.run(main())


def test_asyncio_has_the_same_words(url):
    async def main() -> None:
        server = aio.Server(url)

        @server.pattern("twice")
        async def twice(value: int) -> int:
            return 2 * value

        @server.pattern("never")
        async def never(_: Any) -> None:
            await asyncio.sleep(60)

        ready = asyncio.Event()
        task = asyncio.ensure_future(server.serve(ready.set))
        await ready.wait()
        async with await aio.connect(url) as client:
            asked = [client.request("twice", number, timeout=20) for number in range(50)]
            assert await asyncio.gather(*asked) == [2 * number for number in range(50)]
            assert [value async for value in client.stream("twice", 4)] == [8]
            with pytest.raises(TimeoutError):
                await client.request("never", 1, timeout=0.1)
            late = asyncio.ensure_future(client.request("never", 1))
            await asyncio.sleep(0.1)
            await client.close()
            with pytest.raises(errors.ConnectionLost):
                await late
        await server.close()
        await task

    asyncio.run(main())
