"""`nodechannel.redis` with npm `redis` and `ioredis` at the same streams, lists and channels of a real Redis."""

from __future__ import annotations

import asyncio
import json
import re
import subprocess
import sys
import threading
from typing import TYPE_CHECKING, Any

import pytest

import nodechannel
from nodechannel import errors, redis
from nodechannel.redis import asyncio as aio
from support.node import node
from support.redis import Failover, LossyWay, Redis

pytestmark = [
    pytest.mark.package(name, "producer or consumer", "`nodechannel.redis`") for name in ("redis", "ioredis")
]

if TYPE_CHECKING:
    from collections.abc import Iterator

VALUES: list[Any] = [None, 0, -1.5, 2**53 - 1, "é😀\u2028", [1, [2]], {"a": {"b": None}}, ""]

# The same few words in both packages: `call` sends a command as it stands.
CLIENTS = {
    "redis": """
        const { createClient } = require('redis');
        const client = createClient({ url: process.argv[2] });
        const ready = client.connect();
        const call = (...words) => client.sendCommand(words.map(String));
        const listen = async (name, handle) => {
          const listener = client.duplicate();
          await listener.connect();
          await listener.subscribe(name, handle);
        };
    """,
    "ioredis": """
        const Redis = require('ioredis');
        const client = new Redis(process.argv[2]);
        const ready = Promise.resolve();
        const call = (...words) => client.call(...words);
        const listen = async (name, handle) => {
          const listener = client.duplicate();
          listener.on('message', (channel, text) => handle(text));
          await listener.subscribe(name);
        };
    """,
}
COMMANDS = """
    process.on('message', async (words) => {
      await ready;
      if (words[0] === 'LISTEN') {
        await listen(words[1], (text) => process.send({ heard: text }));
        process.send({ value: 'listening' });
      } else process.send(await call(...words).then((value) => ({ value }), (error) => ({ value: String(error) })));
    });
"""


@pytest.fixture(scope="module")
def server() -> Iterator[Redis]:
    with Redis() as running:
        yield running


@pytest.fixture
def url(server):
    return f"redis://127.0.0.1:{server.port}"


@pytest.fixture
def key(request):
    return re.sub(r"\W", "-", request.node.name)


@pytest.fixture(params=CLIENTS)
def npm(request, url, packages, script):
    """Commands of a real client in a Node process."""
    program = script("program.cjs", CLIENTS[request.param] + COMMANDS)
    (program.parent / "node_modules").symlink_to(packages / "node_modules")
    with nodechannel.fork(program, url, exec_path=node()) as child:

        def call(*words: Any) -> Any:
            child.send(list(words))
            return child.receive(timeout=20).data["value"]

        call.heard = lambda: json.loads(child.receive(timeout=20).data["heard"])  # type: ignore[attr-defined]
        yield call
        child.kill()


# Streams.


@pytest.mark.rule("RDS-001", "RDS-010", "RDS-013")
def test_a_stream_from_node_and_to_node(npm, url, key):
    with redis.stream(url, key, group="g") as stream:
        for value in VALUES:
            npm("XADD", key, "*", "data", json.dumps(value))
        found = [stream.receive(timeout=5) for _ in VALUES]
        assert [entry.data for entry in found] == VALUES
        assert {entry.message_id for entry in found} == {None}
        stream.acknowledge(*found)
        ids = stream.send_many(VALUES)
        entries = [fields for _, fields in npm("XRANGE", key, "-", "+")][len(VALUES) :]
        assert [json.loads(fields[1]) for fields in entries] == VALUES
        assert [fields[2:] for fields in entries] == [["id", id] for id in ids]
        assert npm("XPENDING", key, "g")[0] == 0


@pytest.mark.rule("RDS-012", "RDS-015")
def test_another_consumer_takes_over(npm, url, key):
    with redis.stream(url, key, group="g", claim_after=0.2, max_attempts=3) as stream:
        stream.send({"n": 1})
        # A consumer of Node dies with the message in its hands.
        npm("XGROUP", "CREATE", key, "g", "0")
        assert npm("XREADGROUP", "GROUP", "g", "dead", "STREAMS", key, ">")
        for attempts in (2, 3):
            entry = stream.receive(timeout=5)
            assert (entry.data, entry.attempts) == ({"n": 1}, attempts)
        # Three deliveries were in vain.
        with pytest.raises(TimeoutError):
            stream.receive(timeout=0.8)
        assert npm("XPENDING", key, "g")[0] == 0
        assert npm("XRANGE", f"{key}:dead", "-", "+")[0][1][:2] == ["data", '{"n":1}']


