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
from nodechannel.nodeipc import asyncio as nodeipc_aio
from nodechannel.stdio import asyncio as stdio_aio
from support.redis import Redis

if TYPE_CHECKING:
    from collections.abc import Iterator

FRAMINGS = ["lines", "headers"]
WRITTEN = DeliveryState.WRITTEN

NO_TIME = [0, -1, -math.inf]

# A child that reads to the end and writes nothing.
SILENT = [sys.executable, "-c", "import sys; sys.stdin.buffer.read()"]


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with Redis() as server:
        yield f"redis://127.0.0.1:{server.port}"


@pytest.mark.parametrize("framing", FRAMINGS)
def test_no_messages_over_standard_streams(framing):
    with stdio.spawn(SILENT, framing=framing) as child:
        assert child.send_many([], timeout=20).state is WRITTEN
        child.disconnect()
        with pytest.raises(errors.ChannelClosed):
            child.send_many([])


@pytest.mark.parametrize("framing", FRAMINGS)
def test_no_messages_over_standard_streams_with_asyncio(framing):
    async def main() -> None:
        async with await stdio_aio.spawn(SILENT, framing=framing) as child:
            await child.send(1)
            assert (await child.send_many([])).state is WRITTEN
            await child.flush(20)

    asyncio.run(main())


def test_no_messages_over_sockets(tmp_path):
    path = str(tmp_path / "s")
    with nodeipc.serve(path=path), nodeipc.connect(path=path) as client:
        assert client.send_many([], timeout=20).state is WRITTEN
        client.close()
        with pytest.raises(errors.ChannelClosed):
            client.send_many([])


def test_no_messages_over_sockets_with_asyncio(tmp_path):
    async def main() -> None:
        path = str(tmp_path / "s")
        async with await nodeipc_aio.serve(path=path), await nodeipc_aio.connect(path=path) as client:
            assert (await client.send_many([])).state is WRITTEN
            client.close()
            with pytest.raises(errors.ChannelClosed):
                await client.send_many([])

    asyncio.run(main())


def test_no_messages_over_the_channel():
    with nodechannel.spawn(SILENT) as child:
        with pytest.raises(errors.SendTimeout):
            child.send("x" * (4 << 20), timeout=0)
        # What stands before decides: no list of messages overtakes it.
        with pytest.raises(errors.SendTimeout):
            child.send_many([], timeout=0)
        child.kill(9)


def test_no_messages_over_the_channel_with_asyncio():
    async def main() -> None:
        async with await nodechannel.asyncio.spawn(SILENT) as child:
            await child.send(1)
            assert (await child.send_many([])).state is WRITTEN
            child.kill(9)

    asyncio.run(main())


def test_no_messages_over_redis(url):
    with redis.stream(url, "empty") as stream, redis.channels(url) as channels:
        assert stream.send_many([]) == []
        assert channels.send_many("empty", []) == []
        stream.acknowledge()
        stream.renew()


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


def test_a_limit_that_is_no_number_does_not_reach_the_event_loop(tmp_path):
    async def main() -> None:
        async with await nodeipc_aio.serve(path=str(tmp_path / "s")) as server:
            with pytest.raises(ValueError, match="NaN"):
                await server.flush(math.nan)
            await asyncio.sleep(0)

    asyncio.run(main())


@pytest.mark.parametrize(
    "place",
    [
        {"path": ""},
        {"path": "a\0b"},
        {"path": "\0abstract"},
        {"id": "../elsewhere"},
        {"id": "a\0b"},
        {"port": -1},
        {"port": 65536},
        {"port": "8000"},
    ],
)
@pytest.mark.parametrize("use", [nodeipc.connect, nodeipc.serve])
def test_a_place_that_is_none_is_refused_at_once(use, place):
    with pytest.raises(errors.InvalidAddress):
        use(**place)


def test_an_address_of_udp_that_is_none_is_refused_and_the_socket_lives_on():
    with nodeipc.serve_udp(port=0) as socket:
        places: list[Any] = [("localhost", 1), ("127.0.0.1", 65536), (None, 1)]
        for host, port in places:
            with pytest.raises(errors.InvalidAddress):
                socket.peer(host, port)
            with pytest.raises(errors.InvalidAddress):
                socket.send_to((host, port), "event")
        socket.send_to(socket.address, "event", 5)
        assert socket.receive(20).data == 5
    with pytest.raises(errors.InvalidAddress):
        nodeipc.serve_udp(port=70000)


@pytest.mark.parametrize(
    "option",
    [
        {"claim_after": 0},
        {"claim_after": math.nan},
        {"claim_after": None},
        {"retry": 0},
        {"retry": True},
        {"prefetch": 0},
        {"prefetch": 1.5},
        {"max_attempts": 0},
        {"max_length": 0},  # Redis would drop each message at once
    ],
)
def test_an_option_of_a_stream_that_is_no_number_above_zero_is_refused(option, url):
    [name] = option
    with pytest.raises(ValueError, match=name):
        redis.stream(url, "refused", **option)


def test_other_options_that_are_no_number_above_zero_are_refused(url, tmp_path):
    uses: list[tuple[str, Any]] = [
        ("alive", lambda: redis.queue(url, "refused", alive=0)),
        ("alive", lambda: redis.queue(url, "refused", alive=math.inf)),
        ("retry", lambda: redis.channels(url, "refused", retry=-1)),
        ("retry", lambda: nodeipc.connect(path=str(tmp_path / "s"), retry=0)),
        ("max_peers", lambda: nodeipc.serve_udp(port=0, max_peers=0)),
    ]
    for name, use in uses:
        with pytest.raises(ValueError, match=name):
            use()


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


def test_a_lone_surrogate_reaches_rsmq_as_node_writes_it(url):
    with rsmq.queue(url, "surrogates") as queue:
        queue.create()
        queue.send("a\ud800b")
        assert queue.pop(20).message == "a\ufffdb"
