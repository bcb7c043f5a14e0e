"""asyncio alone: every call is cancelled at every point where it waits, and no message is lost, doubled or torn.

A call runs against a peer that reads slowly, acknowledges handles and writes messages of its own. The call is cancelled at its n-th
wait, for every n until it succeeds. In every case the stream that the peer read is whole. It holds each sent message once and in
order. The messages of the peer all arrive once and in order, and no descriptor is left.
"""

from __future__ import annotations

import array
import asyncio
import json
import os
import socket
import sys
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import pytest

from nodechannel import asyncio as aio
from nodechannel import errors

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Generator

LARGE = "x" * 300_000
TO_US = 30
WAITING = [sys.executable, "-c", "import sys; sys.stdin.read()"]


class Interrupting:
    """Awaits an awaitable, and has the task cancelled while it waits for the n-th time."""

    def __init__(self, awaitable: Awaitable[object], at: int) -> None:
        self.awaitable = awaitable
        self.left = at

    def __await__(self) -> Generator[Any, Any, object]:
        inner = self.awaitable.__await__()
        task = asyncio.current_task()
        assert task is not None
        throw: BaseException | None = None
        while True:
            try:
                waited_for = next(inner) if throw is None else inner.throw(throw)
            except StopIteration as end:
                return end.value
            self.left -= 1
            if self.left == 0:
                asyncio.get_running_loop().call_soon(task.cancel)
            throw = None
            try:
                yield waited_for
            except BaseException as error:
                throw = error


class Peer:
    """The far end, as bytes: reads in pieces with pauses, answers, and writes messages in between."""

    def __init__(self, sock: socket.socket) -> None:
        self.sock = sock
        self.data = b""
        self.handles = 0
        self.written = 0

    async def run(self) -> None:
        while True:
            await self._readable()
            try:
                data, ancillary, _, _ = self.sock.recvmsg(50_000, 4096)
            except ConnectionResetError:  # the channel was closed while a message to it was under way
                return
            for _, _, found in ancillary:
                for fd in array.array("i", found):
                    os.close(fd)
                    self.handles += 1
            if not data:
                return
            if b"NODE_SOCKET_GET_COUNT" in data:
                await self._write(b'{"cmd":"NODE_SOCKET_COUNT","key":"k","count":3}\n')
            if b"NODE_SOCKET_NOTIFY_CLOSE" in data:
                await self._write(b'{"cmd":"NODE_SOCKET_ALL_CLOSED","key":"k"}\n')
            if b"NODE_HANDLE" in data[:60] or b"NODE_HANDLE" in data[-200:]:
                await self._write(b'{"cmd":"NODE_HANDLE_ACK"}\n')
            self.data += data
            if self.written < TO_US or data.endswith(b'"end"\n'):
                await self._write(b'{"n":%d}\n' % self.written)
                self.written += 1

    async def _readable(self) -> None:
        loop = asyncio.get_running_loop()
        ready = asyncio.Event()
        loop.add_reader(self.sock, ready.set)
        try:
            await ready.wait()
        finally:
            loop.remove_reader(self.sock)
        await asyncio.sleep(0)

    async def _write(self, data: bytes) -> None:
        with suppress(ConnectionError):
            await asyncio.get_running_loop().sock_sendall(self.sock, data)


class Recording(aio.Channel):
    """A channel that remembers its messages; a message whose sending was cancelled is sent all the same."""

    def __init__(self, sock: socket.socket) -> None:
        super().__init__(sock)
        self.sent: list[object] = []
        self.received: list[int] = []

    def say(self, message: object, *args: Any) -> Awaitable[object]:
        self.sent.append(message)
        return self.send(message, *args)

    async def hear(self, timeout: float | None = None) -> None:
        self.received.append((await self.receive(timeout)).data["n"])


async def send(channel: Recording) -> None:
    await channel.say("one")
    await channel.say("two")


async def send_large(channel: Recording) -> None:
    await channel.say(LARGE)
    await channel.say(LARGE)


async def send_many(channel: Recording) -> None:
    channel.sent += [LARGE] * 3
    await channel.send_many([LARGE] * 3)


