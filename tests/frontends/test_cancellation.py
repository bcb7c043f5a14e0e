"""asyncio alone: a cancelled call loses no byte and no message, and waiting calls take little memory."""

from __future__ import annotations

import asyncio
import os
import socket
from pathlib import Path

import pytest

from nodechannel import DeliveryState, errors
from nodechannel import asyncio as aio
from nodechannel._aio import channel as aio_channel
from nodechannel._core.connection import MOST_HANDLES


def run(scenario):
    """Run a scenario with a channel and the raw non-blocking socket at its far end."""

    async def main():
        ours, theirs = socket.socketpair()
        theirs.setblocking(False)
        with theirs:
            channel = aio.Channel(ours)
            try:
                return await asyncio.wait_for(scenario(channel, theirs), 30)
            finally:
                channel.close()

    return asyncio.run(main(), debug=True)


async def cancelled(task: asyncio.Task[object]) -> None:
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def read(sock: socket.socket, count: int) -> bytes:
    data = bytearray()
    while len(data) < count:
        data += await asyncio.get_running_loop().sock_recv(sock, count - len(data))
    return bytes(data)


@pytest.mark.parametrize("turns", range(4))
def test_a_cancelled_receive_takes_no_message(turns):
    async def scenario(channel, peer):
        task = asyncio.create_task(channel.receive())
        await asyncio.sleep(0)
        peer.send(b"1\n2\n")
        for _ in range(turns):
            await asyncio.sleep(0)
        got = []
        if task.done():
            got.append(task.result().data)
        else:
            await cancelled(task)
        while len(got) < 2:
            got.append((await channel.receive(timeout=5)).data)
        assert got == [1, 2]

    run(scenario)


def test_a_receive_cancelled_in_mid_frame_leaves_the_frame_whole():
    async def scenario(channel, peer):
        peer.send(b'{"first ha')
        task = asyncio.create_task(channel.receive())
        await asyncio.sleep(0.01)
        await cancelled(task)
        peer.send(b'lf":1}\n')
        assert (await channel.receive(timeout=5)).data == {"first half": 1}

    run(scenario)


def test_a_send_cancelled_in_mid_frame_leaves_the_frame_whole():
    async def scenario(channel, peer):
        text = "x" * (4 << 20)
        task = asyncio.create_task(channel.send(text))
        await asyncio.sleep(0.01)
        assert not task.done()
        await cancelled(task)
        sender = asyncio.create_task(channel.send("after"))
        frame = b'"' + text.encode() + b'"\n"after"\n'
        assert await read(peer, len(frame)) == frame
        await sender

    run(scenario)


def test_a_cancelled_flush_goes_on_in_the_background():
    async def scenario(channel, peer):
        text = "x" * (1 << 20)
        sender = asyncio.create_task(channel.send(text))
        task = asyncio.create_task(channel.flush())
        await asyncio.sleep(0.01)
        await cancelled(task)
        assert len(await read(peer, len(text) + 3)) == len(text) + 3
        await sender
        await channel.flush(timeout=5)

    run(scenario)


def test_a_cancelled_disconnect_goes_on_in_the_background():
    async def scenario(channel, peer):
        text = "x" * (1 << 20)
        sender = asyncio.create_task(channel.send(text))
        task = asyncio.create_task(channel.disconnect())
        await asyncio.sleep(0.01)
        await cancelled(task)
        assert len(await read(peer, len(text) + 3)) == len(text) + 3
        assert await asyncio.get_running_loop().sock_recv(peer, 1) == b""
        await sender
        assert channel.fileno() == -1

    run(scenario)


def test_several_receivers_share_the_messages():
    async def scenario(channel, peer):
        tasks = [asyncio.create_task(channel.receive(timeout=5)) for _ in range(5)]
        await asyncio.sleep(0)
        peer.send(b"0\n1\n2\n3\n4\n")
        assert sorted(message.data for message in await asyncio.gather(*tasks)) == [0, 1, 2, 3, 4]

    run(scenario)


def test_every_receiver_learns_of_the_end():
    async def scenario(channel, peer):
        tasks = [asyncio.create_task(channel.receive()) for _ in range(3)]
        await asyncio.sleep(0)
        peer.close()
        results = await asyncio.gather(*tasks, return_exceptions=True)
        assert [type(result) for result in results] == [errors.ChannelClosed] * 3

    run(scenario)


