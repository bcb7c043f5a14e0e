"""``python -m soak``: two programs and their children for half an hour; nothing may be lost, and nothing may grow.

One program has the blocking front end; a clock interrupts it all the time, and the handler sends. The other program has the asyncio
front end; its tasks are cancelled all the time. Each starts children in turn: Node, and Python with either front end. A child sends
back what it gets. With some messages goes a connection, into which the child writes; some children are killed amid all this.
"""

from __future__ import annotations

import argparse
import asyncio
import ctypes
import gc
import json
import os
import random
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections import Counter
from contextlib import suppress
from pathlib import Path
from typing import Any

import nodechannel
from nodechannel import asyncio as aio
from support.node import node

PYTHON = """
import nodechannel
with nodechannel.connect() as channel:
    for message in channel:
        if message.handle is not None:
            with message.handle.socket(timeout=10) as sock:
                sock.sendall(b"here")
        channel.send(message.data)
"""
ASYNCIO = """
import asyncio
import nodechannel.asyncio
async def main():
    async with await nodechannel.asyncio.connect() as channel:
        async for message in channel:
            if message.handle is not None:
                with message.handle.socket(timeout=10) as sock:
                    sock.sendall(b"here")
            await channel.send(message.data)
asyncio.run(main())
"""
NODE = """
process.on('message', (message, socket) => {
  if (socket) socket.on('error', () => {}).end('here');
  process.send(message);
});
"""

# Seconds between two looks at memory and descriptors.
INTERVAL = 5.0
# What memory may grow by from the first third of a run to its end.
GROWTH, SLACK = 1.05, 4 * 2**20
# The longest that anything may take.
PATIENCE = 60.0
ROUND = 60  # messages of a child


