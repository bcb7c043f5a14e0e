"""Listening with callbacks, in asyncio alone: it has the guarantees of a task that receives."""

from __future__ import annotations

import asyncio
import json
import socket
from typing import TYPE_CHECKING, Any

import pytest

from nodechannel import ChannelClosed, MalformedMessage
from nodechannel import asyncio as aio
from nodechannel._aio.channel import READ_AHEAD
from support.interrupting import ALL_EVENTS, Injection, Injector, chosen

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

LIMIT = 30.0
LARGE = "x" * 60_000


def factories() -> list[Any]:
    try:
        import uvloop
    except ImportError:
        return [asyncio.new_event_loop]
    # Its first loop makes a pipe that the process keeps for ever: not within a test.
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(asyncio.sleep(0))
    return [asyncio.new_event_loop, uvloop.new_event_loop]


@pytest.fixture(params=factories(), ids=lambda factory: factory.__module__.partition(".")[0])
def run(request) -> Callable[[Callable[..., Awaitable[None]]], list[dict[str, Any]]]:
    """Run a scenario with both ends of a channel; return the reports to the event loop."""

    def carry_out(scenario: Callable[..., Awaitable[None]]) -> list[dict[str, Any]]:
        told: list[dict[str, Any]] = []

        async def main() -> None:
            asyncio.get_running_loop().set_exception_handler(lambda _, context: told.append(context))
            ours, theirs = socket.socketpair()
            theirs.setblocking(False)
            with theirs:
                channel = aio.Channel(ours)
                try:
                    await asyncio.wait_for(scenario(channel, theirs), LIMIT)
                finally:
                    channel.close()

        with asyncio.Runner(loop_factory=request.param) as runner:
            runner.run(main())
        return told

    return carry_out


async def until(condition: Callable[[], object]) -> None:
    while not condition():
        await asyncio.sleep(0.001)


def test_messages_come_in_order_and_the_end_behind_them(run):
    async def scenario(channel, peer):
        peer.send(b'1\n"two"\n')
        log: list[object] = []
        ended = asyncio.Event()

        def end() -> None:
            log.append("end")
            ended.set()

        channel.listen(lambda message: log.append(message.data), end)
        await until(lambda: len(log) == 2)
        peer.send(b"3\n4")
        peer.send(b"5\n6\n")
        peer.close()
        await ended.wait()
        assert log == [1, "two", 3, 45, 6, "end"]
        assert not channel.connected
        with pytest.raises(ChannelClosed):
            channel.send_nowait(0)

    assert run(scenario) == []


def test_a_callback_answers(run):
    async def scenario(channel, peer):
        channel.listen(lambda message: channel.send_nowait(message.data + 1))
        loop = asyncio.get_running_loop()
        for number in range(5):
            await loop.sock_sendall(peer, b"%d\n" % number)
            assert await loop.sock_recv(peer, 100) == b"%d\n" % (number + 1)

    assert run(scenario) == []


def test_faults_keep_their_place(run):
    async def scenario(channel, peer):
        log: list[object] = []
        channel.listen(lambda message: log.append(message.data), on_error=log.append)
        peer.send(b"1\n{\n2\n")
        await until(lambda: len(log) == 3)
        assert (log[0], log[2]) == (1, 2)
        assert isinstance(log[1], MalformedMessage)

    assert run(scenario) == []


def test_faults_without_a_callback_and_exceptions_are_told_to_the_loop(run):
    async def scenario(channel, peer):
        log: list[object] = []

        def take(message):
            log.append(message.data)
            if message.data == 2:
                raise LookupError(message.data)

        def end():
            log.append("end")
            raise ValueError

        channel.listen(take, end)
        peer.send(b"1\n{\n2\n3\n")
        await until(lambda: len(log) == 3)
        peer.close()
        await until(lambda: len(log) == 4)
        assert log == [1, 2, 3, "end"]

    told = [type(context["exception"]) for context in run(scenario)]
    assert [issubclass(told[0], MalformedMessage), *told[1:]] == [True, LookupError, ValueError]


