"""The mark that makes a child process a worker."""

from __future__ import annotations

import os

from nodechannel._start.adoption import adopt_with
from nodechannel._start.env import CHANNEL_FD
from nodechannel.errors import NotAWorker

TYPE_CHECKING = False
if TYPE_CHECKING:
    import socket

# [CLU-001]
UNIQUE_ID = "NODE_UNIQUE_ID"


def is_worker() -> bool:
    """Return whether this process was started as a worker and has not connected yet."""
    return bool(os.environ.get(UNIQUE_ID)) and bool(os.environ.get(CHANNEL_FD))


def adopt_worker(*, lifeline: bool = False, end_on_signal: bool = False) -> tuple[socket.socket, str, int]:
    """Take the channel, its serialization and this worker's number out of the environment ([CLU-002]).

    Raises `NotAWorker` when it has no number, and the errors of `nodechannel.connect`.
    """
    unique_id = os.environ.get(UNIQUE_ID)
    if not unique_id:
        raise NotAWorker
    sock, serialization = adopt_with(lifeline=lifeline, end_on_signal=end_on_signal)
    del os.environ[UNIQUE_ID]
    # Node takes 0 where the value is not a number.
    return sock, serialization, int(unique_id) if unique_id.isascii() and unique_id.isdigit() else 0