class Figures(Counter[str]):
    """What one program did."""

    def __init__(self) -> None:
        super().__init__()
        self.memory: list[int] = []
        self.descriptors: list[int] = []
        self._next = 0.0

    def look(self) -> None:
        """Note memory and descriptors, between two children, if it is time."""
        if time.monotonic() > self._next:
            self._next = time.monotonic() + INTERVAL
            # Errors and the frames in their tracebacks refer to each other, up to the next run of the collector: of a killed child,
            # with all that was queued to it.
            gc.collect()
            # Freed memory that glibc keeps for later is no growth; it keeps up to 32 MiB, see `bytes(16 << 20)` in the reference.
            with suppress(AttributeError, OSError):
                ctypes.CDLL(None).malloc_trim(0)
            self.memory.append(
                int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
            )
            self.descriptors.append(sum(1 for _ in Path("/dev/fd").iterdir()))

    def faults(self) -> list[str]:
        """Say what grew."""
        found = []
        third = len(self.memory) // 3
        early, late = max(self.memory[: third + 1]), max(self.memory[-third - 1 :])
        if late > early * GROWTH + SLACK:
            found.append(f"memory grew from {early >> 10} to {late >> 10} KiB")
        if len(set(self.descriptors)) > 1:
            found.append(f"descriptors: {sorted(set(self.descriptors))}")
        return found

    def report(self) -> dict[str, Any]:
        """Return all of it."""
        memory = [self.memory[0] >> 10, self.memory[len(self.memory) // 3] >> 10, self.memory[-1] >> 10]
        return {
            **self,
            "memory in KiB": memory,
            "descriptors": sorted(set(self.descriptors)),
            "faults": self.faults(),
        }


def commands(folder: Path) -> list[list[str]]:
    """Return the commands of the children."""
    (folder / "child.js").write_text(NODE)
    found = [[node(), str(folder / "child.js")]]
    return found + [[sys.executable, "-c", text] for text in (PYTHON, ASYNCIO)]


def connection(server: socket.socket) -> tuple[socket.socket, socket.socket]:
    """Return a connection to hand over, and its other end."""
    client = socket.create_connection(server.getsockname(), timeout=PATIENCE)
    accepted, _ = server.accept()
    return accepted, client


def hear(client: socket.socket, figures: Figures, *, killed: bool) -> None:
    """Read what the child wrote into a connection that it was handed."""
    with client:
        try:
            got = client.recv(100)
        except ConnectionError:
            got = b""
    if got == b"here":
        figures["connections handed over"] += 1
    elif not killed:
        raise AssertionError(f"a connection was lost: {got!r}")


# ---- the blocking program ---------------------------------------------------------------------------------


def blocking(argv: list[str], source: random.Random, figures: Figures, server: socket.socket) -> None:
    """Talk to one child, interrupted by a handler that sends."""
    killed = source.random() < 0.2
    sent = received = fired = echoed = 0
    clients: list[socket.socket] = []
    active = True
    with nodechannel.spawn(argv) as child:

        def handler(*_: object) -> None:
            nonlocal fired
            if active:
                with suppress(nodechannel.ChannelClosed):
                    fired += 1
                    child.send({"signal": fired})
                signal.setitimer(signal.ITIMER_REAL, source.uniform(1e-4, 5e-3))

        signal.signal(signal.SIGALRM, handler)
        signal.setitimer(signal.ITIMER_REAL, 1e-3)
        with suppress(nodechannel.ChannelClosed):
            while received < ROUND or echoed < fired:
                for _ in range(min(source.randint(1, 8), ROUND - sent)):
                    if sent % 10 == 3:
                        accepted, client = connection(server)
                        clients.append(client)
                        with accepted:  # closed here if it cannot be sent
                            child.send({"number": sent}, accepted)
                    else:
                        child.send({"number": sent})
                    sent += 1
                active = sent < ROUND
                while received < sent or (not active and echoed < fired):
                    data = child.receive(timeout=PATIENCE).data
                    if "signal" in data:
                        echoed += 1
                    else:
                        assert data == {"number": received}, data
                        received += 1
                    if killed and sent > ROUND // 2:
                        child.kill(9)
        active = False
        signal.setitimer(signal.ITIMER_REAL, 0)
        for client in clients:
            hear(client, figures, killed=killed)
        if not killed:
            assert (received, echoed) == (ROUND, fired), (received, echoed, fired)
    figures.update({"children": 1, "killed": int(killed), "messages": received + echoed, "signals": fired})


def run_blocking(until: float, folder: Path) -> Figures:
    """Start one child after the other."""
    source, figures = random.Random(1), Figures()
    with socket.create_server(("127.0.0.1", 0)) as server:
        while time.monotonic() < until:
            for argv in commands(folder):
                blocking(argv, source, figures, server)
            figures.look()
    return figures


# ---- the asyncio program ----------------------------------------------------------------------------------


async def concurrent(argv: list[str], source: random.Random, figures: Figures, server: socket.socket) -> None:
    """Talk to one child, in tasks that are cancelled all the time."""
    killed = source.random() < 0.2
    received: list[Any] = []
    clients: list[socket.socket] = []
    sent = 0

    async def receive(child: aio.ChildProcess) -> None:
        while True:
            received.append((await child.receive()).data)

    async with await aio.spawn(argv) as child:
        reader = asyncio.create_task(receive(child))
        with suppress(nodechannel.ChannelClosed):
            while sent < ROUND:
                if sent % 10 == 3:
                    accepted, client = connection(server)
                    clients.append(client)
                    with accepted:  # closed here if it cannot be sent
                        await child.send({"number": sent}, accepted)
                else:
                    await child.send({"number": sent, "text": "x" * source.choice([0, 0, 100_000])})
                sent += 1
                if killed and sent > ROUND // 2:
                    child.kill(9)
                if source.random() < 0.3:
                    await asyncio.sleep(source.choice([0, 0.001]))
                    figures["cancelled"] += int(not reader.done() and reader.cancel())
                    with suppress(asyncio.CancelledError, nodechannel.ChannelClosed):
                        await reader
                    reader = asyncio.create_task(receive(child))
            await child.flush(PATIENCE)
        async with asyncio.timeout(PATIENCE):
            while len(received) < sent and child.connected:
                await asyncio.sleep(0.001)
        reader.cancel()
        with suppress(asyncio.CancelledError, nodechannel.ChannelClosed):
            await reader
        for client in clients:
            await asyncio.to_thread(hear, client, figures, killed=killed)
    assert [data["number"] for data in received] == list(range(len(received))), "another order"
    if not killed:
        assert len(received) == ROUND, len(received)
    figures.update({"children": 1, "killed": int(killed), "messages": len(received)})


async def run_asyncio(until: float, folder: Path) -> Figures:
    """Start one child after the other."""
    source, figures = random.Random(2), Figures()
    with socket.create_server(("127.0.0.1", 0)) as server:
        while time.monotonic() < until:
            for argv in commands(folder):
                await concurrent(argv, source, figures, server)
            figures.look()
    return figures


# ---- both -------------------------------------------------------------------------------------------------


def main() -> int:
    """Run both programs side by side; exit status 1 when one of them found a fault."""
    parser = argparse.ArgumentParser("soak", description=__doc__)
    parser.add_argument("--minutes", type=float, default=30.0)
    parser.add_argument("--only", choices=["blocking", "asyncio"], help="run one program, in this process")
    arguments = parser.parse_args()
    if arguments.only:
        until = time.monotonic() + arguments.minutes * 60
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            blocks = arguments.only == "blocking"
            figures = run_blocking(until, folder) if blocks else asyncio.run(run_asyncio(until, folder))
        print(arguments.only, json.dumps(figures.report()), flush=True)
        return int(bool(figures.faults()))
    base = [sys.executable, "-m", "soak", "--minutes", str(arguments.minutes), "--only"]
    programs = [subprocess.Popen([*base, name]) for name in ("blocking", "asyncio")]
    return max(abs(program.wait()) for program in programs)


if __name__ == "__main__":
    sys.exit(main())
