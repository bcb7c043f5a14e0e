"""`Cluster` over real processes: callbacks that raise or wait, workers that are hostile, slow or dying, and few descriptors."""

from __future__ import annotations

import asyncio
import json
import logging
import os
import signal
import socket
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any

import pytest

from conftest import open_descriptors
from nodechannel._cluster import processes
from nodechannel.cluster import Cluster
from nodechannel.errors import WorkerBehind
from support import wire as schemas
from support.cluster import PATIENCE
from support.hostile import dying_worker, frame, raw_worker

ONLINE = frame(act="online", seq=0)


def question(seq=1, port=0, **members):
    place = {"address": "127.0.0.1", "port": port, "addressType": 4, "flags": 0, "index": 0, "data": None}
    return frame(act="queryServer", seq=seq, **{**place, "backlog": 0, **members})


def listening(seq=2):
    return frame(act="listening", seq=seq, address="127.0.0.1", port=80, addressType=4, index=0, data=None)


ECHO = """
import asyncio, sys
from nodechannel.cluster import asyncio as cluster
async def serve(reader, writer):
    line = await reader.readline()
    if line == b"die\\n":
        sys.exit(3)
    writer.write(line); writer.close()
async def main():
    worker = await cluster.connect()
    await worker.listen(0, serve, "127.0.0.1")
    async for message in worker:
        if message.data == "talk":
            for number in range(5000):
                await worker.send({"n": number, "pad": "x" * 200})
        elif message.data == "die":
            await worker.send("last"); await worker.flush()
            sys.exit(3)
    await worker.wait_closed()
asyncio.run(main())
"""


@pytest.fixture
def echo(tmp_path):
    path = tmp_path / "echo.py"
    path.write_text(ECHO)
    return path


def ask(port, text=b"hello\n"):
    with socket.create_connection(("127.0.0.1", port), timeout=PATIENCE) as client:
        client.sendall(text)
        try:
            with client.makefile("rb") as stream:
                return stream.readline()
        except ConnectionResetError:  # a worker died with the connection
            return b""


async def until(predicate):
    deadline = time.monotonic() + PATIENCE
    while not predicate():
        assert time.monotonic() < deadline
        await asyncio.sleep(0.01)


def port_of(cluster):
    return next(worker.listening[0].port for worker in cluster.workers.values() if worker.listening)


def run(main):
    """Run a coroutine function; return the errors that reached the event loop's exception handler."""
    found = []

    async def body():
        asyncio.get_running_loop().set_exception_handler(lambda loop, context: found.append(context))
        await main()

    asyncio.run(body())
    return found


