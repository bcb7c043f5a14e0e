"""The bytes of a conversation over standard streams, in an event loop."""

from __future__ import annotations

import asyncio
import contextlib
import os
from typing import Any

import pytest

from nodechannel import errors
from nodechannel._core.delivery import DeliveryState
from nodechannel._stdio.transport import Transport


def run(steps: Any, **options: Any) -> None:
    """Run steps with a transport and with the far ends of its pipes."""

    async def main() -> None:
        reader, far_writer = os.pipe()
        far_reader, writer = os.pipe()
        transport = Transport(reader, writer, "lines", options)  # type: ignore[arg-type]
        ended: list[bool] = []
        transport.on_end = lambda: ended.append(True)
        try:
            await steps(transport, far_reader, far_writer)
        finally:
            transport.close()
            for fd in (far_reader, far_writer):
                with contextlib.suppress(OSError):
                    os.close(fd)
        assert ended == [True]

    asyncio.run(main())


def test_a_write_in_part_goes_on_when_there_is_room():
    async def steps(transport: Transport, far_reader: int, _far_writer: int) -> None:
        delivery = transport.stream.send("x" * 1_000_000)
        with pytest.raises(errors.SendTimeout):
            await transport.have_written(delivery, 0.01)
        found = 0
        waiting = asyncio.ensure_future(transport.have_written(delivery, 20))
        while found < 1_000_003:
            found += len(await asyncio.to_thread(os.read, far_reader, 1 << 20))
        assert (await waiting).state is DeliveryState.WRITTEN

    run(steps)


@pytest.mark.rule("STD-041")
def test_reading_stops_while_too_many_messages_wait():
    async def steps(transport: Transport, _far_reader: int, far_writer: int) -> None:
        os.set_blocking(far_writer, False)
        for _ in range(200):
            with contextlib.suppress(BlockingIOError):
                os.write(far_writer, b"1\n" * 10_000)
            await asyncio.sleep(0)
        waiting = len(transport.events)
        await asyncio.sleep(0.01)
        assert 0 < len(transport.events) == waiting < 500_000
        transport.read_everything(wanted=True)
        await asyncio.sleep(0.01)
        assert len(transport.events) > waiting

    run(steps)


@pytest.mark.rule("STD-042")
def test_a_peer_that_reads_no_more_ends_the_writing_alone():
    async def steps(transport: Transport, far_reader: int, far_writer: int) -> None:
        os.close(far_reader)
        with pytest.raises(errors.ChannelClosed):
            await transport.have_written(transport.stream.send(1), 20)
        os.write(far_writer, b"2\n")
        await transport.arrival(20)
        assert transport.events.take().data == 2

    run(steps)


@pytest.mark.rule("STD-040")
def test_a_disconnect_ends_the_stream_behind_its_last_message():
    async def steps(transport: Transport, far_reader: int, far_writer: int) -> None:
        transport.stream.send_many([1, 2])
        await transport.disconnect(20)
        assert [os.read(far_reader, 100), os.read(far_reader, 100)] == [b"1\n2\n", b""]
        os.close(far_writer)
        with pytest.raises(errors.ChannelClosed):
            await transport.arrival(20)

    run(steps)


def test_a_file_is_read_to_its_end(tmp_path):
    (tmp_path / "in").write_bytes(b"1\n" * 100_000)

    async def main() -> int:
        reader = os.open(tmp_path / "in", os.O_RDONLY)
        writer = os.open(os.devnull, os.O_WRONLY)
        transport, found = Transport(reader, writer, "lines", {}), 0
        with contextlib.suppress(errors.ChannelClosed):
            while True:
                await transport.arrival(20)
                found += len(transport.events.take_many())
                transport.read_on()
        transport.close()
        return found

    assert asyncio.run(main()) == 100_000
