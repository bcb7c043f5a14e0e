"""A daemon of the pinned PM2, in a home of its own and in the foreground, so that the test owns its process group."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from support.node import node
from support.packages import packages

if TYPE_CHECKING:
    from collections.abc import Callable

# Generous: a loaded machine starts an interpreter slowly.
PATIENCE = 50.0

# Calls PM2's own API in a single process: lines of JSON in, `{"answer"}`, `{"error"}` and `{"bus"}` out.
CLIENT = Path(__file__).resolve().parents[2] / "node-interop" / "fixtures" / "packages" / "pm2-client.cjs"


class PM2:
    """The daemon, and a program that calls it and listens on its bus.

    Attributes:
        home: PM2_HOME.
        bus: the events that were seen and not taken yet.
    """

    def __init__(self, home: Path, **environ: str) -> None:
        self.home = home
        root = packages() / "node_modules" / "pm2"
        # When the daemon dies it restarts itself by the command in `$_`; the command `true` makes that harmless.
        self._env = {**os.environ, "PM2_HOME": str(home), "_": "/bin/true", **environ}
        self._env.pop("NODE_CHANNEL_FD", None)
        self._log = (home / "daemon.log").open("wb")
        self.process = subprocess.Popen(
            [node(), str(root / "lib" / "Daemon.js")],
            env=self._env,
            stdin=subprocess.DEVNULL,
            stdout=self._log,
            stderr=self._log,
            start_new_session=True,
        )
        self._cli = [node(), str(root / "bin" / "pm2")]
        self._until(lambda: (home / "rpc.sock").exists() and (home / "pub.sock").exists(), "the daemon")
        self._client = subprocess.Popen(
            [node(), str(CLIENT), str(root)],
            env=self._env,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            process_group=0,
            text=True,
        )
        self.bus: list[dict[str, Any]] = []
        self._started = 0
        self._answer()

    def call(self, method: str, *args: Any) -> Any:
        """Call a function of PM2's API; raises `AssertionError` with PM2's error."""
        assert self._client.stdin is not None
        self._client.stdin.write(json.dumps([method, *args]) + "\n")
        self._client.stdin.flush()
        return self._answer()

    def start(self, script: str | Path, *args: str, name: str = "app", **options: Any) -> None:
        """Start a program with this Python, or with the interpreter that is given."""
        self._started += 1
        self.call(
            "start",
            {
                "script": str(script),
                "args": list(args),
                "name": name,
                "interpreter": sys.executable,
                "autorestart": False,
                "vizion": False,
                "pmx": False,
                "cwd": str(self.home),
                "output": str(self.home / f"out{self._started}.log"),
                "error": str(self.home / f"err{self._started}.log"),
                **options,
            },
        )

    def describe(self, name: str = "app") -> list[dict[str, Any]]:
        """Return PM2's facts about each process of a program."""
        found: list[dict[str, Any]] = self.call("describe", name)
        return found

    def env(self, name: str = "app") -> dict[str, Any]:
        """Return PM2's own record of the first process of a program."""
        return dict(self.describe(name)[0]["pm2_env"])

    def cli(self, *words: str) -> str:
        """Run the command `pm2`; return its output."""
        run = subprocess.run(
            [*self._cli, *words, "--no-color"],
            env={**self._env, "TERM": "dumb", "COLUMNS": "200"},
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            process_group=0,
            check=False,
        )
        return run.stdout + run.stderr

    def trigger(self, *words: str) -> str:
        """Run the command `pm2 trigger`; return the reply that it prints.

        The command is ended here. It hangs after the reply when the reply reaches it before PM2's answer to its own call.
        """
        command = subprocess.Popen(
            [*self._cli, "trigger", *words, "--no-color"],
            env={**self._env, "TERM": "dumb"},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            process_group=0,
        )
        assert command.stdout is not None
        lines = []
        try:
            for line in command.stdout:
                mark, found, reply = line.partition("]=")
                if found and mark.startswith("["):
                    return reply.rstrip("\n")
                lines.append(line)
        finally:
            command.kill()
            command.wait()
            command.stdout.close()
        raise AssertionError(f"pm2 trigger printed no reply: {lines}")

    def event(self, type: str, accept: Callable[[dict[str, Any]], bool] = lambda event: True) -> Any:
        """Wait for an event on the bus; return the packet."""

        def seen() -> Any:
            for event in self.bus:
                if event["event"] == type and accept(event["packet"]):
                    self.bus.remove(event)
                    return event["packet"]
            self.call("ping")
            return None

        return self._until(seen, f"{type} on the bus, seen {[e['event'] for e in self.bus]}")

    def until(self, accept: Callable[[dict[str, Any]], Any], name: str = "app") -> dict[str, Any]:
        """Wait until PM2's record of a program is accepted; return the record."""
        return dict(self._until(lambda: (env := self.env(name)) and accept(env) and env, f"{name} as wanted"))

    def logs(self, name: str = "app") -> tuple[str, str]:
        """Return the output of the program on its two streams."""
        env = self.env(name)
        return Path(env["pm_out_log_path"]).read_text(), Path(env["pm_err_log_path"]).read_text()

    def daemon_log(self) -> str:
        """Return the output of the daemon itself."""
        return (self.home / "daemon.log").read_text()

    def _answer(self) -> Any:
        assert self._client.stdout is not None
        while line := self._client.stdout.readline():
            said = json.loads(line)
            if "event" in said:
                self.bus.append(said)
                continue
            assert "error" not in said, said["error"]
            return said["answer"]
        raise AssertionError(f"the client of PM2 ended; the daemon said: {self.daemon_log()}")

    def _until(self, seen: Callable[[], Any], what: str) -> Any:
        deadline = time.monotonic() + PATIENCE
        while not (found := seen()):
            assert self.process.poll() is None, f"the daemon ended: {self.daemon_log()}"
            assert time.monotonic() < deadline, f"waited in vain for {what}: {self.daemon_log()}"
            time.sleep(0.02)
        return found

    def clear(self) -> None:
        """End and forget all programs, and forget the events of the bus."""
        if self.call("list"):
            self.call("delete", "all")
        self.bus.clear()

    def pids(self) -> list[int]:
        """Return the processes of all programs."""
        return [program["pid"] for program in self.call("list") if program["pid"]]

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: object, error: object, trace: object) -> None:
        programs: list[int] = []
        try:
            if self.process.poll() is None and self._client.poll() is None:
                programs = self.pids()
                self.clear()
        finally:
            self._client.kill()
            self._client.communicate()
            self.process.kill()
            self.process.wait()
            self._log.close()
            for pid in programs:
                with suppress(OSError):
                    os.kill(pid, signal.SIGKILL)