@pytest.mark.rule("RDS-016")
def test_a_message_that_is_renewed_stays_with_its_consumer(url, key):
    with redis.stream(url, key, claim_after=0.4) as first, redis.stream(url, key, claim_after=0.4) as other:
        assert first.send(1, id="mine") == "mine"
        entry = first.receive(timeout=5)
        assert entry.message_id == "mine"
        for _ in range(5):
            with pytest.raises(TimeoutError):
                other.receive(timeout=0.2)
            first.renew(entry)
        again = other.receive(timeout=5)
        assert (again.data, again.attempts) == (1, 2)


def test_consumers_share_a_stream(url, key):
    with redis.stream(url, key, prefetch=1) as first, redis.stream(url, key, prefetch=1) as second:
        first.send_many(range(20))
        found = []
        for _ in range(10):
            for consumer in (first, second):
                entry = consumer.receive(timeout=5)
                consumer.acknowledge(entry)
                found.append(entry.data)
        assert sorted(found) == list(range(20))
        with pytest.raises(TimeoutError):
            first.receive(timeout=0.1)


def test_a_message_that_is_no_json_is_an_error_in_its_place(url, key, server):
    import redis as client

    with redis.stream(url, key) as stream, client.Redis.from_url(url) as other:
        other.xadd(key, {"data": "stray"})
        stream.send(1)
        with pytest.raises(errors.InvalidJson, match="stray"):
            stream.receive(timeout=5)
        assert stream.receive(timeout=5).data == 1


# Lists.


@pytest.mark.rule("RDS-020", "RDS-023")
def test_a_list_from_node_and_to_node(npm, url, key):
    with redis.queue(url, key) as queue:
        for value in VALUES:
            npm("LPUSH", key, json.dumps(value))
        found = [queue.receive(timeout=5) for _ in VALUES]
        assert [entry.data for entry in found] == VALUES
        assert npm("LLEN", key) == 0
        queue.acknowledge(*found)
        for value in VALUES:
            queue.send(value)
        assert [json.loads(npm("RPOP", key)) for _ in VALUES] == VALUES
    assert [name for name in npm("KEYS", f"{key}*") if "processing" in name] == []


@pytest.mark.rule("RDS-021", "RDS-022")
def test_a_list_loses_nothing_when_a_consumer_dies(url, key, script):
    program = script(
        "consumer.py",
        """
        import sys
        from nodechannel import redis
        queue = redis.queue(*sys.argv[1:], alive=0.4)
        for _ in range(2):
            print(queue.receive().data, flush=True)
        sys.stdin.read()
        """,
    )
    with redis.queue(url, key, alive=0.4) as queue:
        for number in range(3):
            queue.send(number)
        with subprocess.Popen(
            [sys.executable, str(program), url, key],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            process_group=0,
        ) as consumer:
            assert consumer.stdout is not None
            assert [consumer.stdout.readline() for _ in range(2)] == [b"0\n", b"1\n"]
            consumer.kill()
        found = [queue.receive(timeout=5) for _ in range(3)]
        # A returned message comes before new messages, unless a new message was taken first.
        assert sorted(entry.data for entry in found) == [0, 1, 2]
        queue.acknowledge(*found)


@pytest.mark.rule("RDS-024")
def test_a_list_finds_the_message_of_a_lost_answer(url, key, server):
    with (
        LossyWay(server.port) as way,
        redis.queue(f"redis://127.0.0.1:{way.port}", key) as queue,
        redis.queue(url, key) as producer,
    ):
        producer.send(1)
        first = queue.receive(timeout=5)
        way.losing = b"second"
        producer.send("second")
        second = queue.receive(timeout=20)
        assert not way.losing
        assert [first.data, second.data] == [1, "second"]
        queue.acknowledge(first, second)
        producer.send(3)
        assert queue.receive(timeout=5).data == 3


@pytest.mark.rule("RDS-025")
def test_an_acknowledgement_of_a_lost_answer_removes_no_equal_message(url, key, server):
    with (
        LossyWay(server.port) as way,
        redis.queue(f"redis://127.0.0.1:{way.port}", key) as queue,
        redis.queue(url, key) as producer,
    ):
        for _ in range(3):
            producer.send("equal")
        first, second, _third = (queue.receive(timeout=5) for _ in range(3))
        way.losing = b":1\r\n"
        queue.acknowledge(first, timeout=20)
        assert not way.losing
        queue.acknowledge(first)  # a user may not know either
        queue.acknowledge(second)
        queue.close()
        assert producer.receive(timeout=5).data == "equal"
        with pytest.raises(TimeoutError):
            producer.receive(timeout=0.1)


