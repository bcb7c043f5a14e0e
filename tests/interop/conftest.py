"""Children written in the test, run by real interpreters."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING

import pytest

from support.node import node

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


@pytest.fixture
def script(tmp_path: Path) -> Callable[[str, str], Path]:
    """Write a program to a file; the ending of its name decides the interpreter."""

    def write(name: str, source: str) -> Path:
        path = tmp_path / name
        path.write_text(textwrap.dedent(source))
        return path

    return write


@pytest.fixture
def fork(api, script):
    """Fork a Node script given as text."""

    def start(source: str, *args, **options):
        return api.fork(script("child.cjs", source), *args, exec_path=node(), **options)

    return start
