"""Channels with `serialization="advanced"`: real Node on the far side, in both roles, handles and clusters too."""

from __future__ import annotations

import asyncio
import json
import socket
import subprocess
import sys
from typing import Any

import pytest

from nodechannel import errors, js
from nodechannel.cluster import Cluster
from support.cluster import PATIENCE, talk
from support.node import FIXTURES, node

ECHO = "process.on('message', (message, handle) => process.send({ echo: message }, handle));"


@pytest.fixture
def echo(fork):
    with fork(ECHO, serialization="advanced") as child:
        yield child


def test_values_come_back_as_they_were_sent(echo):
    message: dict[str, Any] = {
        "int": [0, -1, 2**31, 2**53 - 1, 2**60],
        "float": [0.5, -0.0, float("inf")],
        "text": ["", "é", "€", "\ud800", "😀" * 1000],
        "bytes": b"\x00\xff" * 50_000,
        "map": js.Map([(1, "a"), ("1", "b"), (b"k", None)]),
        "sets": [{1, "a"}, js.Set([1, True])],
        "odd": [
            js.undefined,
            js.RegExp("a+", "gi"),
            js.Boxed("x"),
            js.SparseArray(9, {2: 1}),
            js.Date("nan"),
        ],
        "error": js.Error("RangeError", "m", "S"),
        "floats": js.TypedArray("Float64Array", bytes(80)),
    }
    echo.send(message)
    found = echo.receive(timeout=20).data["echo"]
    assert repr(found.pop("sets")) == repr(message.pop("sets"))
    found_map, sent_map = found.pop("map").pairs(), message.pop("map").pairs()
    assert found_map == sent_map
    assert found == message


def test_many_messages_at_once(echo):
    echo.send_many([{"n": index, "pad": "x" * index} for index in range(500)])
    assert [echo.receive(timeout=20).data["echo"]["n"] for _ in range(500)] == list(range(500))


def test_default_translates_in_both_serializations(fork):
    for serialization in ("json", "advanced"):
        with fork(ECHO, serialization=serialization, default=str) as child:
            child.send([complex(1, 2)])
            assert child.receive(timeout=20).data == {"echo": ["(1+2j)"]}


def test_a_refused_message_writes_nothing(echo):
    for bad in ({"a": object()}, {"cmd": "NODE_X"}, {"cmd": "NODE_\u20ac"}, js.Array([], {"cmd": "NODE_X"})):
        with pytest.raises(errors.InvalidMessage, match=r"at \$\.(a|cmd)"):
            echo.send(bad)
    with pytest.raises(errors.InvalidMessage, match=r"at \$\[1\]\.a"):
        echo.send_many([1, {"a": object()}])
    echo.send("next")
    assert echo.receive(timeout=20).data == {"echo": "next"}


def test_handles_both_ways(echo):
    shared = {"s": 1}
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        echo.send({"€": shared, "again": shared, "key": js.undefined}, handle=server)
        message = echo.receive(timeout=20)
    found = message.data["echo"]
    assert found["€"] is found["again"]
    assert found["key"] is js.undefined
    with message.handle.socket() as back:
        assert back.getsockname()[1] == port
    one, two = socket.socketpair()
    with two:
        echo.send("stream", handle=one, handle_type="net.Socket")
        echo.receive(timeout=20).handle.close()


def test_a_refusal_beside_a_handle_names_the_path_of_the_message(echo):
    with socket.create_server(("127.0.0.1", 0)) as server:
        with pytest.raises(errors.InvalidMessage, match=r"at \$\.a$"):
            echo.send({"a": object()}, handle=server)
        with pytest.raises(errors.InvalidMessage, match=r"at \$\.cmd$"):
            echo.send({"cmd": "NODE_X"}, handle=server)
        assert server.fileno() >= 0


@pytest.mark.rule("ADV-051")
def test_a_frame_that_cannot_be_read_stands_in_its_place(api):
    ours, theirs = socket.socketpair()
    with theirs:
        channel = api.channel(ours, serialization="advanced")
        theirs.sendall(bytes.fromhex("00000003ff0d30 00000003ff0d7f 00000000 00000003ff0d54"))
        assert channel.receive(timeout=20).data is None
        for _ in range(2):
            with pytest.raises(errors.InvalidFrame):
                channel.receive(timeout=20)
        assert channel.receive(timeout=20).data is True
        channel.close()


