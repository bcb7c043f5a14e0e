"""Channels of Redis: a message reaches all listeners."""

from __future__ import annotations

import pytest

from nodechannel import errors, redis


def test_names_and_patterns(url, key):
    with redis.channels(url, key, patterns=[f"{key}.*"]) as listener, redis.channels(url) as sender:
        assert sender.send(key, 1) == 1
        assert sender.send_many(f"{key}.a", [2, 3]) == [1, 1]
        assert sender.send(f"{key}x", 4) == 0
        found = [listener.receive(timeout=20) for _ in range(3)]
        assert found == [(key, 1), (f"{key}.a", 2), (f"{key}.a", 3)]
        with pytest.raises(TimeoutError):
            listener.receive(timeout=0.01)


def test_a_message_that_is_no_json_is_an_error_in_its_place(url, key):
    import redis as client

    with redis.channels(url, key) as listener, client.Redis.from_url(url) as other:
        other.publish(key, b"stray")
        other.publish(key, b"1")
        with pytest.raises(errors.InvalidJson, match="stray"):
            listener.receive(timeout=20)
        assert listener.receive(timeout=20).data == 1


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
