"""Fixtures of the tests against real npm packages."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING

import pytest

from support.packages import packages as installed
from support.pm2 import PM2

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path


@pytest.fixture(scope="session")
def packages() -> Path:
    """The folder whose `node_modules` holds the pinned packages."""
    return installed()


@pytest.fixture
def script(tmp_path: Path) -> Callable[[str, str], Path]:
    """Write a program to a file; the name decides what runs it."""

    def write(name: str, source: str) -> Path:
        path = tmp_path / name
        path.write_text(textwrap.dedent(source))
        return path

    return write


@pytest.fixture(scope="module")
def daemon(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PM2]:
    """PM2's daemon, one for the tests of a module."""
    with PM2(tmp_path_factory.mktemp("pm2")) as pm2:
        yield pm2


@pytest.fixture
def pm2(daemon: PM2) -> Iterator[PM2]:
    """PM2's daemon without programs."""
    yield daemon
    daemon.clear()
