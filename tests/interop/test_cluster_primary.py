"""The Python primary over real, unmodified Node workers, and over Python workers beside them."""

from __future__ import annotations

import asyncio
import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import pytest

import nodechannel
from nodechannel._cluster.restarts import RESTART_DELAY
from nodechannel.cluster import Cluster
from support.cluster import PATIENCE, NodePrimary, read_all
from support.node import FIXTURES, node

if TYPE_CHECKING:
    from nodechannel._cluster.events import Event

# Tests that depend little on the policy run under both policies in `make test-nodes` only.
little = pytest.mark.parametrize(
    "policy", ["round-robin", "shared"] if os.environ.get("NODE") else ["round-robin"], indirect=True
)

SERVER = FIXTURES / "cluster" / "server.cjs"
ECHO = FIXTURES / "cluster" / "worker_asyncio.py"


def ask(port: int, path: str = "/") -> str:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
    try:
        connection.request("GET", path, headers={"Connection": "close"})
        return connection.getresponse().read().decode()
    finally:
        connection.close()


class Running:
    """A cluster inside a test, and the events that it told."""

    def __init__(self, script=SERVER, *args, **options):
        self.events: list[Event] = []
        self.messages: asyncio.Queue[tuple[int, Any]] = asyncio.Queue()
        self.cluster = Cluster(
            script,
            *args,
            on_event=self.events.append,
            on_message=lambda worker, message: self.messages.put_nowait((worker.id, message.data)),
            exec_path=node(),
            **{"workers": 2, **options},
        )

    async def __aenter__(self):
        await self.cluster.__aenter__()
        return self

    async def __aexit__(self, *error):
        await self.cluster.__aexit__(*error)

    @property
    def port(self):
        return next(iter(self.cluster.workers.values())).listening[0].port

    async def ask(self, path="/"):
        return await asyncio.to_thread(ask, self.port, path)

    async def message(self):
        return await asyncio.wait_for(self.messages.get(), PATIENCE)

    async def until(self, predicate):
        deadline = time.monotonic() + PATIENCE
        while not predicate():
            assert time.monotonic() < deadline, self.events
            await asyncio.sleep(0.02)

    def kinds(self, kind):
        return [event for event in self.events if event.kind == kind]


@pytest.fixture(params=["round-robin", "shared"])
def policy(request):
    return request.param


def run(coroutine):
    return asyncio.run(coroutine, debug=True)


class TestServing:
    def test_workers_share_a_port_and_end_gracefully(self, policy):
        async def main():
            async with Running(policy=policy) as running:
                assert {await running.ask(f"/{number}") for number in range(8)}
                ports = {
                    query.port for worker in running.cluster.workers.values() for query in worker.listening
                }
                assert len(ports) == 1
                workers = list(running.cluster.workers.values())
                port = running.port
            assert [event.detail for event in running.kinds("exit")] == [0, 0]
            assert all(worker.exited_after_disconnect for worker in workers)
            with pytest.raises(ConnectionRefusedError):
                ask(port)

        run(main())

    def test_round_robin_means_in_turn(self):
        async def main():
            async with Running(workers=3) as running:
                answers = [(await running.ask()).split()[1] for _ in range(9)]
                assert sorted(answers) == ["1", "1", "1", "2", "2", "2", "3", "3", "3"]

        run(main())

    def test_a_python_worker_and_a_node_worker_on_one_port(self, tmp_path):
        worker = tmp_path / "worker.py"
        worker.write_text(
            "import asyncio, sys\n"
            "from nodechannel.cluster import asyncio as cluster\n"
            "async def serve(reader, writer):\n"
            "    await reader.readuntil(b'\\r\\n\\r\\n')\n"
            "    writer.write(b'HTTP/1.1 200 OK\\r\\nContent-Length: 6\\r\\nConnection: close\\r\\n\\r\\npython')\n"
            "    await writer.drain(); writer.close()\n"
            "async def main():\n"
            "    worker = await cluster.connect()\n"
            "    await worker.listen(int(sys.argv[1]), serve, '127.0.0.1')\n"
            "    await worker.wait_closed()\n"
            "asyncio.run(main())\n"
        )
        with socket.create_server(("127.0.0.1", 0)) as taken:
            port = taken.getsockname()[1]

        async def main():
            async with Running([SERVER, worker], str(port)) as running:
                answers = sorted([(await running.ask()).split()[0] for _ in range(8)])
                assert answers == ["node"] * 4 + ["python"] * 4
            assert [event.detail for event in running.kinds("exit")] == [0, 0]

        run(main())

    def test_a_connection_that_is_open_is_finished(self, policy):
        async def main():
            async with Running(policy=policy) as running:
                slow = [asyncio.create_task(running.ask("/slow")) for _ in range(4)]
                for _ in slow:
                    assert (await running.message())[1] == "started"
            assert ["/slow" in answer for answer in await asyncio.gather(*slow)] == [True] * 4

        run(main())


