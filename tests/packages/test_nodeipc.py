"""`nodechannel.nodeipc` with real programs of npm `node-ipc` 9 and 14 at the other end."""

from __future__ import annotations

import asyncio
import os
import shutil
import socket
import ssl
import subprocess
from functools import partial
from typing import Any

import pytest

from nodechannel import nodeipc
from nodechannel.nodeipc import asyncio as aio
from support import nodeipc as node_ipc
from support.nodeipc import CLIENT, PACKAGES, SERVER, VERSIONS

pytestmark = pytest.mark.parametrize(
    "version",
    [
        pytest.param(
            version,
            marks=pytest.mark.package(PACKAGES[version], "client or server", "`nodechannel.nodeipc`"),
        )
        for version in VERSIONS
    ],
)

VALUES: list[Any] = [
    True,
    0,
    -1.5,
    2**53 - 1,
    "é😀\u2028\f\n",
    [1, [2, [None]]],
    {"__proto__": 1, "a": {"b": None}},
    {"type": "x", "data": 1},
    None,
    "",
    False,
]


@pytest.fixture
def run(tmp_path, packages):
    return partial(node_ipc.program, tmp_path, packages)


@pytest.fixture
def free_port():
    with socket.create_server(("127.0.0.1", 0)) as free:
        return free.getsockname()[1]


def served(path: object) -> str:
    return f"{SERVER} ipc.serve('{path}', () => tell('ready')); watch(ipc.server);"


def connecting(path: object) -> str:
    return f"{CLIENT} ipc.connectTo('it', '{path}', () => watch(ipc.of.it));"


@pytest.mark.rule("NIP-001", "NIP-002", "NIP-003", "NIP-040")
def test_a_client_in_python(run, version, tmp_path):
    path = tmp_path / "s"
    with run(version, served(path), {}) as child:
        assert child.receive(timeout=20).data == "ready"
        with nodeipc.connect(path=str(path)) as client, nodeipc.connect(path=str(path)) as other:
            for value in VALUES:
                client.send("echo", value)
            found = [client.receive(timeout=20) for _ in VALUES]
            assert {event.type for event in found} == {"echoed"}
            # The bytes that version 9 writes for null and for the empty string.
            emptied = [{} if version == 9 and value in (None, "") else value for value in VALUES]
            assert [event.data for event in found] == emptied
            client.send("all", {"id": "python", "n": 1})
            for each in (client, other):
                assert each.receive(timeout=20) == nodeipc.Event("news", {"id": "python", "n": 1})
        told = [child.receive(timeout=20).data for _ in range(4)]
        assert told[:2] == ["connect", "connect"]
        # The settings of version 14 name no peer.
        assert ["left", "python" if version == 9 else False] in told[2:]


@pytest.mark.rule("NIP-001", "NIP-003", "NIP-040")
def test_a_server_in_python(run, version, tmp_path):
    path = tmp_path / "s"
    with nodeipc.serve(path=str(path), lifecycle=True) as server, run(version, connecting(path), {}) as child:
        assert child.receive(timeout=20).data == "connect"
        joined = server.receive(timeout=20)
        assert (joined.type, joined.peer.connected) == ("connect", True)
        for value in VALUES:
            child.send(["echo", value])
        for value in VALUES:
            event = server.receive(timeout=20)
            assert event.peer is joined.peer
            assert event.data == ({} if version == 9 and value in (None, "") else value)
            event.peer.send("echoed", value)
        assert [child.receive(timeout=20).data for _ in VALUES] == [["echoed", value] for value in VALUES]
        child.send(["echo", {"id": "node", "n": 1}])
        assert server.receive(timeout=20).peer.id == "node"
        assert server.broadcast("news", 7) == 1
        assert child.receive(timeout=20).data == ["news", 7]
        child.kill(9)
        assert server.receive(timeout=20) == nodeipc.Event("socket.disconnected", None, joined.peer)
        assert server.peers == []


def test_both_ends_with_asyncio(run, version, tmp_path):
    async def main() -> None:
        async with await aio.connect(path=str(tmp_path / "s")) as client:
            for value in VALUES:
                await client.send("echo", [value])
            assert [(await client.receive(timeout=20)).data for _ in VALUES] == [[value] for value in VALUES]
        async with await aio.serve(path=str(tmp_path / "t")) as server:
            asking = asyncio.to_thread(converse)
            task = asyncio.ensure_future(asking)
            async for event in server:
                await event.peer.send("echoed", event.data)
                break
            await server.flush(timeout=20)
            assert await task == ["connect", ["echoed", "é"]]

    def converse() -> list[Any]:
        with run(version, connecting(tmp_path / "t"), {}) as child:
            child.send(["echo", "é"])
            return [child.receive(timeout=20).data for _ in range(2)]

    with run(version, served(tmp_path / "s"), {}) as child:
        assert child.receive(timeout=20).data == "ready"
        asyncio.run(main())


