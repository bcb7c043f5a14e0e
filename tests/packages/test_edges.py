"""Values at the edge of what carriers take: empty lists and names, limits of no time, numbers that are none."""

from __future__ import annotations

import asyncio
import math
import sys
from typing import TYPE_CHECKING, Any

import pytest

import nodechannel
from nodechannel import errors, nodeipc, redis, rsmq, stdio
from nodechannel._core.delivery import DeliveryState
from support.redis import Redis

if TYPE_CHECKING:
    from collections.abc import Iterator

FRAMINGS = ["lines", "headers"]
WRITTEN = DeliveryState.WRITTEN

NO_TIME = [0, -1, -math.inf]

# A child that reads to the end and writes nothing.
SILENT = [sys.executable, "-c", "import sys; sys.stdin.buffer.read()"]

# A child that does not look at its channel; its standard input may be at its end from the beginning.
STILL = ["sleep", "60"]


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with Redis() as server:
        yield f"redis://127.0.0.1:{server.port}"


def test_no_messages_over_the_channel():
    with nodechannel.spawn(STILL) as child:
        with pytest.raises(errors.SendTimeout):
            child.send("x" * (4 << 20), timeout=0)
        # What stands before decides: no list of messages overtakes it.
        with pytest.raises(errors.SendTimeout):
            child.send_many([], timeout=0)
        child.kill(9)


def test_no_messages_over_the_channel_with_asyncio():
    async def main() -> None:
        async with await nodechannel.asyncio.spawn(STILL) as child:
            await child.send(1)
            assert (await child.send_many([])).state is WRITTEN
            child.kill(9)

    asyncio.run(main())


@pytest.mark.parametrize("timeout", NO_TIME)
def test_no_time(timeout, url, tmp_path):
    path = str(tmp_path / "s")
    with (
        stdio.spawn(SILENT) as child,
        nodeipc.serve(path=path) as server,
        redis.stream(url, "none") as stream,
        redis.queue(url, "nobody") as queue,
        redis.channels(url, "silence") as channels,
    ):
        for source in (child, server, stream, queue, channels):
            with pytest.raises(TimeoutError, match="no message arrived in time"):
                source.receive(timeout)
        with pytest.raises(TimeoutError, match="did not end"):
            child.wait(timeout)
        server.flush(timeout)


def test_a_limit_that_is_no_number_is_refused_and_nothing_hangs(url, tmp_path):
    path = str(tmp_path / "s")
    with (
        stdio.spawn(SILENT) as child,
        nodeipc.serve(path=path) as server,
        redis.stream(url, "none") as stream,
    ):
        for call in (child.receive, child.wait, server.receive, server.flush, stream.receive):
            with pytest.raises(ValueError, match="NaN"):
                call(math.nan)


def test_names_that_are_none_are_refused(url):
    ids: list[Any] = [5, True, b"x"]
    names: list[Any] = [None, 5, "", "a/b", "a\n"]
    nothing: Any = None
    with redis.stream(url, "names") as stream:
        for id in ids:
            with pytest.raises(errors.InvalidMessage):
                stream.send(1, id=id)
    with pytest.raises(errors.InvalidMessage):
        redis.channels(url, nothing)
    for name in names:
        with pytest.raises(rsmq.QueueError, match="Invalid qname"):
            rsmq.queue(url, name)
    with rsmq.queue(url, "names") as queue, pytest.raises(rsmq.QueueError, match="Invalid id"):
        queue.delete(nothing)
