"""The words of sending that a client and a peer of a server share."""

from __future__ import annotations

import asyncio

import pytest

from nodechannel import errors, nodeipc
from nodechannel._core.delivery import DeliveryState
from nodechannel.nodeipc import asyncio as nodeipc_aio

WRITTEN = DeliveryState.WRITTEN


@pytest.fixture
def path(tmp_path):
    return str(tmp_path / "s")


def test_all_or_none_of_many_events_is_queued(path):
    async def main() -> None:
        async with (
            await nodeipc_aio.serve(path=path) as server,
            await nodeipc_aio.connect(path=path) as client,
        ):
            with pytest.raises(errors.InvalidMessage):
                await client.send_many([("a", 1), ("b", {1})])
            await client.send_many([("a", 1), ("b", 2)])
            await client.flush(20)
            found = [await server.receive(timeout=20) for _ in range(2)]
            assert [(event.type, event.data) for event in found] == [("a", 1), ("b", 2)]

    asyncio.run(main())


def test_words_that_a_peer_would_misread_are_refused(path):
    with nodeipc.serve(path=path) as server, nodeipc.connect(path=path) as client:
        for type in ("", "connect", "start", "data", "constructor", 1, None, b"x"):
            with pytest.raises(errors.InvalidMessage):
                client.send(type, 1)  # type: ignore[arg-type]
            with pytest.raises(errors.InvalidMessage):
                server.broadcast(type, 1)  # type: ignore[arg-type]
            with pytest.raises(errors.InvalidMessage):
                client.send_many([("good", 1), (type, 1)])  # type: ignore[list-item]
        client.send("good")
        assert server.receive(timeout=20).data is None


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
