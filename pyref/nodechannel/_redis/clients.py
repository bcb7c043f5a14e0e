"""Clients of redis-py by their URL: of one server, or of the primary that Sentinel names."""

from __future__ import annotations

from typing import Any
from urllib.parse import unquote, urlsplit

from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.asyncio.sentinel import Sentinel
from redis.backoff import NoBackoff

_SENTINEL = "redis+sentinel"
_SENTINEL_PORT = 26379


def open_client(url: str, answer_time: float) -> list[Any]:
    """Return the client of a URL, and behind it those that it asks for the primary's address. Raises `ValueError`.

    Args:
        url: as `Server` takes it.
        answer_time: seconds that a server has to answer.
    """
    # Shapes of answers differ between the two protocols.
    options: dict[str, Any] = {
        "protocol": 2,
        "retry": Retry(NoBackoff(), 0),
        "socket_timeout": answer_time,
        "socket_connect_timeout": answer_time,
    }
    if not str(url).startswith(f"{_SENTINEL}://"):
        return [Redis.from_url(url, **options)]
    parts = urlsplit(url)
    credentials, _, hosts = parts.netloc.rpartition("@")
    name, _, database = parts.path.removeprefix("/").partition("/")
    if not hosts or not name:
        raise ValueError(f"{_SENTINEL}://HOST:PORT,HOST:PORT/NAME names the Sentinels and the primary")
    user, _, password = credentials.partition(":")
    login: dict[str, Any] = {"username": unquote(user) or None, "password": unquote(password) or None}
    sentinel: Any = Sentinel(list(map(_place, hosts.split(","))), sentinel_kwargs=options)  # type: ignore[no-untyped-call]
    # [RDS-002] Each new connection asks for the primary.
    primary = sentinel.master_for(unquote(name), db=int(database or 0), **login, **options)
    return [primary, *sentinel.sentinels]


def _place(text: str) -> tuple[str, int]:
    host, colon, port = text.rpartition(":")
    return (host.strip("[]"), int(port)) if colon else (text, _SENTINEL_PORT)
