"""A queue of `rsmq` with asyncio: delays, a server that is away, iteration."""

from __future__ import annotations

import asyncio
import json
import time

import pytest

from nodechannel import errors, rsmq
from nodechannel.rsmq import asyncio as aio
from support.redis import Redis


@pytest.fixture
def name(key):
    return key


def test_a_message_is_hidden_from_others_until_it_is_due(url, name):
    async def main() -> None:
        async with await aio.queue(url, name) as queue, await aio.queue(url, name) as other:
            await queue.create(vt=60)
            id = await queue.send("x")
            first = await queue.receive(timeout=20)
            assert (first.id, first.rc) == (id, 1)
            with pytest.raises(TimeoutError):
                await other.receive(timeout=0)
            assert await queue.change_visibility(id, 0)
            assert (await other.receive(timeout=20)).rc == 2
            assert await queue.delete(id)
            assert not await queue.change_visibility(id, 0)

    asyncio.run(main())


def test_a_lone_surrogate_reaches_rsmq_as_node_writes_it(url):
    with rsmq.queue(url, "surrogates") as queue:
        queue.create()
        queue.send("a\ud800b")
        assert queue.pop(20).message == "a\ufffdb"


def test_a_delay_hides_a_message(url, name):
    with rsmq.queue(url, name) as queue:
        queue.create(delay=1)
        start = time.monotonic()
        queue.send("late")
        queue.send("soon", delay=0)
        assert [queue.receive(timeout=5).message for _ in range(2)] == ["soon", "late"]
        assert 0.9 < time.monotonic() - start < 3


def test_a_server_that_is_away_is_waited_for(name):
    with Redis() as redis:
        url = f"redis://127.0.0.1:{redis.port}"
        with rsmq.queue(url, name) as queue:
            queue.create()
            redis.restart()
            with pytest.raises(rsmq.QueueError, match="Queue not found"):
                queue.receive(timeout=20)
            redis.process.kill()
            redis.process.wait()
            with pytest.raises(errors.ConnectionLost):
                queue.send("x")
            with pytest.raises(TimeoutError):
                queue.receive(timeout=0.3)


def test_asyncio_has_the_same_words(url, name):
    async def main() -> list[str]:
        async with await aio.queue(url, name) as queue:
            await queue.create()
            for number in range(3):
                await queue.send(json.dumps(number))
            found = []
            async for message in queue:
                found.append(message.message)
                assert await queue.delete(message.id)
                if len(found) == 3:
                    return found
            return found

    assert asyncio.run(main()) == ["0", "1", "2"]
