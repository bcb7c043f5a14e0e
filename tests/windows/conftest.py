"""Tests in the laboratory of Windows: `make test-windows` runs them, and `make test` leaves them out."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from support import windows

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(scope="session")
def laboratory() -> windows.Laboratory:
    """Return the laboratory, or skip: `make test-windows` has said loudly why there is none."""
    try:
        return windows.laboratory()
    except windows.NoLaboratoryError as error:
        pytest.skip(f"no laboratory of Windows: {error}")


@pytest.fixture(params=windows.MAJORS, ids=lambda major: f"node{major}")
def node(request: pytest.FixtureRequest, laboratory: windows.Laboratory) -> Path:
    """Return a Node for Windows."""
    return laboratory.nodes[request.param]


def pytest_sessionfinish(session: pytest.Session) -> None:
    """End the processes of Wine, once the last process of the tests is done with them."""
    if not hasattr(session.config, "workerinput") and (windows.PLACE / "prefix").exists():
        windows.end(windows.PLACE / "prefix")
