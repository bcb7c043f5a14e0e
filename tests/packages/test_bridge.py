"""`nodechannel bridge`: real children of Node behind a real Redis, node-ipc and standard streams."""

from __future__ import annotations

import contextlib
import json
import os
import select
import signal
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from nodechannel import nodeipc, redis, stdio
from support.node import node
from support.redis import Redis

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

# A child of the channel as it is: it answers each message, and dies of some.
WORKER = """
    let seen = 0;
    process.on('message', (message) => {
      if (message === 'die') process.exit(1);
      if (message === 'hang') return;
      if (message.slow) setTimeout(() => process.send({ slept: message.slow }), message.slow);
      else process.send({ echo: message, pid: process.pid, seen: seen += 1 });
    });
    process.on('disconnect', () => process.exit());
"""


@pytest.fixture(scope="module")
def server() -> Iterator[Redis]:
    with Redis() as running:
        yield running


@pytest.fixture
def url(server):
    return f"redis://127.0.0.1:{server.port}"


@pytest.fixture
def worker(script):
    return script("worker.cjs", WORKER)


def command(worker: object, *words: str) -> list[str]:
    return [sys.executable, "-m", "nodechannel", "bridge", *words, "--", node(), str(worker)]


@contextmanager
def bridge(worker: object, *words: str) -> Iterator[subprocess.Popen[str]]:
    with subprocess.Popen(
        command(worker, *words), stderr=subprocess.PIPE, text=True, process_group=0
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def answers(stream: redis.Stream, count: int) -> dict[str | None, Any]:
    found: dict[str | None, Any] = {}
    while len(found) < count:
        entry = stream.receive(timeout=20)
        stream.acknowledge(entry)
        found[entry.message_id] = entry.data
    return found


def test_children_of_several_bridges_share_a_stream(url, worker):
    with (
        redis.stream(url, "jobs") as jobs,
        redis.stream(url, "jobs:answers", group="asker") as answered,
        bridge(worker, "--children", "2", url, "jobs"),
        bridge(worker, url, "jobs"),
    ):
        ids = jobs.send_many([{"n": number} for number in range(300)])
        found = answers(answered, 300)
        assert [found[id]["echo"] for id in ids] == [{"n": number} for number in range(300)]
        assert len({answer["pid"] for answer in found.values()}) == 3
        # All messages were acknowledged, so no message is left to be claimed.
        assert not pending(url, "jobs")


def pending(url: str, key: str) -> int:
    import redis as client

    with client.Redis.from_url(url) as connection:
        deadline = time.monotonic() + 5
        while (left := connection.xpending(key, "nodechannel")["pending"]) and time.monotonic() < deadline:
            time.sleep(0.02)
    return int(left)


def test_nothing_is_lost_when_children_and_bridges_die(url, worker):
    # A child of a busy machine needs a second to start, and a message has five tries.
    options = ("--claim-after", "1.6", "--timeout", "1.5", url, "fatal")
    with redis.stream(url, "fatal") as jobs, redis.stream(url, "fatal:answers", group="asker") as answered:
        with bridge(worker, *options) as first:
            jobs.send("die")
            jobs.send("hang")
            jobs.send({"n": 1})
            assert first.stderr is not None
            assert "the child gave no answer" in first.stderr.readline()
            first.kill()
        with bridge(worker, *options), redis.stream(url, "fatal:dead", group="g") as dead:
            assert next(iter(answers(answered, 1).values()))["echo"] == {"n": 1}
            # Five deliveries were in vain.
            assert sorted(dead.receive(timeout=30).data for _ in range(2)) == ["die", "hang"]


def test_a_message_that_takes_long_is_not_given_to_another(url, worker):
    options = ("--claim-after", "0.4", url, "slow")
    with (
        redis.stream(url, "slow") as jobs,
        redis.stream(url, "slow:answers", group="asker") as answered,
        bridge(worker, *options),
        bridge(worker, *options),
    ):
        jobs.send({"slow": 1500})
        assert list(answers(answered, 1).values()) == [{"slept": 1500}]
        with pytest.raises(TimeoutError):
            answered.receive(timeout=0.8)


def test_a_signal_lets_the_message_under_way_end(url, worker):
    with redis.stream(url, "last") as jobs, redis.stream(url, "last:answers", group="asker") as answered:
        with bridge(worker, url, "last") as process:
            jobs.send({"n": 1})
            assert len(answers(answered, 1)) == 1
            jobs.send({"slow": 500})
            time.sleep(0.25)
            process.send_signal(signal.SIGTERM)
            assert process.wait(20) == 0
        assert list(answers(answered, 1).values()) == [{"slept": 500}]


def worker_pid(url: str, key: str) -> int:
    """Let the child of a bridge tell its process id, which also shows that the bridge serves."""
    with redis.stream(url, key) as jobs, redis.stream(url, f"{key}:answers", group="asker") as answered:
        jobs.send({"n": 1})
        return int(next(iter(answers(answered, 1).values()))["pid"])


def gone(pid: int) -> bool:
    """Tell whether a process ends, for which it has a while."""
    deadline = time.monotonic() + 20
    while Path(f"/proc/{pid}").exists() and time.monotonic() < deadline:
        time.sleep(0.02)
    return not Path(f"/proc/{pid}").exists()


@contextmanager
def afflicted(fate: str) -> Iterator[tuple[str, Callable[[], None], Redis]]:
    """A server of its own for a test, its URL, and the function that lets it fail."""
    with Redis() as running:

        def strike() -> None:
            running.process.send_signal(signal.SIGSTOP if fate == "hangs" else signal.SIGKILL)
            if fate == "gone":
                running.process.wait()

        yield f"redis://127.0.0.1:{running.port}", strike, running


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
@pytest.mark.parametrize("fate", ["gone", "hangs"])
def test_a_signal_ends_a_bridge_whose_server_fails_amid_a_message(worker, fate, number):
    with afflicted(fate) as (url, strike, running), bridge(worker, "--grace", "0.5", url, "last") as process:
        child = worker_pid(url, "last")
        with redis.stream(url, "last") as jobs:
            id = jobs.send({"slow": 300})
            await_delivery(url, "last")
            strike()
        process.send_signal(number)
        assert process.wait(20) == 0
        assert gone(child)
        if fate == "hangs":
            running.process.send_signal(signal.SIGCONT)
            with redis.stream(url, "last", claim_after=0.01) as again:
                assert again.receive(timeout=20).message_id == id


def await_delivery(url: str, key: str) -> None:
    import redis as client

    with client.Redis.from_url(url) as connection:
        deadline = time.monotonic() + 20
        while not connection.xpending(key, "nodechannel")["pending"]:
            assert time.monotonic() < deadline, "no bridge took the message"
            time.sleep(0.02)


@pytest.mark.parametrize("fate", ["gone", "hangs"])
def test_a_second_signal_ends_a_bridge_at_once(worker, fate):
    with afflicted(fate) as (url, strike, _), bridge(worker, "--grace", "1000", url, "twice") as process:
        child = worker_pid(url, "twice")
        with redis.stream(url, "twice") as jobs:
            jobs.send({"slow": 1_000_000})
            await_delivery(url, "twice")
            strike()
        process.send_signal(signal.SIGTERM)
        process.send_signal(signal.SIGINT)
        assert process.wait(20) == 0
        assert gone(child)


@pytest.mark.parametrize("fate", ["gone", "hangs"])
def test_a_signal_ends_an_idle_bridge_whose_server_fails(worker, fate):
    with afflicted(fate) as (url, strike, _), bridge(worker, url, "idle") as process:
        child = worker_pid(url, "idle")
        strike()
        process.send_signal(signal.SIGTERM)
        assert process.wait(20) == 0
        assert gone(child)


def test_a_signal_ends_a_bridge_of_standard_streams_that_are_not_read(worker):
    words = command(worker, "--grace", "0.5", "stdio")
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, process_group=0) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(b'{"n":1}\n')
        process.stdin.flush()
        assert select.select([process.stdout], [], [], 20)[0]
        os.set_blocking(process.stdin.fileno(), False)
        # Answers fill the pipe, and then the bridge reads no more.
        line = json.dumps("x" * 60_000).encode() + b"\n"
        with contextlib.suppress(BlockingIOError):
            for _ in range(50):
                process.stdin.write(line)
        process.send_signal(signal.SIGTERM)
        assert process.wait(20) == 0
        with contextlib.suppress(OSError):
            process.stdin.close()


def test_lines_of_standard_input(worker):
    with stdio.spawn(command(worker, "stdio")) as child:
        child.send_many([{"n": number} for number in range(3)])
        assert [child.receive(timeout=20).data["echo"] for _ in range(3)] == [{"n": n} for n in range(3)]
        child.disconnect()
        assert child.wait(timeout=20) == 0


def test_clients_of_node_ipc(worker, tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    with bridge(worker, "node-ipc", "world") as process, nodeipc.connect("world", timeout=20) as client:
        client.send("ask", 5)
        event = client.receive(timeout=20)
        assert (event.type, event.data["echo"]) == ("ask", {"type": "ask", "data": 5})
        process.send_signal(signal.SIGTERM)
        assert process.wait(20) == 0
