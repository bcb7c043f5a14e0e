"""Faults around `nodechannel.nodeipc`: bad frames, limits, places that are taken, connections that end."""

from __future__ import annotations

from functools import partial

import pytest

from nodechannel import errors, nodeipc
from support import nodeipc as node_ipc
from support.nodeipc import CLIENT, SERVER, VERSIONS


@pytest.fixture
def path(tmp_path):
    return str(tmp_path / "s")


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
