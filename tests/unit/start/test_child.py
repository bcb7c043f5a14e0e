"""`nodechannel._start.child`: the words of both front ends about a real process."""

from __future__ import annotations

import asyncio
import subprocess
import sys

import pytest

from nodechannel._start import child
from nodechannel._start.child import AsyncioChild, BlockingChild

STUBBORN = (
    "import signal, sys, time; signal.signal(15, signal.SIG_IGN); print('up', flush=True); time.sleep(60)"
)
PATIENT = "import sys, time; print('up', flush=True); time.sleep(60)"
# It ends only once its input has ended, so that the test can look at it while it lives.
QUICK = "import sys; print('up', flush=True); sys.stdin.read(); raise SystemExit(3)"


class Blocking(BlockingChild):
    def __init__(self, program: str) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )

    def wait(self, timeout: float | None = None) -> int:
        try:
            return self.process.wait(timeout)
        except subprocess.TimeoutExpired:
            raise TimeoutError from None


class InAsyncio(AsyncioChild):
    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.process = process

    async def wait(self, timeout: float | None = None) -> int:
        async with asyncio.timeout(timeout):
            return await self.process.wait()


def in_blocking(program, grace):
    parent = Blocking(program)
    assert parent.process.stdin is not None
    assert parent.process.stdout is not None
    with parent.process.stdout as out:
        assert out.readline() == b"up\n"
        assert (parent.pid, parent.exit_code, parent.signal_code) == (parent.process.pid, None, None)
        parent.process.stdin.close()
        parent._end_process(grace)
        parent.kill()  # too late, and no error
    return parent.exit_code, parent.signal_code


def in_asyncio(program, grace):
    async def main():
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-c",
            program,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
        )
        parent = InAsyncio(process)
        assert process.stdin is not None
        assert process.stdout is not None
        assert await process.stdout.readline() == b"up\n"
        assert (parent.pid, parent.exit_code, parent.signal_code) == (process.pid, None, None)
        process.stdin.close()
        await parent._end_process(grace)
        parent.kill()
        return parent.exit_code, parent.signal_code

    return asyncio.run(main())


@pytest.mark.parametrize("ended", [in_blocking, in_asyncio])
@pytest.mark.parametrize(
    ("program", "grace", "end"),
    [(QUICK, 20.0, (3, None)), (PATIENT, 0.0, (None, "SIGTERM")), (STUBBORN, 0.0, (None, "SIGKILL"))],
)
def test_a_child_ends_by_itself_by_sigterm_and_at_last_by_sigkill(ended, program, grace, end, monkeypatch):
    monkeypatch.setattr(child, "GRACE", 0.5 if end[1] == "SIGKILL" else 20.0)
    assert ended(program, grace) == end
