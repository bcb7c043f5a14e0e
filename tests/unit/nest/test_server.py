"""A NestJS microservice."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from nodechannel import nest
from nodechannel.nest import asyncio as aio
from nodechannel.redis import asyncio as redis_aio


@pytest.mark.rule("RDS-042", "RDS-045")
def test_the_packets_that_a_function_answers(url, key, caplog):
    async def main() -> list[Any]:
        server = aio.Server(url)

        @server.pattern(key)
        def double(value: Any) -> Any:
            return 2 * value

        @server.pattern(f"{key}-all")
        async def each(count: int) -> Any:
            for number in range(count):
                yield number

        @server.pattern(f"{key}-fail")
        def fail(how: str) -> None:
            raise nest.NestError({"code": 7}) if how == "rpc" else ValueError("odd")

        ready = asyncio.Event()
        task = asyncio.ensure_future(server.serve(ready.set))
        await ready.wait()
        names = [key, f"{key}-all", f"{key}-fail"]
        async with await redis_aio.channels(url, *(f"{name}.reply" for name in names)) as wire:
            found = []
            for name, data, answers in [
                (key, 2, 1),
                (names[1], 2, 3),
                (names[2], "rpc", 1),
                (names[2], "", 1),
            ]:
                await wire.send(name, {"pattern": name, "data": data, "id": "i"})
                found += [(await wire.receive(timeout=20)).data for _ in range(answers)]
            # An event has no answer, and a message that is no packet is data.
            await wire.send(key, {"pattern": key, "data": 1})
            await wire.send(key, 5)
            await wire.send(key, {"data": 3, "id": "last"})
            found.append((await wire.receive(timeout=20)).data)
        await server.close()
        await task
        return found

    assert asyncio.run(main()) == [
        {"response": 4, "isDisposed": True, "id": "i"},
        {"response": 0, "id": "i"},
        {"response": 1, "id": "i"},
        {"isDisposed": True, "id": "i"},
        {"err": {"code": 7}, "isDisposed": True, "id": "i"},
        {"err": {"status": "error", "message": "Internal server error"}, "isDisposed": True, "id": "i"},
        {"response": 6, "isDisposed": True, "id": "last"},
    ]
    assert "odd" in caplog.text