class TestCallbacksThatRaise:
    @pytest.mark.parametrize("kind", ["fork", "online", "listening", "exit", "restart", "error"])
    def test_on_event_at_every_event(self, echo, kind):
        raised: list[Any] = []

        def on_event(event):
            if event.kind == kind:
                raised.append(event)
                raise BrokenPipeError

        def on_message(worker, message):
            raise ValueError

        async def main():
            async with Cluster(echo, workers=2, on_event=on_event, on_message=on_message) as cluster:
                port = port_of(cluster)
                for _ in range(2):
                    before = set(cluster.workers)
                    await cluster.workers[max(before)].send("die")
                    await until(lambda: set(cluster.workers) - before)  # noqa: B023
                    await until(lambda: all(worker.listening for worker in cluster.workers.values()))
                assert len(cluster.workers) == 2
                assert await asyncio.to_thread(ask, port) == b"hello\n"

        found = run(main)
        assert raised
        assert [type(context["exception"]) for context in found] == [BrokenPipeError] * len(raised)

    @pytest.mark.parametrize(
        "error", [ValueError, BrokenPipeError, asyncio.CancelledError, RecursionError, StopIteration, None]
    )
    @pytest.mark.parametrize("coroutine", [False, True])
    def test_on_message(self, echo, error, coroutine):
        """An exception, or the cancellation of a task that `on_message` awaited, ends neither the reading nor the supervision."""
        seen: list[Any] = []
        events: list[Any] = []

        def on_message(worker, message):
            seen.append(message.data)
            if error is not None:
                raise error
            raise nodechannel_closed()

        async def on_message_later(worker, message):
            await asyncio.sleep(0)
            on_message(worker, message)

        def nodechannel_closed():
            from nodechannel import ChannelClosed

            return ChannelClosed("send")

        callback = on_message_later if coroutine else on_message

        async def main():
            async with Cluster(echo, workers=1, on_message=callback, on_event=events.append) as cluster:
                await cluster.workers[1].send("talk")
                await until(lambda: len(seen) == 5000)
                await cluster.workers[1].send("die")
                await until(lambda: 2 in cluster.workers and cluster.workers[2].listening)

        run(main)
        assert seen[-1] == "last"
        assert len([event for event in events if event.kind == "error"]) == 5001

    def test_without_on_event_an_exception_is_logged(self, echo, caplog):
        def on_message(worker, message):
            raise ValueError("mine")

        async def main():
            async with Cluster(echo, workers=1, on_message=on_message) as cluster:
                await cluster.workers[1].send("die")
                await until(lambda: 2 in cluster.workers)

        with caplog.at_level(logging.ERROR, "asyncio"):
            asyncio.run(main())
        assert "mine" in caplog.text

    def test_on_event_that_closes_the_channel_at_online(self, echo):
        """The event comes in the middle of a read; the callback runs after it."""

        def on_event(event):
            if event.kind == "online" and event.worker == 1:
                cluster.workers[1].close()

        cluster = Cluster(echo, workers=1, on_event=on_event)

        async def main():
            async with cluster:
                assert min(cluster.workers) > 1

        assert run(main) == []


class TestQuestions:
    @pytest.mark.parametrize(
        "members",
        [
            {"backlog": 2**31},
            {"backlog": 2**32},
            {"backlog": 2**64},
            {"address": "a..b"},
            {"address": "a" * 64},
            {"address": "\ud800"},
            {"address": "127.0.0.1\0evil"},
            {"address": "/tmp/\ud800", "port": -1, "addressType": -1},
            {"address": "/tmp/" + "x" * 300, "port": -1, "addressType": -1},
            {"flags": 2**63},
            {"data": {"n": 2**60}},
            {"data": 1e300},
            {"seq": 2**60},
        ],
        ids=str,
    )
    def test_every_question_is_answered_and_the_port_is_free_for_others(self, tmp_path, members):
        """The worker asks a strange question, then a good question for the same place."""
        odd = {"seq": 1, **members}
        seq = odd.pop("seq")
        command = raw_worker(tmp_path, ONLINE, question(seq, **odd), question(7, index=1), listening())
        answers: list[Any] = []

        async def main():
            def on_message(worker, message):
                answers.append(message.data["got"])

            async with Cluster([command], workers=1, on_message=on_message):
                await until(lambda: len(answers) == 2)
                assert {str(answer["ack"]) for answer in answers} == {str(seq), "7"}

        assert run(main) == []

    def test_deep_data_comes_back(self, tmp_path, monkeypatch):
        monkeypatch.setattr(schemas, "looks_internal", lambda frame: False)  # its parser does not go so deep
        depth = 100_000
        data = b'"data":' + b"[" * depth + b"]" * depth
        deep = question(1).replace(b'"data": null', data)
        command = raw_worker(
            tmp_path, ONLINE, deep.replace(b"\n", b"") + b"\n", question(2, index=1), listening()
        )
        # The worker's own parser does not go so deep, so that it reports no answer; the next message is a proof of life.
        command[2] = str(tmp_path / "count.py")
        (tmp_path / "count.py").write_text(
            "import os, socket, sys\n"
            "channel = socket.socket(fileno=int(os.environ['NODE_CHANNEL_FD']))\n"
            "channel.sendall(open(sys.argv[1], 'rb').read())\n"
            "for line in channel.makefile('rb'):\n"
            "    if b'disconnect' in line: break\n"
            "    channel.sendall(b'{\"brackets\": %d}\\n' % line.count(b'['))\n"
        )
        seen: list[Any] = []

        async def main():
            async with Cluster(
                [command], workers=1, on_message=lambda worker, message: seen.append(message.data)
            ):
                await until(lambda: len(seen) == 2)

        assert run(main) == []
        assert seen == [{"brackets": depth}, {"brackets": 0}]


