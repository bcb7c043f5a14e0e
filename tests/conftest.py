"""Guards of every test: a time limit, no leaked descriptor, no child process left behind."""

from __future__ import annotations

import gc
import os
import signal
import textwrap
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, settings

from nodechannel._core.outbox import Outbox, Write
from support import wire
from support.frontends import Asyncio, Blocking

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import FrameType

    from nodechannel._core.delivery import Delivery

# Hypothesis changes its defaults when it sees a CI variable; naming every setting keeps runs alike everywhere.
settings.register_profile(
    "pr",
    derandomize=True,
    database=None,
    deadline=None,
    max_examples=150,
    print_blob=True,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("pr")

TIME_LIMIT = float(os.environ.get("NODECHANNEL_TEST_SECONDS", "120"))

# How long, in seconds, threads and processes that were told to end may take to do so.
SETTLE = 3.0


def open_descriptors() -> dict[int, str]:
    """Return the target of each open descriptor of this process."""
    found = {}
    for entry in list(Path("/dev/fd").iterdir()):
        with suppress(OSError):  # the descriptor of the listing itself is closed by now
            found[int(entry.name)] = str(entry.readlink())
    return found


def child_processes() -> set[int]:
    """Return the ids of the direct children of this process, dead but unreaped children included."""
    children: set[int] = set()
    for listing in Path("/proc/self/task").glob("*/children"):
        with suppress(OSError):
            children.update(map(int, listing.read_text().split()))
    return children


def leaks(fds: dict[int, str], children: set[int]) -> list[str]:
    """Return the descriptors and processes that were not there before."""
    found = [f"descriptor {fd} -> {to}" for fd, to in open_descriptors().items() if fds.get(fd) != to]
    return found + [f"process {pid}" for pid in child_processes() - children]


@pytest.fixture(autouse=True)
def no_leaks() -> Iterator[None]:
    """Fail the test that leaves a descriptor or a child process behind, and end the process."""
    fds, children = open_descriptors(), child_processes()
    yield
    deadline = time.monotonic() + SETTLE
    while found := leaks(fds, children):
        gc.collect()
        if time.monotonic() > deadline:
            break
        time.sleep(0.01)
    for pid in child_processes() - children:
        with suppress(OSError):
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)
    assert not found, f"the test leaked {', '.join(found)}"


@pytest.fixture(autouse=True)
def internal_messages_fit_their_schemas(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Hold every internal message that a connection of this process writes to `schemas/wire/`."""
    push, put = Outbox.push, Outbox.put
    found: list[str] = []

    def check(frame: bytes) -> None:
        if wire.looks_internal(frame):
            found.extend(f"{fault}: {frame[:200]!r}" for fault in wire.faults(frame))

    def checked_push(outbox: Outbox, frame: bytes) -> Delivery:
        if frame.count(b"\n") == 1:  # many frames at once are user messages
            check(frame)
        return push(outbox, frame)

    def checked_put(outbox: Outbox, write: Write) -> None:
        if write.fd is not None:
            check(write.data)
        put(outbox, write)

    monkeypatch.setattr(Outbox, "push", checked_push)
    monkeypatch.setattr(Outbox, "put", checked_put)
    yield
    assert not found, f"internal messages that no schema allows: {found}"


@pytest.fixture(autouse=True)
def time_limit() -> Iterator[None]:
    """Interrupt a test that hangs."""

    def expire(number: int, frame: FrameType | None) -> None:
        # Not a TimeoutError, which a test may expect.
        pytest.fail(f"the test took more than {TIME_LIMIT} seconds")

    previous = signal.signal(signal.SIGALRM, expire)
    signal.setitimer(signal.ITIMER_REAL, TIME_LIMIT)
    yield
    signal.setitimer(signal.ITIMER_REAL, 0)
    signal.signal(signal.SIGALRM, previous)


@pytest.fixture
def script(tmp_path: Path) -> Callable[[str, str], Path]:
    """Write a program to a file; the name decides what runs it."""

    def write(name: str, source: str) -> Path:
        path = tmp_path / name
        path.write_text(textwrap.dedent(source))
        return path

    return write


@pytest.fixture(params=[Blocking, Asyncio], ids=lambda kind: kind.name)
def api(request: pytest.FixtureRequest) -> Iterator[Any]:
    """A front end."""
    front_end = request.param()
    yield front_end
    front_end.close()
