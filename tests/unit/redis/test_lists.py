"""A list as a queue of work, which loses no message."""

from __future__ import annotations

import subprocess
import sys
import threading

import pytest

from nodechannel import redis
from support.redis import LossyWay


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
