"""A channel, and the plain socket at its far end, in the hands of the test."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def peer(pair: tuple[Any, socket.socket]) -> socket.socket:
    """The raw far end of `channel`."""
    return pair[1]


@pytest.fixture
def channel(pair: tuple[Any, socket.socket]) -> Any:
    """A channel; `peer` is its far end."""
    return pair[0]


@pytest.fixture
def pair(api: Any) -> Iterator[tuple[Any, socket.socket]]:
    ours, theirs = socket.socketpair()
    theirs.settimeout(20)
    channel = api.channel(ours)
    yield channel, theirs
    channel.close()
    theirs.close()
