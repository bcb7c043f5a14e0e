"""A command with a tap in front of it."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from typing import TYPE_CHECKING, Any

from support.node import node

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

TAP = (sys.executable, "-m", "channelkit", "tap")


class Tapped:
    """A command with a tap in front of it, and the parent's end of its channel."""

    def __init__(
        self,
        target: Path,
        command: Sequence[str],
        *words: str,
        mode: str = "json",
        env: dict[str, str] | None = None,
        output: bool = True,
    ) -> None:
        self.end, child = socket.socketpair()
        self.end.settimeout(20)
        with child:
            self.process = subprocess.Popen(
                [*TAP, *words, *(("-o", str(target)) if output else ()), "--", *command],
                env={
                    **os.environ,
                    "NODE_CHANNEL_FD": str(child.fileno()),
                    "NODE_CHANNEL_SERIALIZATION_MODE": mode,
                    **(env or {}),
                },
                pass_fds=[child.fileno()],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                process_group=0,
            )

    def line(self) -> Any:
        data = b""
        while not data.endswith(b"\n"):
            data += self.end.recv(1)
        return json.loads(data)

    def finish(self) -> int:
        """Ends the channel and waits for the child and for its standard streams."""
        self.end.close()
        self.process.communicate(timeout=20)
        return self.process.returncode


def script(folder: Path, text: str) -> tuple[str, str]:
    path = folder / "child.cjs"
    path.write_text(text, "utf-8")
    return node(), str(path)