@pytest.mark.rule("ADV-070", "ADV-071")
@pytest.mark.parametrize("ours", ["json", "advanced"])
@pytest.mark.parametrize("first", ["{ hello: 'world' }", "'sixsix'"])
def test_two_modes_are_noticed_at_once(api, script, ours, first):
    """Node gets the wrong mode from a variable that its user sets last. A frame of ten bytes has a line feed in its length."""
    source = f"process.send({first}); process.on('message', () => {{}});"
    theirs = {"json": "advanced", "advanced": "json"}[ours]
    argv = ["env", f"NODE_CHANNEL_SERIALIZATION_MODE={theirs}", node(), script("child.cjs", source)]
    with api.spawn(argv, serialization=ours) as child:
        with pytest.raises(errors.SerializationMismatch, match=f"'{theirs}'"):
            child.receive(timeout=20)
        assert not child.connected


# ---- a Python child -------------------------------------------------------------------------------------------

PARENT = r"""
const { fork } = require('child_process');
const { isDeepStrictEqual } = require('util');
const shared = { s: 1 };
const sent = { date: new Date(5), map: new Map([[{}, new Set([1, true])]]), big: 10n, bytes: Buffer.from('abc'), undef: undefined,
  typed: new Float32Array([1, 2]), list: [1, , 3], re: /a/g, shared: [shared, shared], boxed: Object('x'), text: '\u20ac\ud800' };
sent.self = sent;
const child = fork(process.argv[2], { execPath: process.argv[3], execArgv: [], serialization: 'advanced' });
child.on('message', (message) => {
  console.log(JSON.stringify({ equal: isDeepStrictEqual(message, sent), same: message.shared[0] === message.shared[1] }));
  child.disconnect();
});
child.send(sent);
"""


@pytest.mark.parametrize("front_end", ["blocking", "asyncio"])
def test_a_python_child_gets_its_mode_from_the_environment(script, front_end):
    body = """
    async def main():
        async with await connect() as channel:
            async for message in channel:
                await channel.send(message.data)
    """
    if front_end == "blocking":
        body = (
            "from nodechannel import connect\n"
            + body.replace("await ", "").replace("async ", "").replace("\n    ", "\n")
            + "main()\n"
        )
    else:
        body = (
            "import asyncio\nfrom nodechannel.asyncio import connect\n"
            + body.replace("\n    ", "\n")
            + "asyncio.run(main())\n"
        )
    command = [node(), script("parent.cjs", PARENT), script("child.py", body), sys.executable]
    result = subprocess.run(command, capture_output=True, text=True, timeout=50, process_group=0, check=False)
    assert result.stderr == ""
    assert json.loads(result.stdout) == {"equal": True, "same": True}


# ---- clusters -------------------------------------------------------------------------------------------------

PRIMARY = r"""
const cluster = require('cluster');
const { connect } = require('net');
cluster.schedulingPolicy = process.argv[2] === 'rr' ? cluster.SCHED_RR : cluster.SCHED_NONE;
process.execPath = process.argv[3];
const args = [JSON.stringify({ host: '127.0.0.1', port: 0 })];
cluster.setupMaster({ exec: process.argv[4], args, execArgv: [], serialization: 'advanced' });
const worker = cluster.fork();
worker.on('listening', ({ port }) => {
  const client = connect(port, '127.0.0.1', () => client.end('ping'));
  let got = '';
  client.on('data', (data) => { got += data; });
  client.on('end', () => { console.log(got); worker.disconnect(); });
});
"""


@pytest.mark.rule("ADV-080")
@pytest.mark.parametrize("policy", ["rr", "none"])
@pytest.mark.parametrize("worker", ["worker_asyncio.py", "worker_blocking.py"])
def test_python_workers_of_an_advanced_node_primary(script, policy, worker):
    command = [
        node(),
        script("primary.cjs", PRIMARY),
        policy,
        sys.executable,
        str(FIXTURES / "cluster" / worker),
    ]
    result = subprocess.run(command, capture_output=True, text=True, timeout=50, process_group=0, check=False)
    assert result.stderr == ""
    assert result.stdout == "ping\n"


@pytest.mark.rule("ADV-080")
@pytest.mark.parametrize("policy", ["round-robin", "shared"])
def test_an_advanced_python_primary_of_node_and_python_workers(script, policy):
    server = "require('net').createServer({ allowHalfOpen: true }, (s) => s.pipe(s)).listen(0, '127.0.0.1')"

    async def main() -> list[bytes]:
        scripts = [str(script("worker.cjs", server)), str(FIXTURES / "cluster" / "worker_asyncio.py")]
        options = json.dumps({"host": "127.0.0.1", "port": 0})
        cluster = Cluster(
            scripts, options, workers=2, policy=policy, exec_path=node(), serialization="advanced"
        )
        async with cluster:
            ports = [worker.listening[0].port for worker in cluster.workers.values()]
            return [await asyncio.to_thread(talk, int(port or 0), b"hello") for port in ports]

    assert asyncio.run(asyncio.wait_for(main(), PATIENCE)) == [b"hello", b"hello"]
