"""Each codec in turn."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from support.codecs import READERS, WRITERS

if TYPE_CHECKING:
    from collections.abc import Callable


@pytest.fixture(params=READERS, ids=lambda path: path.__name__.rpartition(".")[2])
def decode(request: pytest.FixtureRequest) -> Callable[[bytes], Any]:
    path: Any = request.param
    return path.decode  # type: ignore[no-any-return]


@pytest.fixture(params=WRITERS, ids=lambda path: path.__name__.rpartition(".")[2])
def encode(request: pytest.FixtureRequest) -> Callable[..., bytes]:
    path: Any = request.param
    return path.encode  # type: ignore[no-any-return]
