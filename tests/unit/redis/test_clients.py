"""Clients by their URL: of a server, or of the primary that Sentinel names."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from nodechannel import redis


@pytest.mark.parametrize("url", ["http://localhost", "redis://localhost:port", "redis+sentinel:///name"])
def test_a_url_that_names_no_server_is_refused(url, key):
    with pytest.raises(ValueError):  # noqa: PT011 (the text is redis-py's own for some)
        redis.stream(url, key)


def test_a_sentinel_without_a_port_is_asked_at_its_own():
    from nodechannel._redis.clients import open_client

    async def main() -> list[Any]:
        primary, *sentinels = open_client("redis+sentinel://me:p%40ss@one,two:5/main/3", 1.0)
        places = [each.connection_pool.connection_kwargs for each in sentinels]
        options = primary.connection_pool.connection_kwargs
        return [(place["host"], place["port"]) for place in places] + [
            options["username"],
            options["password"],
            options["db"],
        ]

    assert asyncio.run(main()) == [("one", 26379), ("two", 5), "me", "p@ss", 3]


def test_a_url_of_sentinels_without_a_name_is_refused(key):
    with pytest.raises(ValueError, match="names the Sentinels and the primary"):
        redis.stream("redis+sentinel://localhost:26379", key)
