"""Frames on their way out, through several connections in turn."""

from __future__ import annotations

import asyncio
import socket
from typing import Any

import pytest

from nodechannel import errors
from nodechannel._aio.wakeup import Waiters
from nodechannel._core.delivery import DeliveryState
from nodechannel._nodeipc.outlet import Outlet
from nodechannel.nodeipc import asyncio as aio


@pytest.fixture
def path(tmp_path):
    return str(tmp_path / "s")


async def read_all(far: socket.socket) -> None:
    while True:
        await asyncio.get_running_loop().sock_recv(far, 1 << 20)


class Resuming(asyncio.Protocol):
    """Tells an outlet when its block is written, as a link does."""

    def __init__(self, outlet: Outlet) -> None:
        self.resume_writing = outlet.resume  # type: ignore[method-assign]


def run(steps: Any) -> None:
    """Run steps with an outlet and with the transport and the far end of a connection."""

    async def main() -> None:
        loop = asyncio.get_running_loop()
        near, far = socket.socketpair()
        far.setblocking(False)
        outlet = Outlet(loop, Waiters(loop))
        transport, _ = await loop.create_connection(lambda: Resuming(outlet), sock=near)
        try:
            await steps(outlet, transport, far)
        finally:
            transport.abort()
            far.close()
            await asyncio.sleep(0)

    asyncio.run(main())


def test_frames_wait_for_a_connection_and_leave_in_order():
    async def steps(outlet: Outlet, transport: Any, far: socket.socket) -> None:
        waiting = [outlet.queue(b"one\f"), outlet.queue_many([b"two\f", b"three\f"])]
        assert (outlet.connected, outlet.size) == (False, 14)
        with pytest.raises(errors.SendTimeout):
            await outlet.have_written(waiting[0], 0)
        outlet.attach(transport)
        assert await outlet.have_written(waiting[1], 20) is waiting[1]
        assert outlet.settled
        assert far.recv(100) == b"one\ftwo\fthree\f"

    run(steps)


def test_the_block_under_way_is_lost_with_its_connection_and_no_other():
    async def steps(outlet: Outlet, transport: Any, _far: socket.socket) -> None:
        outlet.attach(transport)
        large = outlet.queue(b"x" * 5_000_000)
        behind = outlet.queue(b"y\f")
        assert (outlet.settled, outlet.size) == (False, 2)
        outlet.detach()
        assert [large.state, behind.state] == [DeliveryState.ABANDONED, DeliveryState.QUEUED]
        with pytest.raises(errors.ChannelClosed):
            await outlet.have_written(large, 20)
        outlet.end()
        assert behind.state is DeliveryState.ABANDONED
        with pytest.raises(errors.ChannelClosed):
            outlet.queue(b"z\f")
        with pytest.raises(errors.ChannelClosed):
            await outlet.flush(20)

    run(steps)


def test_a_sender_waits_while_too_much_is_queued():
    async def steps(outlet: Outlet, transport: Any, far: socket.socket) -> None:
        delivery = outlet.queue(b"x" * 5_000_000)
        with pytest.raises(errors.SendTimeout):
            await outlet.have_room(delivery, 0.01)
        outlet.attach(transport)
        room = asyncio.ensure_future(outlet.have_room(outlet.queue(b"y" * 1_000_000), 20))
        reading = asyncio.ensure_future(read_all(far))
        await room
        assert outlet.size < 1_000_000
        reading.cancel()

    run(steps)


def test_the_delivery_of_a_lost_event_says_so(path):
    async def main() -> None:
        async with await aio.serve(path=path) as server, await aio.connect(path=path) as client:
            await client.send("hello", 1)
            peer = (await server.receive(timeout=20)).peer
            # More than the socket takes, to a peer that stops reading.
            peer.link.transport.pause_reading()
            delivery = await client.send("large", "x" * 5_000_000)
            second = await client.send("behind", 2)
            peer.close()
            peer.link.transport.abort()
            while (found := await server.receive(timeout=20)).type != "behind":
                pass
            assert (found.data, delivery.state.name, second.state.name) == (2, "ABANDONED", "WRITTEN")

    asyncio.run(main())
