"""An ASGI application in a worker: the connections that uvicorn counts as idle."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
import uvicorn

from nodechannel._cluster.asgi import WorkerServer


@pytest.mark.parametrize(
    ("begun", "opened", "forced", "unheard"),
    [
        (0, 0, False, False),
        (1, 1, False, False),
        (0, 1, False, True),
        (1, 2, False, True),
        (0, 1, True, False),
    ],
)
def test_a_connection_without_a_request_is_waited_for(begun, opened, forced, unheard):
    worker: Any = None
    server = WorkerServer(uvicorn.Config("x:y"), worker, {})
    server._server = SimpleNamespace(connections=opened)  # type: ignore[assignment]
    server.server_state.connections = [SimpleNamespace(cycle=object()) for _ in range(begun)]  # type: ignore[assignment]
    server.force_exit = forced
    assert server._unheard() is unheard
