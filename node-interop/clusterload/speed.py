"""Requests per second: the Python primary beside Node's own, both over the same Node workers, in interleaved rounds."""

from __future__ import annotations

import asyncio
import contextlib
import statistics
from typing import TYPE_CHECKING

from clusterload.client import HERE, load
from clusterload.proof import free_port

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

PRIMARIES = ("node", "python")
POLICIES = ("round-robin", "shared")
KINDS = {"close": "a connection for each request", "keep": "keep-alive"}


@contextlib.asynccontextmanager
async def node_primary(node: str, policy: str, workers: int, port: int) -> AsyncIterator[None]:
    """Node's primary, and its workers."""
    words = [str(HERE / "primary.cjs"), policy, str(workers), str(HERE / "server.cjs"), str(port)]
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(node, *words, stdin=pipe, stdout=pipe, process_group=0)
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        assert await process.stdout.readline() == b"ready\n"
        yield
    finally:
        process.stdin.close()
        await process.wait()


@contextlib.asynccontextmanager
async def python_primary(node: str, policy: str, workers: int, port: int) -> AsyncIterator[None]:
    """The Python primary in a process of its own, and its workers."""
    import sys

    words = ["-m", "nodechannel", "cluster", "--node", node, "--policy", policy, "-w", str(workers)]
    words += ["--arg", str(port), str(HERE / "server.cjs")]
    process = await asyncio.create_subprocess_exec(
        sys.executable, *words, stderr=asyncio.subprocess.PIPE, process_group=0
    )
    assert process.stderr is not None
    try:
        for _ in range(workers):
            while b"listens at" not in (line := await process.stderr.readline()):
                assert line, "the primary ended before its workers listened"
        yield
    finally:
        process.terminate()
        await process.communicate()


async def measure(
    node: str, *, rounds: int = 5, requests: int = 4000, concurrency: int = 32, workers: int = 2
) -> dict[tuple[str, str, str], list[float]]:
    """Return requests per second of each round, by policy, kind of request and primary."""
    found: dict[tuple[str, str, str], list[float]] = {}
    for _ in range(rounds):
        for policy in POLICIES:
            for name, primary in zip(PRIMARIES, (node_primary, python_primary), strict=True):
                port = free_port()
                async with primary(node, policy, workers, port):
                    for kind in KINDS:
                        async for _ in load(node, port, requests // 10, concurrency, kind):  # warm up
                            pass
                        async for event in load(node, port, requests, concurrency, kind):
                            if "total" in event:
                                total = event["total"]
                                assert total["answered"] == requests, total
                                rate = requests / total["seconds"]
                                found.setdefault((policy, kind, name), []).append(rate)
    return found


def table(found: dict[tuple[str, str, str], list[float]]) -> str:
    """Return the medians as a table in Markdown."""
    lines = [
        "| policy | requests | Node primary, requests/s | Python primary, requests/s | Python / Node |",
        "| --- | --- | ---: | ---: | ---: |",
    ]
    for policy in POLICIES:
        for kind, title in KINDS.items():
            node, python = (found[policy, kind, name] for name in PRIMARIES)
            ratio = statistics.median(p / n for p, n in zip(python, node, strict=True))
            lines.append(
                f"| {policy} | {title} | {statistics.median(node):,.0f} | {statistics.median(python):,.0f} | {ratio:.2f} |"
            )
    return "\n".join(lines) + "\n"
