"""A Node primary on strings, and clients of its workers."""

from __future__ import annotations

import json
import os
import select
import socket
import subprocess
import sys
import time
from typing import TYPE_CHECKING, Any, Self

from support.node import FIXTURES, node

if TYPE_CHECKING:
    from pathlib import Path

# Generous: a loaded machine starts an interpreter slowly.
PATIENCE = 30.0


class NodePrimary:
    """Node's `cluster` with `node-interop/fixtures/cluster/primary.cjs`.

    Attributes:
        events: its events that the test has not asked for yet.
    """

    def __init__(self, policy: str = "rr") -> None:
        self.policy = policy
        self.process = subprocess.Popen(
            [node(), str(FIXTURES / "cluster" / "primary.cjs"), policy],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            process_group=0,
            bufsize=0,
        )
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self._stdin, self._stdout = self.process.stdin, self.process.stdout
        self._text = b""
        self.events: list[dict[str, Any]] = []

    def do(self, **command: Any) -> None:
        """Give a command."""
        self._stdin.write(json.dumps(command).encode() + b"\n")

    def fork(self, script: Path, *args: str, interpreter: str = sys.executable, **env: str) -> int:
        """Start a worker; return its number."""
        self.do(fork=interpreter, script=str(script), args=args, env=env)
        return int(self.expect("fork")["id"])

    def expect(self, event: str, **members: Any) -> dict[str, Any]:
        """Wait for an event and return it."""
        deadline = time.monotonic() + PATIENCE
        wanted = {"event": event, **members}
        while True:
            for seen in self.events:
                if all(seen.get(name) == value for name, value in wanted.items()):
                    self.events.remove(seen)
                    return seen
            self._read(deadline, wanted)

    def message(self, id: int) -> Any:
        """Wait for the next message of a worker."""
        return self.expect("message", id=id)["message"]

    def listening(self, id: int) -> dict[str, Any]:
        """Wait until a worker listens; return the address."""
        return dict(self.expect("listening", id=id)["address"])

    def rest(self) -> bytes:
        """Read until every process that writes to this primary's standard output has ended."""
        deadline, received = time.monotonic() + PATIENCE, b""
        while True:
            readable, _, _ = select.select([self._stdout], [], [], max(0.0, deadline - time.monotonic()))
            assert readable, "somebody goes on"
            if not (chunk := os.read(self._stdout.fileno(), 65536)):
                return received
            received += chunk

    def _read(self, deadline: float, wanted: object) -> None:
        readable, _, _ = select.select([self._stdout], [], [], max(0.0, deadline - time.monotonic()))
        chunk = os.read(self._stdout.fileno(), 65536) if readable else b""
        assert chunk, f"waited for {wanted}, seen: {self.events}"
        *lines, self._text = (self._text + chunk).split(b"\n")
        self.events += [json.loads(line) for line in lines]

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: object, error: object, trace: object) -> None:
        self._stdin.close()
        try:
            self.process.wait(PATIENCE)
        finally:
            self.process.kill()
            self.process.wait()
            self._stdout.close()


def talk(port: int, text: bytes = b"hello", family: socket.AddressFamily = socket.AF_INET) -> bytes:
    """Connect, send a request, read to the end."""
    with socket.create_connection(
        ("::1" if family == socket.AF_INET6 else "127.0.0.1", port), timeout=PATIENCE
    ) as client:
        client.sendall(text)
        client.shutdown(socket.SHUT_WR)
        return read_all(client)


def read_all(client: socket.socket) -> bytes:
    """Read to the end."""
    received = b""
    while chunk := client.recv(65536):
        received += chunk
    return received
