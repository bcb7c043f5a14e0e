"""The asyncio front end of standard streams."""

from __future__ import annotations

import asyncio
import sys

import pytest

from nodechannel._core.delivery import DeliveryState
from nodechannel.stdio import asyncio as stdio_aio

FRAMINGS = ["lines", "headers"]
WRITTEN = DeliveryState.WRITTEN

# A child that reads to the end and writes no byte.
SILENT = [sys.executable, "-c", "import sys; sys.stdin.buffer.read()"]
# A child that writes back all that it reads.
ECHO = ["cat"]


@pytest.mark.parametrize("framing", FRAMINGS)
def test_a_cancelled_receive_loses_no_message(framing):
    async def main() -> None:
        async with await stdio_aio.spawn(ECHO, framing=framing) as child:
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(child.receive(), 0.02)
            await child.send_many([1, 2, 3])
            assert (await child.receive(timeout=20)).data == 1
            await child.disconnect()
            assert [message.data async for message in child] == [2, 3]

    asyncio.run(main())


def test_a_child_that_writes_much_can_end():
    async def main() -> int:
        code = "import sys; sys.stdout.write('1\\n' * 300_000)"
        async with await stdio_aio.spawn([sys.executable, "-c", code]) as child:
            assert await child.wait(timeout=20) == 0
            return len([message async for message in child])

    assert asyncio.run(main()) == 300_000


@pytest.mark.parametrize("framing", FRAMINGS)
def test_no_messages_over_standard_streams_with_asyncio(framing):
    async def main() -> None:
        async with await stdio_aio.spawn(SILENT, framing=framing) as child:
            await child.send(1)
            assert (await child.send_many([])).state is WRITTEN
            await child.flush(20)

    asyncio.run(main())
