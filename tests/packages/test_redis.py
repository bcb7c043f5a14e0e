"""`nodechannel.redis` with npm `redis` and `ioredis` at the same streams, lists and channels of a real Redis."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import pytest

import nodechannel
from nodechannel import redis
from support.node import node
from support.redis import Redis

pytestmark = [
    pytest.mark.package(name, "producer or consumer", "`nodechannel.redis`") for name in ("redis", "ioredis")
]

if TYPE_CHECKING:
    from collections.abc import Iterator

VALUES: list[Any] = [None, 0, -1.5, 2**53 - 1, "é😀\u2028", [1, [2]], {"a": {"b": None}}, ""]

# The same few words in both packages: `call` sends a command as it stands.
CLIENTS = {
    "redis": """
        const { createClient } = require('redis');
        const client = createClient({ url: process.argv[2] });
        const ready = client.connect();
        const call = (...words) => client.sendCommand(words.map(String));
        const listen = async (name, handle) => {
          const listener = client.duplicate();
          await listener.connect();
          await listener.subscribe(name, handle);
        };
    """,
    "ioredis": """
        const Redis = require('ioredis');
        const client = new Redis(process.argv[2]);
        const ready = Promise.resolve();
        const call = (...words) => client.call(...words);
        const listen = async (name, handle) => {
          const listener = client.duplicate();
          listener.on('message', (channel, text) => handle(text));
          await listener.subscribe(name);
        };
    """,
}
COMMANDS = """
    process.on('message', async (words) => {
      await ready;
      if (words[0] === 'LISTEN') {
        await listen(words[1], (text) => process.send({ heard: text }));
        process.send({ value: 'listening' });
      } else process.send(await call(...words).then((value) => ({ value }), (error) => ({ value: String(error) })));
    });
"""


@pytest.fixture(scope="module")
def server() -> Iterator[Redis]:
    with Redis() as running:
        yield running


@pytest.fixture
def url(server):
    return f"redis://127.0.0.1:{server.port}"


@pytest.fixture
def key(request):
    return re.sub(r"\W", "-", request.node.name)


@pytest.fixture(params=CLIENTS)
def npm(request, url, packages, script):
    """Commands of a real client in a Node process."""
    program = script("program.cjs", CLIENTS[request.param] + COMMANDS)
    (program.parent / "node_modules").symlink_to(packages / "node_modules")
    with nodechannel.fork(program, url, exec_path=node()) as child:

        def call(*words: Any) -> Any:
            child.send(list(words))
            return child.receive(timeout=20).data["value"]

        call.heard = lambda: json.loads(child.receive(timeout=20).data["heard"])  # type: ignore[attr-defined]
        yield call
        child.kill()


# Streams.


@pytest.mark.rule("RDS-001", "RDS-010", "RDS-013")
def test_a_stream_from_node_and_to_node(npm, url, key):
    with redis.stream(url, key, group="g") as stream:
        for value in VALUES:
            npm("XADD", key, "*", "data", json.dumps(value))
        found = [stream.receive(timeout=5) for _ in VALUES]
        assert [entry.data for entry in found] == VALUES
        assert {entry.message_id for entry in found} == {None}
        stream.acknowledge(*found)
        ids = stream.send_many(VALUES)
        entries = [fields for _, fields in npm("XRANGE", key, "-", "+")][len(VALUES) :]
        assert [json.loads(fields[1]) for fields in entries] == VALUES
        assert [fields[2:] for fields in entries] == [["id", id] for id in ids]
        assert npm("XPENDING", key, "g")[0] == 0


@pytest.mark.rule("RDS-012", "RDS-015")
def test_another_consumer_takes_over(npm, url, key):
    with redis.stream(url, key, group="g", claim_after=0.2, max_attempts=3) as stream:
        stream.send({"n": 1})
        # A consumer of Node dies with the message in its hands.
        npm("XGROUP", "CREATE", key, "g", "0")
        assert npm("XREADGROUP", "GROUP", "g", "dead", "STREAMS", key, ">")
        for attempts in (2, 3):
            entry = stream.receive(timeout=5)
            assert (entry.data, entry.attempts) == ({"n": 1}, attempts)
        # Three deliveries were in vain.
        with pytest.raises(TimeoutError):
            stream.receive(timeout=0.8)
        assert npm("XPENDING", key, "g")[0] == 0
        assert npm("XRANGE", f"{key}:dead", "-", "+")[0][1][:2] == ["data", '{"n":1}']


# Lists.


@pytest.mark.rule("RDS-020", "RDS-023")
def test_a_list_from_node_and_to_node(npm, url, key):
    with redis.queue(url, key) as queue:
        for value in VALUES:
            npm("LPUSH", key, json.dumps(value))
        found = [queue.receive(timeout=5) for _ in VALUES]
        assert [entry.data for entry in found] == VALUES
        assert npm("LLEN", key) == 0
        queue.acknowledge(*found)
        for value in VALUES:
            queue.send(value)
        assert [json.loads(npm("RPOP", key)) for _ in VALUES] == VALUES
    assert [name for name in npm("KEYS", f"{key}*") if "processing" in name] == []


def test_a_list_without_acknowledgement(npm, url, key):
    with redis.queue(url, key, reliable=False) as queue:
        npm("LPUSH", key, "1", "2")
        assert [queue.receive(timeout=5).data for _ in range(2)] == [1, 2]
        assert npm("KEYS", f"{key}*") == []
        # Without an acknowledgement no call would take a remembered message back.
        assert not queue._inner._held
        with pytest.raises(TimeoutError):
            queue.receive(timeout=0.1)


# Channels.


def test_channels_both_ways(npm, url, key):
    with redis.channels(url, key, patterns=[f"{key}.*"]) as channels:
        assert npm("PUBLISH", key, json.dumps(VALUES)) == 1
        assert channels.receive(timeout=5) == (key, VALUES)
        npm("PUBLISH", f"{key}.sub", "1")
        assert channels.receive(timeout=5) == redis.Published(f"{key}.sub", 1)
        assert npm("LISTEN", f"{key}-node") == "listening"
        assert channels.send(f"{key}-node", {"é": 1}) == 1
        assert npm.heard() == {"é": 1}
        assert channels.send_many(f"{key}-node", range(3)) == [1, 1, 1]
        assert [npm.heard() for _ in range(3)] == [0, 1, 2]
        assert channels.send("nobody", 1) == 0
    with redis.channels(url) as sender, pytest.raises(ValueError, match="no channel to listen to"):
        sender.receive()


# Both front ends, and the end.
