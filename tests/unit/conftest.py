"""Shared by the tests of carriers in Redis: a server for each process of the test runner, and a key for each test."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from support.redis import Redis

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="session")
def server() -> Iterator[Redis]:
    with Redis() as running:
        yield running


@pytest.fixture
def url(server):
    return f"redis://127.0.0.1:{server.port}"


@pytest.fixture
def key(request):
    """A name for this test alone."""
    return re.sub(r"[^a-zA-Z0-9_-]", "-", f"{request.node.path.parent.name}-{request.node.name}")
