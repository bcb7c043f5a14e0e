"""The processes of a tree, as the watcher finds and ends them."""

from __future__ import annotations

import os
import subprocess
import sys
import time

import pytest

from nodechannel._start import watcher
from nodechannel._start.watcher import Processes, above, end

pytestmark = pytest.mark.skipif(not hasattr(os, "pidfd_open"), reason="Linux alone has pidfds")

# The mark is unique on this machine, since every process with it is ended.
MARK, UNUSED = os.urandom(16).hex(), os.urandom(16).hex().encode()

SLEEPER = "import time; print(flush=True); time.sleep(60)"
STUBBORN = "import signal, time; signal.signal(15, signal.SIG_IGN); print(flush=True); time.sleep(60)"


@pytest.fixture
def started():
    """Start programs and wait for their ends."""
    processes: list[subprocess.Popen[bytes]] = []

    def start(program: str, **env: str) -> subprocess.Popen[bytes]:
        process = subprocess.Popen(
            [sys.executable, "-S", "-c", program], stdout=subprocess.PIPE, env={**os.environ, **env}, process_group=0
        )  # fmt: skip
        processes.append(process)
        assert process.stdout is not None
        process.stdout.readline()
        return process

    yield start
    for process in processes:
        process.kill()
        process.communicate()


def close(found: Processes) -> None:
    for fd in found._seen.values():
        os.close(fd)


def test_wrappers_stand_between_the_root_and_the_peer(started):
    child = started(SLEEPER)
    assert above(child.pid, os.getpid()) == [child.pid]
    assert above(child.pid, os.getppid()) == [child.pid, os.getpid()]
    assert above(child.pid, 2**22 + 1) == [child.pid], "no ancestor"


def test_descendants_belong_to_the_tree_and_so_do_marked_processes(started):
    nested = f"import subprocess, sys; subprocess.Popen([sys.executable, '-S', '-c', {SLEEPER!r}]).wait()"
    root, marked, other = started(nested), started(SLEEPER, X=MARK), started(SLEEPER)
    found = Processes([root.pid], MARK.encode())
    assert len(found.alive()) == 3
    assert {root.pid, marked.pid} < set(found._seen)
    assert other.pid not in found._seen
    end(found)
    assert other.poll() is None
    close(found)


def test_a_process_that_ends_at_sigterm_is_not_killed(started):
    root = started(SLEEPER)
    found = Processes([root.pid], UNUSED)
    end(found)
    assert root.wait(20) == -15
    assert found.alive() == []


def test_a_stubborn_one_is_killed_after_the_grace(started):
    root = started(STUBBORN)
    began = time.monotonic()
    end(Processes([root.pid], UNUSED))
    assert root.wait(20) == -9
    assert time.monotonic() - began >= watcher.GRACE


def test_a_process_that_is_gone_is_no_part(started):
    root = started(SLEEPER)
    root.kill()
    root.wait()
    assert Processes([root.pid], UNUSED).alive() == []
