"""The blocking front ends over Redis, and their end."""

from __future__ import annotations

from typing import Any

import pytest

from nodechannel import errors, redis


def test_no_messages_over_redis(url):
    with redis.stream(url, "empty") as stream, redis.channels(url) as channels:
        assert stream.send_many([]) == []
        assert channels.send_many("empty", []) == []
        stream.acknowledge()
        stream.renew()


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