def test_handles_arrive_and_leave(run):
    async def scenario(channel, peer):
        other = aio.Channel(peer.dup())
        log: list[Any] = []
        other.listen(log.append)
        with socket.create_server(("127.0.0.1", 0)) as server:
            deliveries = [channel.send_nowait(number, handle=server) for number in range(3)]
            channel.send_nowait("behind")
            await until(lambda: len(log) == 4)
            await channel.flush()
            assert {delivery.state.name for delivery in deliveries} == {"ACKNOWLEDGED"}
            for message in log[:3]:
                with message.handle.socket() as taken:
                    assert taken.getsockname() == server.getsockname()
        other.close()
        assert [message.data for message in log] == [0, 1, 2, "behind"]

    assert run(scenario) == []


def test_a_callback_that_sends_more_than_the_peer_takes_is_not_called(run):
    async def scenario(channel, peer):
        loop = asyncio.get_running_loop()
        log: list[object] = []

        def take(message):
            assert not channel.crowded
            log.append(message.data)
            channel.send_nowait(LARGE)

        channel.listen(take)
        await loop.sock_sendall(peer, b"".join(b"%d\n" % number for number in range(50)))
        await until(lambda: channel.crowded)
        for _ in range(20):
            await asyncio.sleep(0)
        assert len(log) < 20
        left = 50 * (len(LARGE) + 3)
        while left:
            left -= len(await loop.sock_recv(peer, left))
        assert log == list(range(50))

    assert run(scenario) == []


def test_a_pause_holds_the_peer_back_and_loses_nothing(run):
    async def scenario(channel, peer):
        loop = asyncio.get_running_loop()
        log: list[object] = []
        channel.listen(lambda message: log.append(message.data))
        channel.pause_reading()
        count = 400_000
        sending = asyncio.ensure_future(
            loop.sock_sendall(peer, b"".join(b"%d\n" % number for number in range(count)))
        )
        await until(lambda: channel.pending > READ_AHEAD)
        for _ in range(50):
            await asyncio.sleep(0)
        assert not log
        assert not sending.done()
        channel.resume_reading()
        await sending
        await until(lambda: len(log) == count)
        assert log == list(range(count))

    assert run(scenario) == []


def test_one_reader_is_enough(run):
    async def scenario(channel, peer):
        with pytest.raises(RuntimeError, match="listen"):
            channel.pause_reading()
        with pytest.raises(TypeError, match="async for"):
            channel.listen(channel.receive)
        channel.listen(lambda _: None)
        with pytest.raises(RuntimeError, match="listen"):
            channel.listen(lambda _: None)
        with pytest.raises(RuntimeError, match="listen"):
            await channel.receive()
        with pytest.raises(RuntimeError, match="listen"):
            await anext(channel)

    assert run(scenario) == []


def test_close_in_a_callback_ends_it_once(run):
    async def scenario(channel, peer):
        log: list[object] = []

        def take(message):
            log.append(message.data)
            channel.close()

        def end():
            log.append("end")

        channel.listen(take, end)
        peer.send(b"1\n2\n")
        await until(lambda: "end" in log)
        channel.close()
        for _ in range(3):
            await asyncio.sleep(0)
        assert log == [1, "end"]

    assert run(scenario) == []


@pytest.mark.parametrize("event", ["line", "signal"])
def test_an_exception_of_a_signal_handler_loses_and_doubles_nothing(event):
    """Raised before any line or instruction of the package, it leaves the messages to a loop that runs on."""

    def interrupted(injector: Injector) -> None:
        loop = asyncio.new_event_loop()
        loop.set_exception_handler(lambda _loop, _context: None)
        ours, theirs = socket.socketpair()
        log: list[object] = []

        async def begin() -> aio.Channel:
            channel = aio.Channel(ours)
            channel.listen(lambda message: log.append(message.data))
            return channel

        async def read() -> None:
            theirs.sendall(b"".join(json.dumps(number).encode() + b"\n" for number in range(4)))
            await until(lambda: len(log) == 4)

        def interrupt() -> None:
            raise Injection

        channel = loop.run_until_complete(begin())
        try:
            task = loop.create_task(asyncio.wait_for(read(), LIMIT))
            injector.run(lambda: loop.run_until_complete(task), interrupt)
            loop.run_until_complete(asyncio.wait_for(until(lambda: len(log) == 4), LIMIT))
            assert log == list(range(4)), injector.where
        finally:
            channel.close()
            theirs.close()
            loop.run_until_complete(asyncio.sleep(0))
            loop.close()

    whole = Injector(0, event)
    interrupted(whole)
    assert whole.seen > 10 or not ALL_EVENTS
    for at in chosen(whole.seen, event):
        interrupted(Injector(at, event))