class TestDyingWorkers:
    def test_at_every_byte_of_what_it_says(self, tmp_path):
        """After a cut at any place, the primary notices the end, keeps no descriptor, and has no error of its own."""
        said = ONLINE + question() + listening() + frame(act="close", key="127.0.0.1:0:4:undefined:0", seq=3)
        said += b'{"hello": 1}\n' + frame(act="exitedAfterDisconnect", seq=4)
        descriptors = set(open_descriptors())
        ended: list[Any] = []

        async def one(length):
            events: list[Any] = []
            command = dying_worker(tmp_path, said[:length], str(length))
            cluster = Cluster([command], workers=1, on_event=events.append)
            starting = asyncio.create_task(cluster.start())
            await until(lambda: any(event.kind == "exit" for event in events))
            await cluster.stop(0.0)
            with suppress(Exception):
                await starting
            assert not cluster.workers
            assert [event.detail for event in events if event.kind == "error"] == []
            ended.append(length)

        async def main():
            for first in range(0, len(said) + 1, 8):
                await asyncio.gather(*(one(length) for length in range(first, min(first + 8, len(said) + 1))))

        assert run(main) == []
        assert len(ended) == len(said) + 1
        assert set(open_descriptors()) == descriptors

    def test_what_it_said_last_is_handled_though_on_message_is_slow(self, echo):
        """The successor does not wait for `on_message`, and no message of the dead worker is dropped."""
        seen: list[Any] = []

        async def on_message(worker, message):
            await asyncio.sleep(0.001)
            seen.append((worker.id, message.data))

        async def main():
            async with Cluster(echo, workers=1, on_message=on_message) as cluster:
                await cluster.workers[1].send("talk")
                await cluster.workers[1].send("die")
                await until(lambda: 2 in cluster.workers and cluster.workers[2].listening)
                assert len(seen) < 5001
            assert len(seen) == 5001
            assert seen[-1] == (1, "last")

        assert run(main) == []


class TestSlowWorkers:
    @pytest.mark.parametrize("wait", [0.05, 3600.0])
    def test_connections_do_not_wait_for_on_message(self, echo, wait):
        """`accepted` comes behind thousands of messages without a handler."""

        async def on_message(worker, message):
            await asyncio.sleep(wait)

        async def main():
            cluster = Cluster(echo, workers=2, on_message=on_message)
            await cluster.start()
            try:
                for worker in cluster.workers.values():
                    for _ in range(4):
                        await worker.send("talk")
                answers = await asyncio.gather(*(asyncio.to_thread(ask, port_of(cluster)) for _ in range(20)))
                assert answers == [b"hello\n"] * 20
            finally:
                await cluster.stop(0.1)

        assert run(main) == []

    def test_a_stopped_worker_costs_itself_only(self, echo, monkeypatch):
        """The running workers get every message and serve every connection. The stopped worker is reported once, and skipped."""
        monkeypatch.setattr(processes, "MAX_QUEUED", 400_000)
        events: list[Any] = []

        async def main():
            async with Cluster(echo, workers=3, relay=True, on_event=events.append) as cluster:
                stopped = cluster.workers[3]
                os.kill(stopped.pid, signal.SIGSTOP)
                try:
                    began = time.monotonic()
                    for _ in range(4):
                        await cluster.workers[1].send("talk")
                    await until(lambda: [event for event in events if event.kind == "error"])
                    asking = [asyncio.create_task(asyncio.to_thread(ask, port_of(cluster))) for _ in range(6)]
                    # The stopped worker has been offered at most a single connection.
                    await until(lambda: sum(task.done() for task in asking) >= 5)
                    await cluster.broadcast("after")
                    assert time.monotonic() - began < 20
                    assert stopped._connection.queued_bytes < 1_000_000
                finally:
                    os.kill(stopped.pid, signal.SIGCONT)
                await until(lambda: stopped._connection.queued_bytes == 0)
                await cluster.broadcast("again")
                assert await asyncio.gather(*asking) == [b"hello\n"] * 6

        run(main)
        errors = [event.detail for event in events if event.kind == "error"]
        assert {type(error) for error in errors} == {WorkerBehind}
        assert errors[0].skipped == 1
        assert errors[-1].skipped > 1
        assert len(errors) < 20

    def test_a_flood_is_read_no_further_than_the_limit(self, tmp_path, monkeypatch):
        """A worker that floods while `on_message` waits fills its own socket, not the primary's memory."""
        monkeypatch.setattr(processes, "MAX_UNHANDLED", 2000)
        flood = ["/bin/bash", "-c", "exec yes 1 >&$NODE_CHANNEL_FD"]
        released: list[Any] = []

        async def on_message(worker, message):
            while not released:
                await asyncio.sleep(0.05)

        async def main():
            cluster = Cluster([flood], workers=1, on_message=on_message)
            starting = asyncio.create_task(cluster.start())
            await until(lambda: 1 in cluster.workers and not cluster.workers[1]._reading)
            worker = cluster.workers[1]
            most = len(worker._events)
            await asyncio.sleep(0.2)
            assert len(worker._events) == most < 200_000
            released.append(True)
            await cluster.stop(0.0)
            starting.cancel()
            with suppress(asyncio.CancelledError):
                await starting

        run(main)


