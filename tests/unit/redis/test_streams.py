"""A stream with a consumer group: deliveries, acknowledgements, limits."""

from __future__ import annotations

import math

import pytest

from nodechannel import errors, redis


def test_a_stream_keeps_so_many_messages_at_least(url, key):
    import redis as client

    with redis.stream(url, key, max_length=10) as stream, client.Redis.from_url(url) as other:
        stream.send_many(range(500))
        assert 10 <= other.xlen(key) < 500


def test_messages_that_were_read_ahead_come_at_once(url, key):
    with redis.stream(url, key) as stream:
        stream.send_many(range(5))
        assert stream.receive(timeout=20).data == 0
        assert stream.pending == 4
        assert [entry.data for entry in stream.receive_many(timeout=20)] == [1, 2, 3, 4]


@pytest.mark.parametrize(
    "option",
    [
        {"claim_after": 0},
        {"claim_after": math.nan},
        {"claim_after": None},
        {"retry": 0},
        {"retry": True},
        {"prefetch": 0},
        {"prefetch": 1.5},
        {"max_attempts": 0},
        {"max_length": 0},  # Redis would drop each message at once
    ],
)
def test_an_option_of_a_stream_that_is_no_number_above_zero_is_refused(option, url):
    [name] = option
    with pytest.raises(ValueError, match=name):
        redis.stream(url, "refused", **option)


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
