"""Requests under kills and roll-overs: each request is answered, or was in flight on a worker that was killed."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import time
from dataclasses import dataclass, field
from itertools import zip_longest
from typing import TYPE_CHECKING, Any

from clusterload.client import HERE, load
from nodechannel.cluster import Cluster

if TYPE_CHECKING:
    from pathlib import Path

    from nodechannel._cluster.processes import Command

# Nanoseconds between a kill and the moment when the last client has noticed; a loaded machine is slow.
NOTICE = 5_000_000_000


@dataclass
class Account:
    """The fate of the requests.

    Attributes:
        total: the client's count.
        lost: the requests without an answer, as the client tells them.
        kills: when a worker was killed, in nanoseconds of the monotonic clock, and its process id.
        served: how often each path was noted by workers, and by which.
        descriptors: of the primary, before the load and after it.
    """

    requests: int
    total: dict[str, Any] = field(default_factory=dict)
    lost: list[dict[str, Any]] = field(default_factory=list)
    kills: list[tuple[int, int]] = field(default_factory=list)
    rolls: int = 0
    served: dict[str, list[int]] = field(default_factory=dict)
    descriptors: tuple[int, int] = (0, 0)

    def faults(self) -> list[str]:
        """Return all faults."""
        found = []
        if self.total.get("answered", 0) + len(self.lost) != self.requests:
            found.append(f"{self.requests} requests, but {self.total}")
        if self.total.get("wrong"):
            found.append(f"{self.total['wrong']} answers to another question")
        found += [
            f"{loss} was not in flight on a killed worker" for loss in self.lost if not self._excused(loss)
        ]
        unserved = (
            self.requests - len(self.lost) - len(self.served.keys() - {loss["lost"] for loss in self.lost})
        )
        if unserved:
            found.append(f"{unserved} requests were answered by nobody")
        twice = sum(len(pids) - 1 for pids in self.served.values())
        if twice > self.total.get("again", 0):
            found.append(f"{twice} requests were served twice, {self.total.get('again')} were sent twice")
        before, after = self.descriptors
        if after > before:
            found.append(f"the primary had {before} descriptors and has {after}")
        return found

    def _excused(self, loss: dict[str, Any]) -> bool:
        """Tell whether a lost request began before a kill, ended right after it, and was seen by the killed worker alone."""
        for at, pid in self.kills:
            if loss["began"] <= at + NOTICE and at <= loss["ended"] <= at + NOTICE:
                return set(self.served.get(loss["lost"], [])) <= {pid}
        return False


async def prove(
    node: str,
    folder: Path,
    *,
    requests: int = 20_000,
    concurrency: int = 32,
    workers: int = 4,
    kills: int = 4,
    rolls: int = 2,
    policy: str = "round-robin",
) -> Account:
    """Load a cluster of Node and ASGI workers, kill some and roll all over meanwhile, and account for every request."""
    account = Account(requests)
    port = free_port()
    commands: list[Command] = [
        [node, str(HERE / "server.cjs"), str(port), str(folder)],
        [
            sys.executable,
            "-m",
            "nodechannel",
            "serve",
            "app:app",
            "--app-dir",
            str(HERE),
            "--port",
            str(port),
            "--host",
            "127.0.0.1",
        ],
    ]
    environment = {**os.environ, "LOG_FOLDER": str(folder)}
    async with Cluster(commands, workers=workers, policy=policy, env=environment) as cluster:
        async for _ in load(node, port, 200, concurrency):  # all objects that are made once exist now
            pass
        forget(folder)
        before = len(os.listdir("/proc/self/fd"))  # noqa: PTH208 (cheaper, and no more descriptors than one)
        await _disturb(node, cluster, account, port, concurrency, kills, rolls)
        await _settle(cluster, workers)
        account.descriptors = before, len(os.listdir("/proc/self/fd"))  # noqa: PTH208
    account.served = notes(folder)
    return account


def forget(folder: Path) -> None:
    """Empty the notes of the workers, which go on writing to them."""
    for note in folder.iterdir():
        os.truncate(note, 0)


def notes(folder: Path) -> dict[str, list[int]]:
    """Return which workers have noted each path."""
    found: dict[str, list[int]] = {}
    for note in folder.iterdir():
        for path in note.read_text().split():
            found.setdefault(path, []).append(int(note.name))
    return found


async def _disturb(
    node: str, cluster: Cluster, account: Account, port: int, concurrency: int, kills: int, rolls: int
) -> None:
    """Run the load; after equal parts of it kill a worker or roll over, in turn."""
    turns = [kind for pair in zip_longest(["kill"] * kills, ["roll"] * rolls) for kind in pair if kind]
    part = account.requests // (len(turns) + 1)
    rolling: list[asyncio.Task[None]] = []
    async for event in load(node, port, account.requests, concurrency):
        if "lost" in event:
            account.lost.append(event)
        if "total" in event:
            account.total = event["total"]
        if turns and event.get("done", 0) >= account.requests - part * len(turns):
            if turns.pop(0) == "roll":
                account.rolls += 1
                rolling.append(asyncio.create_task(cluster.roll()))
            else:
                victims = [
                    worker for worker in cluster.workers.values() if worker.listening and not worker.retired
                ]
                victim = victims[len(account.kills) % len(victims)]
                account.kills.append((time.monotonic_ns(), victim.pid))
                victim.kill(signal.SIGKILL)
    for task in rolling:
        await task


async def _settle(cluster: Cluster, workers: int) -> None:
    """Wait until the cluster has its workers again."""
    deadline = time.monotonic() + 60
    while not (
        len(cluster.workers) == workers and all(worker.listening for worker in cluster.workers.values())
    ):
        if time.monotonic() > deadline:
            raise TimeoutError(f"the cluster has {cluster.workers} and not {workers} workers")
        await asyncio.sleep(0.05)


def free_port() -> int:
    """Return a port that is free."""
    import socket

    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])
