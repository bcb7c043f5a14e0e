"""A primary without processes and without time: real sockets, a clock that jumps, and a scheduler that a seed decides.

All code runs in a single thread, so that a seed always gives the same run.
"""

from __future__ import annotations

import asyncio
import json
import random
import selectors
import socket
from contextlib import suppress
from typing import Any
from unittest.mock import patch

from nodechannel._cluster import processes
from nodechannel._cluster.processes import WorkerProcess
from nodechannel.cluster import Cluster


class JumpingSelector(selectors.SelectSelector):
    """Never waits: when no descriptor is ready, the clock moves to the next timer. Ready descriptors come in an order of the seed."""

    def __init__(self, seed: int) -> None:
        super().__init__()
        self.now = 0.0
        self._random = random.Random(seed)

    def select(self, timeout: float | None = None) -> Any:
        """Return the ready descriptors."""
        ready = super().select(0)
        if not ready and timeout:
            self.now += timeout
        self._random.shuffle(ready)
        return ready


class VirtualLoop(asyncio.SelectorEventLoop):
    """An event loop whose hours pass at once."""

    def __init__(self, seed: int) -> None:
        self._jumping = JumpingSelector(seed)
        super().__init__(self._jumping)

    def time(self) -> float:
        """Return the virtual time."""
        return self._jumping.now


class Process:
    """Stands for the process of a worker."""

    pid = 2**22 + 1
    stdin = stdout = stderr = None

    def __init__(self) -> None:
        self.returncode: int | None = None
        self._ended = asyncio.Event()

    def end(self, code: int) -> None:
        """End it."""
        if self.returncode is None:
            self.returncode = code
            self._ended.set()

    async def wait(self) -> int:
        """Wait for its end."""
        await self._ended.wait()
        assert self.returncode is not None
        return self.returncode


class Peer:
    """A worker, seen from its own end: it answers offers as long as it reads.

    Attributes:
        asked: the numbers of its questions that have no answer.
        sent: how many user messages it has sent.
    """

    def __init__(self, id: int, sock: socket.socket, process: Process) -> None:
        self.id = id
        self.sock = sock
        self.process = process
        self.asked: set[int] = set()
        self.reads = True
        self.sent = 0
        self._seq = 0
        self._text = b""
        sock.setblocking(False)
        self.say(act="online")

    @property
    def alive(self) -> bool:
        """Whether the process runs."""
        return self.process.returncode is None

    def say(self, **members: Any) -> int:
        """Send a message of the cluster; return its number."""
        self._seq += 1
        self.write({"cmd": "NODE_CLUSTER", **members, "seq": self._seq})
        return self._seq

    def ask(self, **members: Any) -> None:
        """Ask for a place."""
        place = {"address": "127.0.0.1", "port": 0, "addressType": 4, "index": 0, "flags": 0, "data": None}
        self.asked.add(self.say(act="queryServer", **{**place, "backlog": 0, **members}))

    def talk(self, count: int) -> None:
        """Send user messages."""
        first, self.sent = self.sent, self.sent + count
        # In a single write: the system counts hundreds of bytes for each.
        self.write(*({"worker": self.id, "number": number} for number in range(first, self.sent)))

    def write(self, *values: Any) -> None:
        """Send lines; a line that does not fit is lost, and the peer with it."""
        if self.alive:
            try:
                lines = "".join(json.dumps(value) + "\n" for value in values)
                self.sock.sendall(lines.encode("utf-8", "surrogatepass"))
            except (BlockingIOError, OSError):
                self.die(9)

    def read(self) -> None:
        """Take in the messages of the primary, and answer offers."""
        if not (self.alive and self.reads):
            return
        with suppress(OSError):
            while True:
                data, fds, _, _ = socket.recv_fds(self.sock, 65536, 64)
                for fd in fds:
                    socket.close(fd)
                if not data:
                    self.die(0)
                    return
                *lines, self._text = (self._text + data).split(b"\n")
                for line in lines:
                    self._hear(json.loads(line))

    def _hear(self, message: Any) -> None:
        if message.get("cmd") == "NODE_HANDLE":
            self.write({"cmd": "NODE_HANDLE_ACK"})
            message = message["msg"]
        if message.get("act") == "newconn":
            self.say(ack=message["seq"], accepted=True)
        elif message.get("act") == "disconnect":
            self.die(0)
        elif message.get("ack") in self.asked:
            self.asked.remove(message["ack"])
            self.say(act="listening", address="127.0.0.1", port=1, addressType=4, index=0, data=None)

    def die(self, code: int) -> None:
        """End."""
        self.sock.close()
        self.process.end(code)


