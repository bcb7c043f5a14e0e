"""Workers that break every habit: a shell script that writes given bytes to the channel and ends."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

# Writes the lines of a file to the channel. Then it sends each line that it reads back as a user message, until it is asked to end.
RAW_WORKER = """
import json, os, socket, sys
channel = socket.socket(fileno=int(os.environ["NODE_CHANNEL_FD"]))
channel.sendall(open(sys.argv[1], "rb").read())
for line in channel.makefile("rb"):
    message = json.loads(line)
    if isinstance(message, dict) and message.get("act") == "disconnect":
        break
    channel.sendall(json.dumps({"got": message}).encode() + b"\\n")
"""


def frame(**members: Any) -> bytes:
    """Return the line of a message of the cluster."""
    return json.dumps({"cmd": "NODE_CLUSTER", **members}).encode("utf-8", "surrogatepass") + b"\n"


def raw_worker(folder: Path, *lines: bytes) -> list[str]:
    """Return the command of a worker that writes these lines and reports each line that it reads."""
    (folder / "raw.py").write_text(RAW_WORKER)
    (folder / "lines").write_bytes(b"".join(lines))
    return [sys.executable, "-S", str(folder / "raw.py"), str(folder / "lines")]


def dying_worker(folder: Path, data: bytes, name: str) -> Sequence[str]:
    """Return the command of a worker that writes these bytes and ends at once."""
    path = folder / name
    path.write_bytes(data)
    # Not every shell can redirect to a descriptor of two digits; bash can.
    return ["/bin/bash", "-c", f'exec cat "{path}" >&$NODE_CHANNEL_FD']