class TestPlaces:
    """The questions of a Node worker, message by message."""

    def ask_for(self, policy, *options):
        async def main():
            async with Running(policy=policy, workers=1) as running:
                (worker,) = running.cluster.workers.values()
                answers = []
                for option in options:
                    await worker.send({"listen": option})
                    answers.append((await running.message())[1])
                return answers

        return run(main())

    @little
    def test_any_port_twice_is_two_ports(self, policy):
        one, other = self.ask_for(policy, *[{"port": 0, "host": "127.0.0.1"}] * 2)
        assert one["serving"]["port"] != other["serving"]["port"]

    def test_a_port_that_is_taken(self, policy):
        with socket.create_server(("127.0.0.1", 0)) as taken:
            place = {"port": taken.getsockname()[1], "host": "127.0.0.1"}
            assert self.ask_for(policy, place) == [{"failed": "EADDRINUSE"}]

    def test_the_same_port_twice(self, policy):
        with socket.create_server(("127.0.0.1", 0)) as free:
            place = {"port": free.getsockname()[1], "host": "127.0.0.1"}
        first, second = self.ask_for(policy, place, place)
        assert first["serving"]["port"] == place["port"]
        assert second == {"failed": "EADDRINUSE"}

    @little
    def test_everywhere_and_ipv6(self, policy):
        everywhere, six = self.ask_for(policy, {"port": 0}, {"port": 0, "host": "::1", "ipv6Only": True})
        assert everywhere["serving"]["port"]
        assert six["serving"]["family"] in ("IPv6", 6)

    def test_a_unix_socket(self, policy, tmp_path):
        path = str(tmp_path / "s")
        (said,) = self.ask_for(policy, {"path": path})
        assert "serving" in said
        assert not (tmp_path / "s").exists()

    @little
    def test_a_descriptor_of_the_primary_is_not_given_away(self, policy):
        assert self.ask_for(policy, {"fd": 0}) == [{"failed": "EINVAL"}]

    @little
    def test_udp(self, policy, tmp_path):
        script = tmp_path / "udp.cjs"
        script.write_text(
            "const s = require('dgram').createSocket('udp4');"
            "s.on('message', (m, from) => s.send(m, from.port, from.address));"
            "s.bind(0, '127.0.0.1', () => process.send(s.address().port));"
        )

        async def main():
            async with Running(script, policy=policy) as running:
                ports = {(await running.message())[1] for _ in range(2)}
                assert len(ports) == 1
                with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
                    client.settimeout(PATIENCE)
                    client.sendto(b"hello", ("127.0.0.1", ports.pop()))
                    assert await asyncio.to_thread(client.recv, 10) == b"hello"

        run(main())


