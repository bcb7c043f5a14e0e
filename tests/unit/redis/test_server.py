"""Calls that are made once, and calls that are made until they succeed."""

from __future__ import annotations

import asyncio
import threading

import pytest

from nodechannel import errors, redis
from nodechannel._redis.server import FOREVER, Deadline, Server, milliseconds
from support.redis import LossyWay, Redis


def test_a_deadline_says_what_is_left():
    assert (FOREVER.passed, FOREVER.left(7)) == (False, 7)
    assert (Deadline(0).passed, Deadline(0).left()) == (True, 0)
    assert 0 < Deadline(1).left(5) <= 1
    assert [milliseconds(wait) for wait in (0, 0.0001, 1.5)] == [1, 1, 1500]


def test_a_call_says_whether_it_may_have_taken_effect(url, server):
    async def main() -> None:
        with LossyWay(server.port) as way:
            lossy = Server(f"redis://127.0.0.1:{way.port}", 0.01)
            way.losing = b":1"
            with pytest.raises(errors.ConnectionLost):
                await lossy.once(lambda client: client.incr("once"), "use")
            way.losing = b":1"
            # The lost answer belongs to a call that took effect; the next call counts further.
            assert await lossy.steadily(lambda client: client.incr("steadily"), "use") == 2
            with pytest.raises(redis.RedisRefused, match="not an integer"):
                await lossy.once(lambda client: client.incr("steadily", "x"), "use")
            with pytest.raises(errors.InvalidMessage):
                await lossy.once(lambda client: client.set("key", {}), "use")
            await lossy.close()
            with pytest.raises(errors.ChannelClosed):
                await lossy.once(lambda client: client.ping(), "use")

    asyncio.run(main())


@pytest.mark.rule("RDS-014")
def test_a_server_that_restarts_empty_is_used_again(key):
    with Redis() as running:
        url = f"redis://127.0.0.1:{running.port}"
        with redis.stream(url, key) as stream, redis.queue(url, key + "-list", alive=1) as queue:
            stream.send(1)
            assert stream.receive(timeout=5).data == 1
            timer = threading.Timer(0.3, running.restart)
            timer.start()
            with pytest.raises(TimeoutError):
                stream.receive(timeout=0.6)
            timer.join()
            stream.send(2)
            assert stream.receive(timeout=20).data == 2
            queue.send(3)
            assert queue.receive(timeout=20).data == 3


def test_a_server_that_is_full_or_away_is_an_error_that_says_so(key):
    with Redis("--maxmemory", "1mb", "--save", "") as running:
        url = f"redis://127.0.0.1:{running.port}"
        with redis.stream(url, key) as stream:
            with pytest.raises(redis.RedisRefused, match="maxmemory"):
                for _ in range(100):
                    stream.send("x" * 100_000)
            running.process.kill()
            running.process.wait()
            with pytest.raises(TimeoutError, match="not reached in time"):
                stream.send(1, timeout=0.2)
            with pytest.raises(TimeoutError):
                stream.receive(timeout=0.2)


def test_a_message_that_no_replica_has_is_not_reported_as_sent(url, key):
    with redis.queue(url, key, replicas=1) as queue, pytest.raises(errors.ConnectionLost, match="0 of 1"):
        queue.send(1)
    with redis.stream(url, key + "s", replicas=1) as stream, pytest.raises(TimeoutError, match="0 of 1"):
        stream.send(1, timeout=0.1)