def test_of_what_is_sent_in_one_turn_the_first_leaves_at_once_and_the_rest_in_one_call():
    calls = []

    async def scenario(channel, peer):
        send = channel._transport.send

        def counting(data, *rest):
            calls.append(bytes(data).count(b"\n"))
            return send(data, *rest)

        channel._transport.send = counting
        for number in range(500):
            await channel.send(number)
        await channel.flush(timeout=5)
        assert calls == [1, 499]

    run(scenario)


def test_a_slow_reader_is_not_flooded():
    async def scenario(channel, peer):
        peer.setblocking(False)
        sent = 0
        line = b'"' + b"x" * 97 + b'"\n'
        count = 0
        for turn in range(2000):
            try:
                sent += peer.send(line * 10)
            except BlockingIOError:
                await asyncio.sleep(0)
            if turn > 1000:  # now the test takes a message for each ten that arrive
                await channel.receive()
                count += 1
            assert len(channel._connection.events) < 3 * aio_channel.READ_AHEAD
        assert sent > count * len(line) + 100_000
        peer.setblocking(True)
        peer.shutdown(socket.SHUT_WR)
        async for _ in channel:
            count += 1
        assert count == sent // len(line)

    run(scenario)


def test_a_flood_of_handles_takes_few_descriptors_at_a_time():
    ack = b'{"cmd":"NODE_HANDLE_ACK"}\n'
    count = 2 * MOST_HANDLES

    async def scenario(channel, peer):
        def open_descriptors():
            return len(list(Path("/dev/fd").iterdir()))

        async def flood():
            for number in range(count):
                await channel.send(number, server)

        with socket.create_server(("127.0.0.1", 0)) as server:
            before = open_descriptors()
            task = asyncio.create_task(flood())
            sent = []
            for _ in range(count):
                while not (taken := await receive_handle(peer)):
                    pass
                sent.append(taken)
                assert open_descriptors() - before <= MOST_HANDLES + 2
                peer.send(ack)
            await task
            await channel.flush()
            assert sent == [b'{"cmd":"NODE_HANDLE","type":"net.Server","msg":%d}\n' % n for n in range(count)]
            assert open_descriptors() == before

    run(scenario)


def test_a_handle_that_waits_for_its_place_is_queued_after_cancellation_and_after_its_time():
    async def scenario(channel, peer):
        with socket.create_server(("127.0.0.1", 0)) as server:
            deliveries = [await channel.send(number, server) for number in range(MOST_HANDLES + 1)]
            with pytest.raises(errors.SendTimeout) as caught:
                await channel.send("late", server, timeout=0.05)
            deliveries.append(caught.value.delivery)
            task = asyncio.create_task(channel.send("cancelled", server))
            await asyncio.sleep(0)
            await cancelled(task)
            await asyncio.wait_for(channel.send("no handle"), 5)  # plain messages need no descriptor
            for _ in range(MOST_HANDLES + 3):
                while not await receive_handle(peer):
                    pass
                peer.send(b'{"cmd":"NODE_HANDLE_ACK"}\n')
            await channel.flush()
            assert all(one.state is DeliveryState.ACKNOWLEDGED for one in deliveries)
            assert await read(peer, 12) == b'"no handle"\n'

    run(scenario)


def test_a_handle_that_waits_for_its_place_learns_of_the_end():
    async def scenario(channel, peer):
        with socket.create_server(("127.0.0.1", 0)) as server:
            for number in range(MOST_HANDLES + 1):
                await channel.send(number, server)
            task = asyncio.create_task(channel.send("late", server))
            await asyncio.sleep(0)
            peer.close()
            with pytest.raises(errors.ChannelClosed):
                await task

    run(scenario)


async def receive_handle(sock: socket.socket) -> bytes:
    """Take an envelope, and close the descriptor that comes with it."""
    await asyncio.sleep(0)
    try:
        data, descriptors, _flags, _address = socket.recv_fds(sock, 1000, 10)
    except BlockingIOError:
        return b""
    assert len(descriptors) == 1
    os.close(descriptors[0])
    return data