async def send_handles(channel: Recording) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        await channel.say("handle", server)
        await channel.say(LARGE)
        await channel.say("another", server)
        await channel.flush()


async def receive(channel: Recording) -> None:
    await channel.say("ask")
    await channel.hear()


async def receive_with_limit(channel: Recording) -> None:
    await channel.say("ask")
    await channel.hear(10)


async def receive_many(channel: Recording) -> None:
    await channel.say("ask")
    channel.received += [message.data["n"] for message in await channel.receive_many()]


async def iterate(channel: Recording) -> None:
    await channel.say(LARGE)
    async for message in channel:
        channel.received.append(message.data["n"])
        if len(channel.received) == 3:
            break


async def flush(channel: Recording) -> None:
    await channel.say(LARGE)
    await channel.flush(timeout=10)


async def ask(channel: Recording) -> None:
    assert await channel.get_connections("k") == 3
    await channel.wait_all_closed("k", timeout=10)


async def disconnect(channel: Recording) -> None:
    await channel.say(LARGE)
    await channel.disconnect()


async def leave(channel: Recording) -> None:
    async with channel:
        await channel.say(LARGE)


@pytest.mark.parametrize(
    "call",
    [
        send,
        send_large,
        send_many,
        send_handles,
        receive,
        receive_with_limit,
        receive_many,
        iterate,
        flush,
        ask,
        disconnect,
        leave,
    ],
    ids=lambda call: call.__name__,
)
def test_a_call_cancelled_anywhere_leaves_the_channel_whole(
    call: Callable[[Recording], Awaitable[None]],
) -> None:
    cancelled = 0
    for at in range(1, 200):
        if not asyncio.run(cancel_at(call, at)):
            break
        cancelled += 1
    else:
        pytest.fail("the call never got through")
    assert cancelled or call is send  # which has no reason to wait


async def cancel_at(call: Callable[[Recording], Awaitable[None]], at: int) -> bool:
    """Return whether the call was cancelled before it got through."""
    ours, theirs = socket.socketpair()
    theirs.setblocking(False)
    ours.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 20_000)
    peer = Peer(theirs)
    with theirs:
        reader = asyncio.create_task(peer.run())
        channel = Recording(ours)

        async def interrupted() -> None:
            await Interrupting(call(channel), at)

        task = asyncio.create_task(interrupted())
        with suppress(asyncio.CancelledError):
            await asyncio.wait_for(task, 30)
        # Each accepted message is still delivered, and the peer's messages still arrive.
        if channel.connected:
            await channel.say("end")
            while not peer.data.endswith(b'"end"\n') or len(channel.received) < peer.written:
                await channel.hear(10)
            assert channel.received == list(range(peer.written))
        with suppress(errors.ChannelClosed):
            await channel.disconnect(timeout=30)
        await asyncio.wait_for(reader, 30)
        while True:
            try:
                await channel.hear(10)
            except errors.ChannelClosed:
                break
    lines = [json.loads(line) for line in peer.data.splitlines()]
    assert peer.data.endswith(b"\n")
    assert [plain(line) for line in lines if not internal(line)] == channel.sent
    assert channel.received == list(range(len(channel.received)))
    return task.cancelled()


def internal(line: Any) -> bool:
    return isinstance(line, dict) and line["cmd"] != "NODE_HANDLE"


def plain(line: Any) -> object:
    return line["msg"] if isinstance(line, dict) else line


def test_a_cancelled_spawn_leaves_no_process_and_no_descriptor() -> None:
    async def scenario() -> None:
        for at in range(1, 100):
            started: list[aio.ChildProcess] = []

            async def start(at: int, started: list[aio.ChildProcess]) -> None:
                child = await Interrupting(
                    aio.spawn(
                        [sys.executable, "-c", "import sys; sys.stdin.read()"], stdin=asyncio.subprocess.PIPE
                    ),
                    at,
                )
                assert isinstance(child, aio.ChildProcess)
                started.append(child)

            task = asyncio.create_task(start(at, started))
            with suppress(asyncio.CancelledError):
                await task
            if started:
                async with started[0] as child:
                    child.kill()
                assert at > 1
                return
        pytest.fail("the call never got through")

    asyncio.run(scenario())
