"""Names of consumers."""

from __future__ import annotations

import os
import socket
import uuid


def consumer_name() -> str:
    """Return a name that is new among the consumers."""
    return f"{socket.gethostname()}-{os.getpid()}-{uuid.uuid4().hex[:8]}"