class World:
    """A cluster of peers.

    Attributes:
        peers: all that were ever started.
        handled: the user messages that `on_message` got, by worker.
        errors: the exceptions that reached the event loop's exception handler.
    """

    def __init__(self, workers: int, *, relay: bool, event_raises: str, wait: float) -> None:
        self.peers: list[Peer] = []
        self.handled: dict[int, list[int]] = {}
        self.errors: list[BaseException | None] = []
        self._event_raises = event_raises
        self._wait = wait
        self.cluster = Cluster(
            [["virtual"]],
            workers=workers,
            relay=relay,
            on_event=self._on_event,
            on_message=self._on_message,
        )

    def _on_event(self, event: Any) -> None:
        if event.kind == self._event_raises:
            raise BrokenPipeError

    async def _on_message(self, worker: WorkerProcess, message: Any) -> None:
        if isinstance(message.data, dict) and "number" in message.data:
            self.handled.setdefault(message.data["worker"], []).append(message.data["number"])
        await asyncio.sleep(self._wait)
        raise ValueError

    async def start(self) -> None:
        """Start the workers; each listens at a single place."""
        asyncio.get_running_loop().set_exception_handler(
            lambda loop, context: self.errors.append(context.get("exception"))
        )
        starting = asyncio.create_task(self.cluster.start())
        while not starting.done():
            await self.turn()
        await starting

    async def turn(self) -> None:
        """Let the primary and its workers go on for a moment; a new worker asks for its place at once."""
        await asyncio.sleep(0.01)
        for peer in self.peers:
            peer.read()

    async def pass_by(self, seconds: float) -> None:
        """Let time pass."""
        until = asyncio.get_running_loop().time() + seconds
        while asyncio.get_running_loop().time() < until:
            await self.turn()
            await asyncio.sleep(0.1)

    @property
    def alive(self) -> list[Peer]:
        """The peers that run."""
        return [peer for peer in self.peers if peer.alive]

    async def start_process(self, argv: Any, id: int, primary: Any, **options: Any) -> WorkerProcess:
        """Stand in for `processes.start`."""
        ours, theirs = socket.socketpair()
        process: Any = Process()
        worker = VirtualWorker(ours, process, id, primary)
        peer = Peer(id, theirs, process)
        self.peers.append(peer)
        peer.ask()
        return worker


class VirtualWorker(WorkerProcess):
    """A worker without a real process."""

    def kill(self, signal: int = 15) -> None:
        """End it."""
        process: Any = self.process
        process.end(-int(signal))


def run(seed: int, world: World, act: Any) -> None:
    """Run a coroutine function with a world, to its end; no task or descriptor may be left."""

    async def main() -> None:
        with patch.object(processes, "start", world.start_process):
            await world.start()
            try:
                await act(world)
            finally:
                stopping = asyncio.create_task(world.cluster.stop(1.0))
                while not stopping.done():
                    await world.turn()
                for peer in world.peers:
                    peer.die(0)
                await stopping

    loop = VirtualLoop(seed)
    try:
        asyncio.set_event_loop(loop)
        loop.run_until_complete(main())
    finally:
        asyncio.set_event_loop(None)
        loop.close()
