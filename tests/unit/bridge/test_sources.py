"""The carriers that a bridge takes jobs from."""

from __future__ import annotations

import asyncio
import contextlib

import pytest

from nodechannel._bridge.sources import NodeIpcSource, RedisSource, open_source
from nodechannel.nodeipc import asyncio as aio
from nodechannel.redis import asyncio as redis_aio


@pytest.mark.parametrize(
    ("name", "key"), [("stdio", "x"), ("node-ipc", None), ("redis://x", None), ("http://x", "y"), ("", None)]
)
def test_a_source_that_is_none(name, key):
    with pytest.raises(ValueError, match="the source is"):
        asyncio.run(open_source(name, key, "g", 1.0))


def test_a_message_of_a_stream_is_acknowledged_with_its_answer(url, key):
    async def main() -> None:
        source = RedisSource(url, key, "g", 30.0)
        async with await redis_aio.stream(url, f"{key}:answers") as answers:
            with contextlib.suppress(TimeoutError):
                await answers.receive(timeout=0)
            async with await redis_aio.stream(url, key) as jobs:
                id = await jobs.send({"n": 1})
            job = await source.receive()
            assert job.data == {"n": 1}
            await job.renew()
            await job.answer([1])
            found = await answers.receive(timeout=20)
            assert (found.data, found.message_id) == ([1], id)
        await source.close()

    asyncio.run(main())


def test_an_event_of_node_ipc_is_answered_by_its_peer(tmp_path):
    async def main() -> None:
        source = NodeIpcSource(await aio.serve(path=str(tmp_path / "s")))
        async with await aio.connect(path=str(tmp_path / "s")) as client:
            found = []
            for answer in (5, {"type": "named", "data": 6}, {"type": "connect", "data": 7}):
                await client.send("ask", 1)
                job = await source.receive()
                assert job.data == {"type": "ask", "data": 1}
                await job.answer(answer)
                event = await client.receive(timeout=20)
                found.append((event.type, event.data))
            await client.send("ask", 1)
            last = await source.receive()
        assert found == [("ask", 5), ("named", 6), ("invalid", 7)]
        await last.answer(8)  # its peer has gone
        await source.close()

    asyncio.run(main())
