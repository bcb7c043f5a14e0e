"""The processes of workers: command lines, and messages to workers that do not read."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

import pytest

from nodechannel._cluster import processes
from nodechannel._cluster.messages import Policy, Query
from nodechannel._cluster.primary import PrimaryProtocol
from nodechannel._cluster.processes import MAX_LISTENING, PATIENCE, command_line, start
from support.node import node


class Host:
    """Does nothing."""

    def later(self, delay, function):
        pass

    def open(self, place):
        pass

    def close(self, place):
        pass

    def online(self, worker):
        pass

    def listening(self, worker, query):
        pass

    def fault(self, worker, error):
        raise error


def test_command_lines():
    assert command_line("w.py", ["a"], None, ()) == [sys.executable, "w.py", "a"]
    assert command_line(Path("w.cjs"), ["a"], "/n", ["--flag"]) == ["/n", "--flag", "w.cjs", "a"]
    assert command_line(["cmd", Path("x")], ["a"], None, ()) == ["cmd", "x", "a"]


@pytest.fixture
def with_worker():
    """Run a coroutine function with a worker that sleeps and does not read."""

    def run(function, *argv):
        async def main():
            primary = PrimaryProtocol(Policy.ROUND_ROBIN, Host())
            worker = await start(argv or ["sleep", "1000"], 1, primary, channel={})
            try:
                return await function(worker)
            finally:
                worker.kill(9)
                await worker.process.wait()
                worker.close()

        return asyncio.run(main())

    return run


class TestMessagesToAll:
    def test_a_worker_that_does_not_read_is_waited_for_once(self, with_worker):
        async def fill(worker):
            loop = asyncio.get_running_loop()
            began = loop.time()
            for _ in range(20):
                assert await worker._give(b"x" * 200_000)
            return loop.time() - began

        assert PATIENCE <= with_worker(fill) < 8 * PATIENCE

    def test_it_is_skipped_when_too_much_is_queued(self, with_worker, monkeypatch):
        monkeypatch.setattr(processes, "MAX_QUEUED", 1_000_000)

        async def fill(worker):
            given = [await worker._give(b"x" * 200_000) for _ in range(12)]
            assert given.index(False) >= 5
            assert not any(given[given.index(False) :])
            assert worker.skipped == given.count(False)
            assert worker._connection.queued_bytes <= 1_200_000

        with_worker(fill)

    def test_one_message_of_any_size_is_queued(self, with_worker, monkeypatch):
        monkeypatch.setattr(processes, "MAX_QUEUED", 1000)

        async def fill(worker):
            assert await worker._give(b"x" * 2_000_000)

        with_worker(fill)

    def test_a_worker_that_reads_gets_everything(self, with_worker):
        async def fill(worker):
            for _ in range(50):
                assert await worker._give(b"x" * 200_000)
            assert worker.skipped == 0
            await worker.flush(timeout=30)

        with_worker(fill, "/bin/bash", "-c", "exec cat <&$NODE_CHANNEL_FD >/dev/null")


def test_places_are_noted_once_and_not_without_limit(with_worker):
    async def note(worker):
        deep: list[object] = []
        for _ in range(100_000):
            deep = [deep]
        place = Query("127.0.0.1", 80, 4, data=deep)
        assert worker._listens(place)
        assert not worker._listens(place)
        assert worker.listening[0].data is None
        for port in range(2000):
            worker._listens(Query("127.0.0.1", port, 4))
        assert len(worker.listening) == MAX_LISTENING
        place._replace(data=None)
        while deep:  # freed here without recursion
            deep = deep.pop()  # type: ignore[assignment]

    with_worker(note)


def test_a_connection_that_is_refused_for_good_goes_to_another_while_the_user_waits(tmp_path):
    """A worker with a full descriptor table refuses each offer by NODE_HANDLE_NACK."""
    from nodechannel.cluster import Cluster
    from support.hostile import frame

    (tmp_path / "refuse.py").write_text(
        "import os, socket\n"
        "channel = socket.socket(fileno=int(os.environ['NODE_CHANNEL_FD']))\n"
        f"channel.sendall({frame(act='online', seq=0)!r} + b'\"hello\"\\n' + "
        f"{frame(act='queryServer', seq=1, address='127.0.0.1', port=0, addressType=4, index=0, data=None)!r}\n"
        f"+ {frame(act='listening', seq=2, address='127.0.0.1', port=1, addressType=4, index=0, data=None)!r})\n"
        "for line in channel.makefile('rb'):\n"
        "    if b'newconn' in line: channel.sendall(b'{\"cmd\":\"NODE_HANDLE_NACK\"}\\n')\n"
    )
    (tmp_path / "serve.py").write_text(
        "import asyncio\n"
        "from nodechannel.cluster import asyncio as cluster\n"
        "async def serve(reader, writer):\n"
        "    writer.write(b'served'); writer.close()\n"
        "async def main():\n"
        "    worker = await cluster.connect()\n"
        "    await worker.listen(0, serve, '127.0.0.1')\n"
        "    await worker.wait_closed()\n"
        "asyncio.run(main())\n"
    )

    async def main():
        async def on_message(worker, message):
            await asyncio.sleep(3600)

        cluster = Cluster(
            [tmp_path / "refuse.py", tmp_path / "serve.py"],
            workers=2,
            on_message=on_message,
            exec_path=node(),
        )
        await cluster.start()
        try:
            port = next(
                place.sockname["port"] for place in cluster._primary.places.values() if place.sockname
            )
            for _ in range(3):
                reader, writer = await asyncio.open_connection("127.0.0.1", port)
                assert await asyncio.wait_for(reader.read(), 30) == b"served"
                writer.close()
        finally:
            await cluster.stop(0.1)

    asyncio.run(main())