class TestSupervision:
    def test_a_dead_worker_is_replaced_on_the_same_port(self, policy):
        async def main():
            async with Running(policy=policy) as running:
                port = running.port
                with pytest.raises((http.client.RemoteDisconnected, ConnectionResetError)):
                    await running.ask("/die")
                await running.until(lambda: len(running.kinds("listening")) == 3)
                assert running.port == port
                assert {(await running.ask()).split()[0] for _ in range(6)} == {"node"}
                (dead, restart) = running.kinds("exit") + running.kinds("restart")
                assert (dead.detail, restart.detail) == ("SIGKILL", RESTART_DELAY)

        run(main())

    def test_a_worker_that_leaves_by_itself_is_answered_and_replaced(self):
        async def main():
            async with Running() as running:
                worker = running.cluster.workers[1]
                await worker.send("leave")
                await running.until(lambda: len(running.kinds("listening")) == 3)
                assert worker.exited_after_disconnect
                assert running.kinds("exit")[0].detail == 0

        run(main())

    def test_a_connection_offered_to_a_worker_that_dies_goes_to_another(self):
        """Stopped, a worker takes no offer; killed, it gives it back."""

        async def main():
            async with Running() as running:
                os.kill(running.cluster.workers[1].pid, signal.SIGSTOP)
                asked = [asyncio.create_task(running.ask()) for _ in range(6)]
                await running.until(lambda: sum(one.done() for one in asked) == 5)
                running.cluster.workers[1].kill(signal.SIGKILL)
                assert [(await one).split()[0] for one in asked] == ["node"] * 6

        run(main())

    @little
    def test_rolled_over_without_a_lost_request(self, policy):
        async def main():
            async with Running(policy=policy) as running:
                ended = asyncio.Event()
                answers = []

                async def ask_on():
                    while not ended.is_set():
                        answers.append(await running.ask("/slow"))

                clients = [asyncio.create_task(ask_on()) for _ in range(3)]
                await running.cluster.roll()
                ended.set()
                await asyncio.gather(*clients)
                assert {answer.split()[2] for answer in answers} == {"/slow"}
                assert (await running.ask()).split()[1] in ("3", "4")
                assert sorted(running.cluster.workers) == [3, 4]
                assert [event.detail for event in running.kinds("exit")] == [0, 0]

        run(main())

    def test_a_successor_that_dies_leaves_the_predecessor_alone(self, tmp_path):
        script = tmp_path / "once.cjs"
        flag = tmp_path / "flag"
        script.write_text(
            f"const fs = require('fs'); if (fs.existsSync({json.dumps(str(flag))})) process.exit(7);"
            "require('http').createServer((q, s) => s.end('still here')).listen(0, '127.0.0.1');"
        )

        async def main():
            async with Running(script, workers=1) as running:
                flag.touch()
                with pytest.raises(nodechannel.WorkersFail, match="7"):
                    await running.cluster.roll()
                assert await running.ask() == "still here"
                assert list(running.cluster.workers) == [1]

        run(main())

    def test_workers_that_never_listen_are_given_up(self, tmp_path):
        script = tmp_path / "broken.cjs"
        script.write_text("process.exit(3);")

        async def main():
            running = Running(script)
            with pytest.raises(nodechannel.WorkersFail, match="3"):
                await running.__aenter__()
            delays = [event.detail for event in running.kinds("restart")]
            assert delays == sorted(delays)
            assert delays[-1] > delays[0]
            assert not running.cluster.workers

        run(main())

    def test_messages_go_to_the_siblings(self, tmp_path):
        script = tmp_path / "talk.cjs"
        script.write_text(
            "const { worker } = require('cluster'); require('net').createServer().listen(0, '127.0.0.1');"
            "process.on('message', (m) => {"
            "  if (m === 'start') process.send({ from: worker.id });"
            "  else if (m.from) process.send({ seen: m.from });"
            "});"
        )

        async def main():
            async with Running(script, workers=3, relay=True) as running:
                await running.cluster.workers[1].send("start")
                assert await running.message() == (1, {"from": 1})
                seen = [await running.message() for _ in range(2)]
                assert sorted(seen, key=str) == [(2, {"seen": 1}), (3, {"seen": 1})]

        run(main())


def until_refused(port: int) -> None:
    """Connect until the port is closed; a connection that the end of the listener catches half made is reset."""
    with pytest.raises(ConnectionRefusedError):
        while True:
            with suppress(ConnectionResetError):
                socket.create_connection(("127.0.0.1", port), PATIENCE).close()


class TestCommand:
    def start(self, *args):
        return subprocess.Popen(
            [sys.executable, "-m", "nodechannel", "cluster", "--node", node(), *map(str, args)],
            stderr=subprocess.PIPE,
            text=True,
            process_group=0,
        )

    def listening(self, process, count):
        assert process.stderr is not None
        found = []
        for line in process.stderr:
            if " listens at " in line:
                found.append(int(line.rpartition(":")[2]))
                if len(found) == count:
                    return found[0]
        raise AssertionError("it ended before it listened")

    @pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
    def test_it_serves_until_a_signal_comes(self, number):
        process = self.start(SERVER, "-w", 2)
        try:
            assert ask(self.listening(process, 2)).startswith("node")
            process.send_signal(number)
            _, rest = process.communicate(timeout=PATIENCE)
            assert process.returncode == 0
            assert rest.count("ended with 0") == 2
        finally:
            process.kill()
            process.communicate()

    def test_a_second_signal_does_not_wait(self, tmp_path):
        script = tmp_path / "stubborn.cjs"
        script.write_text(
            "require('net').createServer((connection) => connection.write('x')).listen(0, '127.0.0.1');"
        )
        process = self.start(script, "-w", 1)
        try:
            port = self.listening(process, 1)
            with socket.create_connection(("127.0.0.1", port), PATIENCE) as client:
                assert client.recv(1) == b"x"  # this connection keeps the worker from ending
                process.send_signal(signal.SIGTERM)
                until_refused(port)
                assert process.poll() is None
                process.send_signal(signal.SIGTERM)
                _, rest = process.communicate(timeout=PATIENCE)
            assert "SIGKILL" in rest
        finally:
            process.kill()
            process.communicate()

    def test_sighup_rolls_over(self):
        process = self.start(SERVER, "-w", 1)
        try:
            port = self.listening(process, 1)
            process.send_signal(signal.SIGHUP)
            assert self.listening(process, 1) == port
            process.send_signal(signal.SIGTERM)
            assert process.wait(PATIENCE) == 0
        finally:
            process.kill()
            process.communicate()

    def test_when_the_primary_is_killed_the_workers_end(self):
        process = self.start(SERVER, "-w", 1)
        try:
            assert process.stderr is not None
            pid = next(int(line.rsplit(maxsplit=1)[1]) for line in process.stderr if "process" in line)
            self.listening(process, 1)
        finally:
            process.kill()
            process.communicate()
        deadline = time.monotonic() + PATIENCE
        with suppress(ProcessLookupError):
            while True:
                os.kill(pid, 0)
                assert time.monotonic() < deadline
                time.sleep(0.02)

    def test_wrong_use(self):
        process = self.start(SERVER, "-w", 0)
        _, said = process.communicate(timeout=PATIENCE)
        assert process.returncode == 2
        assert "at least one worker" in said


