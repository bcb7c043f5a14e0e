"""Names of consumers."""

from __future__ import annotations

import os
import socket

from nodechannel import redis
from nodechannel._redis.consumers import consumer_name


def test_each_consumer_has_a_name_of_its_own_that_shows_its_process():
    names = {consumer_name() for _ in range(100)}
    assert len(names) == 100
    assert all(name.startswith(f"{socket.gethostname()}-{os.getpid()}-") for name in names)


def test_a_consumer_is_seen_under_its_name(url, key):
    import redis as client

    with redis.stream(url, key, group="g", consumer="mine") as stream, client.Redis.from_url(url) as other:
        stream.send(1)
        stream.receive(timeout=20)
        assert [row["name"] for row in other.xinfo_consumers(key, "g")] == [b"mine"]