class TestRelay:
    @pytest.mark.parametrize(
        "text",
        [
            "9007199254740992",
            "1.7e18",
            "9007199254740993",
            "1152921504606847000",
            "18446744073709551615",
            "-0.0",
            "1e21",
        ],
    )
    def test_a_number_is_relayed_as_it_came(self, tmp_path, text):
        sender = raw_worker(tmp_path, ONLINE, question(), listening(), b'{"n": %s}\n' % text.encode())
        other = tmp_path / "other"
        other.mkdir()
        receiver = raw_worker(other, ONLINE, question(), listening())
        events: list[Any] = []
        seen: list[Any] = []

        async def main():
            def on_message(worker, message):
                if worker.id == 1 and "n" in message.data["got"]:
                    seen.append(message.data["got"]["n"])

            # The receiver is the first: a message is relayed to workers that have been started.
            async with Cluster(
                [receiver, sender], workers=2, relay=True, on_message=on_message, on_event=events.append
            ):
                await until(lambda: seen)

        run(main)
        assert json.dumps(seen[0]) == json.dumps(json.loads(text))
        assert not [event for event in events if event.kind == "error"]


PRIMARY = """
import asyncio, resource, sys
from nodechannel.cluster import Cluster
resource.setrlimit(resource.RLIMIT_NOFILE, (int(sys.argv[2]), int(sys.argv[2])))
async def main():
    async with Cluster(sys.argv[1], workers=2, on_event=lambda event: event.kind == "listening" and print(event.detail, flush=True)):
        await asyncio.to_thread(sys.stdin.read)
asyncio.run(main())
"""


class TestFewDescriptors:
    @pytest.mark.parametrize("limit", [32, 64])
    def test_every_request_is_served_though_workers_die(self, echo, limit):
        """More clients than descriptors: they wait in the kernel, and the successors of dead workers can be started."""
        process = subprocess.Popen(
            [sys.executable, "-c", PRIMARY, str(echo), str(limit)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            process_group=0,
        )
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            port = int(process.stdout.readline().rpartition(":")[2])
            for _ in range(2):
                with ThreadPoolExecutor(100) as pool:
                    texts = [b"die\n" if number in (20, 60) else b"%d\n" % number for number in range(100)]
                    answers = list(pool.map(lambda text: ask(port, text), texts))
                lost = [text for text, answer in zip(texts, answers, strict=True) if text != answer]
                # Connections that a dead worker had accepted end with it.
                assert b"die\n" in lost
                assert len(lost) < 60
                assert ask(port) == b"hello\n"
        finally:
            process.stdin.close()
            try:
                assert process.wait(PATIENCE) == 0
            finally:
                process.kill()
                process.wait()
                process.stdout.close()