@pytest.mark.rule("RDS-024")
def test_threads_share_a_list_and_each_message_comes_once(url, key):
    found: list[int] = []
    with redis.queue(url, key) as queue, redis.queue(url, key) as producer:

        def consume() -> None:
            while (entry := queue.receive(timeout=20)).data is not None:
                found.append(entry.data)
                queue.acknowledge(entry)

        threads = [threading.Thread(target=consume) for _ in range(4)]
        for thread in threads:
            thread.start()
        for number in [*range(200), *[None] * len(threads)]:
            producer.send(number)
        for thread in threads:
            thread.join()
    assert sorted(found) == list(range(200))


def test_a_list_that_closes_gives_back_what_it_has(url, key):
    with redis.queue(url, key) as first, redis.queue(url, key) as second:
        for number in range(3):
            first.send(number)
        assert [second.receive(timeout=5).data for _ in range(3)] == [0, 1, 2]
        second.close()
        assert [first.receive(timeout=5).data for _ in range(3)] == [0, 1, 2]


def test_a_list_without_acknowledgement(npm, url, key):
    with redis.queue(url, key, reliable=False) as queue:
        npm("LPUSH", key, "1", "2")
        assert [queue.receive(timeout=5).data for _ in range(2)] == [1, 2]
        assert npm("KEYS", f"{key}*") == []
        # Without an acknowledgement no call would take a remembered message back.
        assert not queue._inner._held
        with pytest.raises(TimeoutError):
            queue.receive(timeout=0.1)


# Channels.


def test_channels_both_ways(npm, url, key):
    with redis.channels(url, key, patterns=[f"{key}.*"]) as channels:
        assert npm("PUBLISH", key, json.dumps(VALUES)) == 1
        assert channels.receive(timeout=5) == (key, VALUES)
        npm("PUBLISH", f"{key}.sub", "1")
        assert channels.receive(timeout=5) == redis.Published(f"{key}.sub", 1)
        assert npm("LISTEN", f"{key}-node") == "listening"
        assert channels.send(f"{key}-node", {"é": 1}) == 1
        assert npm.heard() == {"é": 1}
        assert channels.send_many(f"{key}-node", range(3)) == [1, 1, 1]
        assert [npm.heard() for _ in range(3)] == [0, 1, 2]
        assert channels.send("nobody", 1) == 0
    with redis.channels(url) as sender, pytest.raises(ValueError, match="no channel to listen to"):
        sender.receive()


@pytest.mark.rule("RDS-031")
def test_a_gap_is_told(url, key):
    import redis as client

    with redis.channels(url, key) as channels, client.Redis.from_url(url) as other:
        assert channels.send(key, 1) == 1
        assert channels.receive(timeout=5).data == 1
        other.client_kill_filter(_type="pubsub")
        with pytest.raises(errors.ConnectionLost, match="may be missing"):
            channels.receive(timeout=5)
        assert channels.send(key, 2) == 1
        assert channels.receive(timeout=5).data == 2


# Both front ends, and the end.


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


def test_everything_ends_with_an_error_that_says_so(url, key):
    made: list[Any] = [redis.stream(url, key), redis.queue(url, f"{key}-list"), redis.channels(url, key)]
    for each in made:
        with pytest.raises(TimeoutError):
            each.receive(timeout=0)
        each.close()
        each.close()
        for call in (each.receive, lambda each=each: each.send(*["x"] * (2 if each is made[2] else 1))):
            with pytest.raises(errors.ChannelClosed):
                call()
        assert list(each) == []


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


@pytest.mark.rule("RDS-002", "RDS-003")
def test_a_primary_that_dies_takes_no_message_with_it(tmp_path):
    with (
        Failover(tmp_path) as pair,
        redis.stream(pair.url, "stream", replicas=1, claim_after=2.0) as stream,
        redis.queue(pair.url, "list", replicas=1) as queue,
    ):
        stream.send_many(range(100), timeout=60)
        for number in range(10):
            queue.send(number, timeout=60)
        pair.fail_over()
        stream.send(100, timeout=60)
        # The id of a message tells the copy of a lost answer.
        found = {stream.receive(timeout=60).data for _ in range(101)}
        assert found == set(range(101))
        assert [queue.receive(timeout=60).data for _ in range(10)] == list(range(10))


def test_a_message_that_no_replica_has_is_not_reported_as_sent(url, key):
    with redis.queue(url, key, replicas=1) as queue, pytest.raises(errors.ConnectionLost, match="0 of 1"):
        queue.send(1)
    with redis.stream(url, key + "s", replicas=1) as stream, pytest.raises(TimeoutError, match="0 of 1"):
        stream.send(1, timeout=0.1)


def test_a_url_of_sentinels_without_a_name_is_refused(key):
    with pytest.raises(ValueError, match="names the Sentinels and the primary"):
        redis.stream("redis+sentinel://localhost:26379", key)
