"""A server: its peers, their limits, and their faults."""

from __future__ import annotations

import asyncio
import contextlib
import math
import socket

import pytest

from nodechannel import errors, nodeipc
from nodechannel.nodeipc import asyncio as aio
from nodechannel.nodeipc import asyncio as nodeipc_aio
from support.nodeipc import BAD, frame, wire


@pytest.fixture
def path(tmp_path):
    return str(tmp_path / "s")


def test_a_cancelled_receive_loses_no_event(path):
    async def main() -> None:
        async with await aio.serve(path=path) as server, await aio.connect(path=path) as client:
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(server.receive(), 0.05)
            await client.send("a", 1)
            assert (await server.receive(timeout=20)).data == 1

    asyncio.run(main())


@pytest.mark.parametrize("turns", range(5))
def test_a_client_that_arrives_at_the_last_moment_is_not_forgotten(path, turns):
    async def main() -> bytes:
        loop = asyncio.get_running_loop()
        server = await aio.serve(path=path)
        with socket.socket(socket.AF_UNIX) as peer:
            peer.connect(path)
            peer.setblocking(False)
            for _ in range(turns):
                await asyncio.sleep(0)
            server.close()
            return await asyncio.wait_for(loop.sock_recv(peer, 9), 20)

    with contextlib.suppress(ConnectionResetError):
        assert asyncio.run(main()) == b""


def test_the_place_of_a_server_that_was_closed_is_free_at_once():
    async def main() -> None:
        server = await aio.serve(port=0)
        port = server.address[1]
        server.close()
        async with await aio.serve(port=port) as again:
            assert again.address[1] == port

    asyncio.run(main())


def test_it_belongs_to_one_process(path):
    import pickle

    async def main() -> None:
        async with await aio.serve(path=path) as server:
            with pytest.raises(TypeError, match="belongs to one process"):
                pickle.dumps(server)

    asyncio.run(main())


@pytest.mark.rule("NIP-011", "NIP-012", "NIP-013")
def test_bad_frames_reach_no_reader_of_a_server(path, caplog):
    with nodeipc.serve(path=path) as server, wire(path) as peer:
        peer.sendall(BAD + frame("good", 1))
        assert server.receive(timeout=20) == nodeipc.Event("good", 1, server.peers[0])
        server.broadcast("answer", 2)
        assert peer.recv(100) == b'{"type":"answer","data":2}\f'
    assert len(caplog.messages) == BAD.count(b"\f")


@pytest.mark.rule("NIP-011")
def test_a_server_that_asks_is_told_of_bad_frames(path):
    with nodeipc.serve(path=path, lifecycle=True) as server:
        with wire(path) as peer:
            peer.sendall(BAD + b'{"type')
        found = [server.receive(timeout=20) for _ in range(BAD.count(b"\f") + 3)]
        assert [event.type for event in found] == ["connect", *["error"] * 11, "socket.disconnected"]
        assert isinstance(found[-2].data, errors.TruncatedMessage)
        assert all(event.peer is found[0].peer for event in found)


@pytest.mark.rule("NIP-024")
def test_one_connection_more_is_closed_at_once(path):
    with nodeipc.serve(path=path, max_connections=2) as server, wire(path) as first, wire(path):
        first.sendall(frame("a", 1))
        server.receive(timeout=20)
        with wire(path) as third:
            assert third.recv(1) == b""
        assert len(server.peers) == 2


@pytest.mark.rule("NIP-023")
def test_a_peer_that_never_reads_is_given_up(path, caplog):
    with nodeipc.serve(path=path, max_pending=100_000) as server, wire(path) as peer:
        peer.sendall(frame("a", 1))
        server.receive(timeout=20)
        for _ in range(100):
            if not server.broadcast("news", "x" * 50_000):
                break
        else:
            pytest.fail("the peer that never reads was kept")
    assert "does not read" in caplog.text


def test_a_limit_that_is_no_number_does_not_reach_the_event_loop(tmp_path):
    async def main() -> None:
        async with await nodeipc_aio.serve(path=str(tmp_path / "s")) as server:
            with pytest.raises(ValueError, match="NaN"):
                await server.flush(math.nan)
            await asyncio.sleep(0)

    asyncio.run(main())
