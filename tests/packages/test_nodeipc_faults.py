"""Faults around `nodechannel.nodeipc`: bad frames, limits, places that are taken, connections that end."""

from __future__ import annotations

import asyncio
import json
import os
import socket
import stat
import threading
import time
from functools import partial
from typing import Any

import pytest

from nodechannel import errors, nodeipc
from nodechannel.nodeipc import asyncio as aio
from support import nodeipc as node_ipc
from support.nodeipc import CLIENT, SERVER, VERSIONS

BAD = b'{"type":1}\fnull\f5\f[1]\f"x"\f{}\f\f NaN\f{"type":"connect","data":0}\f\xef\xbb\xbf{}\f'


@pytest.fixture
def path(tmp_path):
    return str(tmp_path / "s")


def wire(path: str) -> socket.socket:
    sock = socket.socket(socket.AF_UNIX)
    sock.settimeout(20)
    sock.connect(path)
    return sock


def frame(type: str, data: Any) -> bytes:
    return json.dumps({"type": type, "data": data}).encode() + b"\f"


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


@pytest.mark.rule("NIP-011")
def test_a_bad_frame_is_an_error_in_its_place_for_a_client(path):
    with nodeipc.serve(path=path, raw=True) as server, nodeipc.connect(path=path) as client:
        client.send("hello", None)
        server.receive(timeout=20).peer.send(frame("a", 1) + b"stray\f" + frame("b", 2))
        assert client.receive(timeout=20).data == 1
        with pytest.raises(errors.InvalidJson, match="stray"):
            client.receive(timeout=20)
        assert client.receive(timeout=20).data == 2


@pytest.mark.rule("NIP-014")
def test_a_frame_beyond_the_limit_ends_its_connection_alone(path, caplog):
    with nodeipc.serve(path=path, max_frame=1000) as server, wire(path) as good, wire(path) as bad:
        bad.sendall(b"x" * 5000)
        assert bad.recv(1) == b""
        good.sendall(frame("good", 1))
        assert server.receive(timeout=20).data == 1
    assert "1000" in caplog.text


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


@pytest.mark.rule("NIP-022")
def test_a_flood_is_held_back_until_it_is_read(path):
    with nodeipc.serve(path=path) as server, wire(path) as peer:
        data = frame("flood", "x" * 1000)
        written = []

        def flood() -> None:
            for number in range(20_000):
                peer.sendall(data)
                written.append(number)

        thread = threading.Thread(target=flood, daemon=True)
        thread.start()
        seen = -1
        while len(written) != seen:
            seen = len(written)
            time.sleep(0.3)
        assert seen < 10_000
        for _ in range(20_000):
            assert server.receive(timeout=20).type == "flood"
        thread.join()


@pytest.mark.rule("NIP-032")
def test_a_file_is_never_removed(tmp_path, path):
    (tmp_path / "s").write_text("mine")
    with pytest.raises(errors.InvalidAddress, match="no socket"):
        nodeipc.serve(path=path)
    assert (tmp_path / "s").read_text() == "mine"


@pytest.mark.rule("NIP-034")
def test_a_socket_belongs_to_its_user_and_goes_with_its_server(tmp_path, path):
    with nodeipc.serve(path=path):
        assert stat.S_IMODE((tmp_path / "s").stat().st_mode) == 0o600
        with pytest.raises(errors.InvalidAddress, match="another server listens"):
            nodeipc.serve(path=path)
        with nodeipc.serve(path=path, replace=True, mode=0o666) as second:
            assert stat.S_IMODE((tmp_path / "s").stat().st_mode) == 0o666
            with nodeipc.connect(path=path) as client:
                client.send("a", 1)
                assert second.receive(timeout=20).data == 1
    assert not (tmp_path / "s").exists()


def test_a_socket_that_was_left_behind_is_replaced(path):
    left = socket.socket(socket.AF_UNIX)
    left.bind(path)
    left.close()
    with nodeipc.serve(path=path) as server:
        assert server.address == path


@pytest.mark.rule("NIP-033")
def test_a_path_that_is_too_long_is_refused(tmp_path):
    for use in (nodeipc.serve, nodeipc.connect):
        with pytest.raises(errors.InvalidAddress, match="107 bytes"):
            use(path=str(tmp_path / ("x" * 100)))


def test_a_server_that_does_not_answer(path):
    with pytest.raises(TimeoutError, match="no server answered at"):
        nodeipc.connect(path=path, timeout=0.2, retry=0.05)
    with pytest.raises(FileNotFoundError):
        nodeipc.connect(path=path, max_retries=1, retry=0.01)


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.rule("NIP-050")
def test_a_client_survives_the_restarts_of_its_server(tmp_path, packages, path, version):
    source = f"{SERVER} ipc.serve('{path}', () => tell('ready')); watch(ipc.server);"
    run = partial(node_ipc.program, tmp_path, packages, version, source, {})
    with run() as child:
        assert child.receive(timeout=20).data == "ready"
        client = nodeipc.connect(path=path, lifecycle=True, retry=0.02)
        assert client.receive(timeout=20).type == "connect"
    with client:
        for number in range(3):
            assert client.receive(timeout=20).type == "disconnect"
            with pytest.raises(errors.SendTimeout):
                client.send("echo", number, timeout=0)
            with run() as child:
                assert child.receive(timeout=20).data == "ready"
                # The waiting messages leave over the next connection.
                assert [client.receive(timeout=20) for _ in range(2)] == [
                    nodeipc.Event("connect"),
                    nodeipc.Event("echoed", number),
                ]


@pytest.mark.parametrize("version", VERSIONS)
def test_a_client_of_node_survives_the_restarts_of_a_server(tmp_path, packages, path, version):
    source = f"{CLIENT} ipc.connectTo('it', '{path}', () => watch(ipc.of.it));"
    with node_ipc.program(tmp_path, packages, version, source, {}) as child:
        for number in range(3):
            with nodeipc.serve(path=path) as server:
                while child.receive(timeout=20).data != "connect":
                    pass
                child.send(["echo", number])
                event = server.receive(timeout=20)
                event.peer.send("echoed", event.data)
                while (found := child.receive(timeout=20).data) == "disconnect":
                    pass
                assert found == ["echoed", number]


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


def test_everything_ends_with_an_error_that_says_so(path):
    with nodeipc.serve(path=path) as server, nodeipc.connect(path=path) as client:
        client.send("a", 1)
        peer = server.receive(timeout=20).peer
    for call in (client.receive, server.receive, client.flush, peer.flush):
        with pytest.raises(errors.ChannelClosed):
            call()
    for send in (client.send, peer.send, server.broadcast):
        with pytest.raises(errors.ChannelClosed):
            send("a", 1)
    assert list(client) == []
    assert (client.connected, peer.connected, server.address) == (False, False, None)


def test_a_forked_process_has_no_part_in_it(path):
    with nodeipc.serve(path=path) as server, nodeipc.connect(path=path) as client:
        child = os.fork()
        if not child:
            try:
                client.receive(timeout=0)
            except errors.ChannelClosed:
                os._exit(7)
            os._exit(1)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 7
        client.send("a", 1)
        assert server.receive(timeout=20).data == 1
