"""Tests in the laboratory of Windows: `make test-windows` runs them, and `make test` leaves them out.

On Windows itself they run by `python -m pytest -o addopts=--import-mode=importlib -m windows --confcutdir=tests/windows tests/windows`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from support import windows

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(scope="session")
def laboratory() -> windows.Laboratory:
    """Return the laboratory, or skip: `make test-windows` has said loudly why there is none. Windows itself is a laboratory."""
    try:
        return windows.laboratory()
    except windows.NoLaboratoryError as error:
        if windows.ON_WINDOWS:
            raise
        pytest.skip(f"no laboratory of Windows: {error}")


@pytest.fixture(params=windows.MAJORS, ids=lambda major: f"node{major}")
def node(request: pytest.FixtureRequest, laboratory: windows.Laboratory) -> Path:
    """Return a Node for Windows; on Windows itself that is the Node on PATH alone."""
    found = laboratory.nodes.get(request.param)
    if found is None and not windows.ON_WINDOWS:
        pytest.fail(f"the laboratory has no Node {request.param}")
    if found is None:
        pytest.skip(f"Node {request.param} is not the Node on PATH")
    return found


def pytest_sessionfinish(session: pytest.Session) -> None:
    """End the processes of Wine, once the last process of the tests is done with them."""
    if (
        not hasattr(session.config, "workerinput")
        and not windows.ON_WINDOWS
        and (windows.PLACE / "prefix").exists()
    ):
        windows.end(windows.PLACE / "prefix")
