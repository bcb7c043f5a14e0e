"""The control channel: lines out."""

from __future__ import annotations

import os
import threading
from typing import Any

import nodechannel
from nodechannel._json.codec import encode

_output = threading.Lock()


def put(line: dict[str, Any]) -> None:
    """Write a whole line of the control channel. A message in it is tagged already."""
    data = encode(line, unsafe_integers=True)
    with _output:
        while data:
            data = data[os.write(1, data) :]


def describe(error: Exception) -> dict[str, Any]:
    """Return an error as the contract has it."""
    blame = "remote" if isinstance(error, nodechannel.RemoteError) else "local"
    return {"blame": blame, "code": getattr(error, "code", type(error).__name__), "text": str(error)}