@pytest.mark.rule("NIP-030", "NIP-031")
def test_an_id_means_the_same_place_at_both_ends(run, version, tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    id = f"nodechannel-{os.getpid()}"
    source = f"{SERVER} ipc.config.id = '{id}'; ipc.serve(() => tell('ready')); watch(ipc.server);"
    with run(version, source, {}) as child:
        assert child.receive(timeout=20).data == "ready"
        with nodeipc.connect(id, version=version) as client:
            client.send("echo", 1)
            assert client.receive(timeout=20).data == 1
    source = f"{CLIENT} ipc.connectTo('{id}', () => watch(ipc.of['{id}']));"
    with nodeipc.serve(id, version=version, replace=True) as server, run(version, source, {}) as child:
        child.send(["echo", 2])
        assert server.receive(timeout=20).data == 2


@pytest.mark.rule("NIP-010", "NIP-020")
def test_many_and_large_events(run, version, tmp_path):
    path = tmp_path / "s"
    large = "é" * 500_000
    with run(version, served(path), {}) as child:
        assert child.receive(timeout=20).data == "ready"
        with nodeipc.connect(path=str(path)) as client:
            # Answers are taken now and then: a steady stream stalls version 9.
            for first in range(0, 3000, 500):
                client.send_many(("echo", number) for number in range(first, first + 500))
                found = [client.receive(timeout=20).data for _ in range(500)]
                assert found == list(range(first, first + 500))
            client.send("echo", large)
            assert client.receive(timeout=20).data == large


def test_tcp(run, version, free_port):
    source = f"{SERVER} ipc.serveNet({free_port}, () => tell('ready')); watch(ipc.server);"
    with run(version, source, {"networkHost": "127.0.0.1"}) as child:
        assert child.receive(timeout=20).data == "ready"
        with nodeipc.connect(port=free_port) as client:
            client.send("echo", "é")
            assert client.receive(timeout=20).data == "é"
    with nodeipc.serve(port=0) as server:
        source = f"{CLIENT} ipc.connectToNet('it', {server.address[1]}, () => watch(ipc.of.it));"
        with run(version, source, {"networkHost": "127.0.0.1"}) as child:
            child.send(["echo", 2])
            event = server.receive(timeout=20)
            assert (event.data, event.peer.address[0]) == (2, "127.0.0.1")


@pytest.fixture(scope="session")
def certificate(tmp_path_factory):
    """A certificate for localhost that signs itself, and its key."""
    if shutil.which("openssl") is None:
        pytest.skip("no openssl on PATH: apt-get install openssl")
    folder = tmp_path_factory.mktemp("tls")
    files = folder / "cert.pem", folder / "key.pem"
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2"]
    command += ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"]
    command += ["-out", str(files[0]), "-keyout", str(files[1])]
    subprocess.run(command, check=True, capture_output=True, timeout=50, process_group=0)
    return files


def tls(purpose: ssl.Purpose, certificate: Any) -> ssl.SSLContext:
    """A context that shows the certificate, and demands it from the peer."""
    context = ssl.create_default_context(purpose, cafile=certificate[0])
    context.load_cert_chain(*certificate)
    context.verify_mode = ssl.CERT_REQUIRED
    return context


def test_tls_with_certificates_of_both_ends(run, version, free_port, certificate):
    cert, key = map(str, certificate)
    config = {
        "networkHost": "localhost",
        "tls": {
            "private": key,
            "public": cert,
            "trustedConnections": [cert],
            "requestCert": True,
            "rejectUnauthorized": True,
        },
    }
    source = f"{SERVER} ipc.serveNet('localhost', {free_port}, () => tell('ready')); watch(ipc.server);"
    with run(version, source, config) as child:
        assert child.receive(timeout=20).data == "ready"
        context = tls(ssl.Purpose.SERVER_AUTH, certificate)
        with nodeipc.connect(host="localhost", port=free_port, ssl=context) as client:
            client.send("echo", "x" * 300_000)
            assert client.receive(timeout=20).data == "x" * 300_000
        stranger = ssl.create_default_context(cafile=cert)
        # TLS 1.3 tells a client that its certificate is missing behind the handshake.
        with (
            nodeipc.connect(host="localhost", port=free_port, ssl=stranger, max_retries=0) as client,
            pytest.raises(nodechannel_closed()),
        ):
            client.receive(timeout=20)
    context = tls(ssl.Purpose.CLIENT_AUTH, certificate)
    with nodeipc.serve(host="localhost", port=0, ssl=context) as server:
        source = f"{CLIENT} ipc.connectToNet('it', 'localhost', {server.address[1]}, () => watch(ipc.of.it));"
        with run(version, source, config) as child:
            assert child.receive(timeout=20).data == "connect"
            child.send(["echo", 2])
            server.receive(timeout=20).peer.send("echoed", 3)
            assert child.receive(timeout=20).data == ["echoed", 3]


def nodechannel_closed() -> type[Exception]:
    from nodechannel import ChannelClosed

    return ChannelClosed


@pytest.mark.rule("NIP-060", "NIP-061")
def test_udp(run, version, free_port):
    source = f"{SERVER} ipc.serveNet({free_port}, 'udp4', () => tell('ready')); watch(ipc.server);"
    with run(version, source, {"networkHost": "127.0.0.1"}) as child, nodeipc.serve_udp(port=0) as socket:
        # Version 9 says that it is ready before its port is.
        assert {child.receive(timeout=20).data for _ in range(2)} == {"ready", "connect"}
        for number in (1, {"id": "é"}):
            socket.peer("127.0.0.1", free_port).send("echo", number)
            event = socket.receive(timeout=20)
            assert (event.type, event.data) == ("echoed", number)
            event.peer.send("echo", "again")
            assert socket.receive(timeout=20).data == "again"
        assert [peer.id for peer in socket.peers] == ["é"]


def test_raw_bytes(run, version, tmp_path):
    config = {"rawBuffer": True, "encoding": "hex"}
    path = tmp_path / "s"
    source = f"""
        ipc.serve('{path}', () => tell('ready'));
        ipc.server.on('data', (data, socket) => ipc.server.emit(socket, {{ 9: data.toString('hex'), 14: data }}[{version}]));
        ipc.server.start();
    """
    sent = bytes(range(256))
    with run(version, source, config) as child:
        assert child.receive(timeout=20).data == "ready"
        with nodeipc.connect(path=str(path), raw=True) as client:
            client.send(sent)
            found = b""
            while len(found) < len(sent):
                event = client.receive(timeout=20)
                assert event.type == "data"
                found += event.data
            assert found == sent