ASGI = """
async def app(scope, receive, send):
    if scope["type"] == "lifespan":
        for name in ("startup", "shutdown"):
            await receive()
            await send({"type": f"lifespan.{name}.complete"})
        return
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": f"asgi {scope['path']}".encode()})
"""


class TestServe:
    """`nodechannel serve`: an ASGI application as a worker."""

    def command(self, folder, port, *words):
        (folder / "application.py").write_text(ASGI)
        command = [sys.executable, "-m", "nodechannel", "serve", "application:app", "--app-dir", str(folder)]
        return [*command, "--host", "127.0.0.1", "--port", str(port), *words]

    def test_next_to_a_node_worker_of_a_node_primary(self, tmp_path):
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = free.getsockname()[1]
        shim = tmp_path / "shim.py"
        words = self.command(tmp_path, port)[3:]
        shim.write_text(f"import sys; from nodechannel._cli.main import main; sys.exit(main({words!r}))")
        with NodePrimary("rr") as primary:
            ids = [primary.fork(shim), primary.fork(SERVER, str(port), interpreter="node")]
            for id in ids:
                primary.listening(id)
            answers = [ask(port, "/x") for _ in range(4)]
            assert sorted(answers) == ["asgi /x"] * 2 + [f"node {ids[1]} /x"] * 2
            primary.do(disconnect=ids[0])
            assert primary.expect("exit", id=ids[0])["code"] == 0

    def test_a_connection_whose_request_is_on_its_way_is_served(self, tmp_path):
        command = self.command(tmp_path, 0)

        async def main():
            async with Running([command], workers=1) as running:
                with socket.create_connection(("127.0.0.1", running.port), PATIENCE) as client:
                    place = next(iter(running.cluster._primary.places.values()))
                    await running.until(
                        lambda: not place.scheduler.waiting and not place.scheduler.unanswered
                    )
                    stopping = asyncio.create_task(running.cluster.stop())
                    await asyncio.sleep(0.2)
                    client.sendall(b"GET /late HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
                    answer = await asyncio.to_thread(read_all, client)
                    assert b"asgi /late" in answer
                    await stopping

        run(main())

    def test_without_a_primary_it_starts_its_own_workers(self, tmp_path):
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = free.getsockname()[1]
        process = subprocess.Popen(self.command(tmp_path, port, "-w", "2"), process_group=0)
        try:
            deadline = time.monotonic() + PATIENCE
            answer = ""
            while not answer:
                try:
                    answer = ask(port, "/alone")
                except ConnectionRefusedError:
                    assert time.monotonic() < deadline
                    time.sleep(0.05)
            assert answer == "asgi /alone"
            process.terminate()
            assert process.wait(PATIENCE) == 0
        finally:
            process.kill()
            process.wait()

    def test_an_application_that_cannot_be_imported(self, tmp_path):
        command = self.command(tmp_path, 0, "-w", "2")
        command[4] = "application:nothing"
        result = subprocess.run(
            command, capture_output=True, text=True, timeout=55, check=False, process_group=0
        )
        assert result.returncode == 1
        assert "the workers die before they listen" in result.stderr
