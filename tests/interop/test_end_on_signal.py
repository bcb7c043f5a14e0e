"""`end_on_signal=True`: SIGTERM and SIGINT end the loop, under real Node parents and primaries."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import textwrap
import threading
import time
from typing import Any

import pytest

import nodechannel
from support.cluster import PATIENCE, NodePrimary
from support.node import node

SIGNALS = [signal.SIGTERM, signal.SIGINT]
TEXTS = {
    "blocking": {
        "loop": """
            import nodechannel
            with nodechannel.connect(end_on_signal=True) as channel:
                channel.send("ready")
                for message in channel:
                    handle(message.data, channel.send)
                channel.send("bye")
                after()
        """,
        "receive": """
            import nodechannel
            with nodechannel.connect(end_on_signal=True) as channel:
                channel.send("ready")
                try:
                    while True:
                        handle(channel.receive(timeout=60).data, channel.send)
                except nodechannel.ChannelClosed:
                    channel.send("bye")
        """,
        "receive_many": """
            import nodechannel
            with nodechannel.connect(end_on_signal=True) as channel:
                channel.send("ready")
                try:
                    while True:
                        for message in channel.receive_many():
                            handle(message.data, channel.send)
                except nodechannel.ChannelClosed:
                    channel.send("bye")
        """,
        "another thread reads": """
            import threading, nodechannel
            def read():
                for message in channel:
                    handle(message.data, channel.send)
            with nodechannel.connect(end_on_signal=True) as channel:
                channel.send("ready")
                thread = threading.Thread(target=read)
                thread.start()
                thread.join()
                channel.send("bye")
        """,
        "selector": """
            import selectors, nodechannel
            with nodechannel.connect(end_on_signal=True) as channel, selectors.DefaultSelector() as selector:
                selector.register(channel, selectors.EVENT_READ)
                channel.send("ready")
                try:
                    while selector.select():
                        handle(channel.receive().data, channel.send)
                except nodechannel.ChannelClosed:
                    channel.send("bye")
        """,
    },
    "asyncio": {
        "loop": """
            import asyncio
            from nodechannel import asyncio as nodechannel
            async def main():
                async with await nodechannel.connect(end_on_signal=True) as channel:
                    await channel.send("ready")
                    async for message in channel:
                        answers = []
                        handle(message.data, answers.append)
                        for answer in answers:
                            await channel.send(answer)
                    await channel.send("bye")
                    await channel.flush()
                    after()
            asyncio.run(main())
        """,
        "receive": """
            import asyncio
            from nodechannel import asyncio as nodechannel, ChannelClosed
            async def main():
                async with await nodechannel.connect(end_on_signal=True) as channel:
                    await channel.send("ready")
                    try:
                        while True:
                            answers = []
                            handle((await channel.receive(timeout=60)).data, answers.append)
                            await channel.send(answers[0])
                    except ChannelClosed:
                        await channel.send("bye")
            asyncio.run(main())
        """,
        "receive_many": """
            import asyncio
            from nodechannel import asyncio as nodechannel, ChannelClosed
            async def main():
                async with await nodechannel.connect(end_on_signal=True) as channel:
                    await channel.send("ready")
                    try:
                        while True:
                            for message in await channel.receive_many():
                                answers = []
                                handle(message.data, answers.append)
                                await channel.send(answers[0])
                    except ChannelClosed:
                        await channel.send("bye")
            asyncio.run(main())
        """,
    },
}
KINDS = [(front_end, shape) for front_end, shapes in TEXTS.items() for shape in shapes]

HEAD = """
import os, signal, sys, time
before = [signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)]
def handle(data, answer):
    if isinstance(data, dict):
        os.kill(os.getppid(), signal.SIGUSR2)
        time.sleep(data["work"])
    answer(data)
def after():
    if "stay" in sys.argv:
        time.sleep(1000)
"""
TAIL = """
assert [signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)] == before
sys.exit(5)
"""

PARENT = """
const { spawn } = require('child_process');
const [argv, send, times, early] = JSON.parse(process.argv[1]);
const child = spawn(argv[0], argv.slice(1), { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
const got = [];
const end = () => child.kill(times[0]);
let begun = false;
process.on('SIGUSR2', () => { if (!begun) { begun = true; end(); } }); // the child works on its first message
for (const one of early) child.send(one);
child.on('message', (message) => {
  got.push(message);
  if (message === 'ready') {
    for (const one of send) child.send(one);
    if (early.length === 0) setTimeout(end, 300);
  }
  if (message === 'bye' && times[1]) setTimeout(() => child.kill(times[1]), 200);
});
child.on('exit', (code, signal) => setTimeout(() => console.log(JSON.stringify({ code, signal, got })), 50));
"""


def run(folder, program, *arguments, send=(), early=(), signals=("SIGTERM",), parent=PARENT):
    (folder / "child.py").write_text(HEAD + textwrap.dedent(program) + TAIL)
    argv = [sys.executable, str(folder / "child.py"), *arguments]
    result = subprocess.run(
        [node(), "-e", parent, json.dumps([argv, list(send), list(signals), list(early)])],
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
        process_group=0,
    )
    return json.loads(result.stdout), result.stderr


class TestChild:
    @pytest.mark.parametrize("number", SIGNALS)
    @pytest.mark.parametrize(("front_end", "shape"), KINDS)
    def test_the_loop_ends_and_the_program_goes_on(self, tmp_path, front_end, shape, number):
        said, complaint = run(tmp_path, TEXTS[front_end][shape], signals=[number.name])
        assert said == {"code": 5, "signal": None, "got": ["ready", "bye"]}, complaint
        assert complaint == ""

    @pytest.mark.parametrize(("front_end", "shape"), KINDS)
    def test_the_message_that_is_worked_on_is_answered(self, tmp_path, front_end, shape):
        """The signal comes in the middle of the work on the first message. The second message came with it and is not begun."""
        work, late = {"work": 0.6}, {"work": 0.7}
        said, complaint = run(tmp_path, TEXTS[front_end][shape], early=[work, late])
        taken = [work, late] if shape == "receive_many" else [work]
        assert said == {"code": 5, "signal": None, "got": ["ready", *taken, "bye"]}, complaint

    @pytest.mark.parametrize("front_end", TEXTS)
    def test_a_message_that_comes_after_the_signal_is_not_begun(self, tmp_path, front_end):
        """It comes while the first message is worked on."""
        work = {"work": 0.6}
        parent = PARENT.replace("child.kill(times[0])", "{ child.kill(times[0]); child.send('late'); }")
        said, complaint = run(tmp_path, TEXTS[front_end]["loop"], early=[work], parent=parent)
        assert said == {"code": 5, "signal": None, "got": ["ready", work, "bye"]}, complaint

    @pytest.mark.parametrize("front_end", TEXTS)
    @pytest.mark.parametrize("second", ["SIGTERM", "SIGINT"])
    def test_the_second_signal_has_its_default_action(self, tmp_path, front_end, second):
        said, _ = run(tmp_path, TEXTS[front_end]["loop"], "stay", signals=["SIGTERM", second])
        assert said == {"code": None, "signal": second, "got": ["ready", "bye"]}

    def test_a_signal_that_is_ignored_stays_ignored(self, tmp_path):
        """SIGINT, which the child ignores, then a message, then SIGTERM after its answer."""
        ignoring = "signal.signal(signal.SIGINT, signal.SIG_IGN)\nbefore[1] = signal.SIG_IGN\n"
        parent = PARENT.replace(
            "if (early.length === 0) setTimeout(end, 300);",
            "child.kill('SIGINT'); setTimeout(() => child.send(1), 200);",
        ).replace("got.push(message);", "got.push(message); if (message === 1) child.kill('SIGTERM');")
        said, complaint = run(tmp_path, ignoring + textwrap.dedent(TEXTS["blocking"]["loop"]), parent=parent)
        assert said == {"code": 5, "signal": None, "got": ["ready", 1, "bye"]}, complaint

    def test_when_the_parent_disconnects_first_a_signal_is_for_the_handler_of_before(self, tmp_path):
        program = """
            import nodechannel
            def mine(number, frame):
                sys.exit(5)
            signal.signal(signal.SIGTERM, mine)
            channel = nodechannel.connect(end_on_signal=True)
            channel.send("ready")
            for message in channel: pass
            print("waits", flush=True)
            time.sleep(1000)
        """
        (tmp_path / "child.py").write_text(HEAD + textwrap.dedent(program))
        ours, theirs = socket.socketpair()
        process = subprocess.Popen(
            [sys.executable, str(tmp_path / "child.py")],
            env={**os.environ, "NODE_CHANNEL_FD": str(theirs.fileno())},
            pass_fds=[theirs.fileno()],
            stdout=subprocess.PIPE,
            process_group=0,
        )
        theirs.close()
        assert process.stdout is not None
        try:
            assert ours.recv(100) == b'"ready"\n'
            ours.close()
            assert process.stdout.readline() == b"waits\n"
            process.terminate()
            assert process.wait(PATIENCE) == 5
        finally:
            process.kill()
            process.wait()
            process.stdout.close()


class TestOffTheMainThread:
    def test_it_is_a_clear_error_and_the_channel_can_still_be_taken(self, api, monkeypatch):
        ours, theirs = socket.socketpair()
        os.set_inheritable(theirs.fileno(), True)
        monkeypatch.setenv("NODE_CHANNEL_FD", str(theirs.fileno()))
        found: list[Any] = []

        def connect():
            try:
                api.connect(end_on_signal=True)
            except nodechannel.NotMainThread as error:
                found.append(error)

        thread = threading.Thread(target=connect)
        thread.start()
        thread.join()
        assert "main thread" in str(found[0])
        channel = api.connect()
        theirs.detach()
        channel.close()
        ours.close()

    def test_spawn_starts_nothing(self, api):
        errors: list[Any] = []

        def start():
            try:
                api.spawn([sys.executable, "-c", ""], end_on_signal=True)
            except nodechannel.NotMainThread as error:
                errors.append(error)

        thread = threading.Thread(target=start)
        thread.start()
        thread.join()
        assert len(errors) == 1


PARENTS = {
    "blocking loop": """
        import sys, nodechannel
        with nodechannel.fork(sys.argv[1], exec_path=sys.argv[2], end_on_signal=True) as child:
            print(child.pid, flush=True)
            for message in child: pass
            child.send("bye")
        sys.exit(child.exit_code)
    """,
    "blocking wait": """
        import sys, nodechannel
        child = nodechannel.fork(sys.argv[1], exec_path=sys.argv[2], end_on_signal=True)
        print(child.pid, flush=True)
        sys.exit(child.wait())
    """,
    "asyncio loop": """
        import asyncio, sys
        from nodechannel import asyncio as nodechannel
        async def main():
            async with await nodechannel.fork(sys.argv[1], exec_path=sys.argv[2], end_on_signal=True) as child:
                print(child.pid, flush=True)
                async for message in child: pass
                await child.send("bye")
            sys.exit(child.exit_code)
        asyncio.run(main())
    """,
    "asyncio wait": """
        import asyncio, sys
        from nodechannel import asyncio as nodechannel
        async def main():
            child = await nodechannel.fork(sys.argv[1], exec_path=sys.argv[2], end_on_signal=True)
            print(child.pid, flush=True)
            sys.exit(await child.wait())
        asyncio.run(main())
    """,
    "two children": """
        import sys, nodechannel
        with nodechannel.fork(sys.argv[1], exec_path=sys.argv[2], end_on_signal=True) as other:
            with nodechannel.fork(sys.argv[1], exec_path=sys.argv[2], end_on_signal=True) as child:
                print(child.pid, flush=True)
                for message in child: pass
                for message in other: pass
        sys.exit(child.exit_code)
    """,
}


class TestParent:
    @pytest.mark.parametrize("number", SIGNALS)
    @pytest.mark.parametrize("kind", PARENTS)
    def test_the_loop_ends_and_the_child_ends_with_the_channel(self, tmp_path, kind, number):
        (tmp_path / "child.cjs").write_text(
            "process.on('message', () => {}); process.on('disconnect', () => process.exit(4));"
        )
        process = subprocess.Popen(
            [sys.executable, "-c", textwrap.dedent(PARENTS[kind]), str(tmp_path / "child.cjs"), node()],
            stdout=subprocess.PIPE,
            process_group=0,
        )
        assert process.stdout is not None
        try:
            child = int(process.stdout.readline())
            time.sleep(0.3)
            process.send_signal(number)
            assert process.wait(PATIENCE) == 4
            with pytest.raises(ProcessLookupError):
                os.kill(child, 0)
        finally:
            process.kill()
            process.wait()
            process.stdout.close()


WORKERS = {
    "blocking, connections": """
        from nodechannel import cluster
        with cluster.connect(end_on_signal=True) as worker:
            server = worker.listen(0, "127.0.0.1")
            for connection in server:
                with connection:
                    while data := connection.recv(1000):
                        connection.sendall(data)
            worker.send("bye")
    """,
    "blocking, messages": """
        from nodechannel import cluster
        with cluster.connect(end_on_signal=True) as worker:
            server = worker.listen(0, "127.0.0.1")
            for message in worker: pass
            worker.send("bye")
            for connection in server:
                with connection:
                    while data := connection.recv(1000):
                        connection.sendall(data)
    """,
    "asyncio": """
        import asyncio
        from nodechannel.cluster import asyncio as cluster
        async def echo(reader, writer):
            while data := await reader.read(1000):
                writer.write(data)
            writer.close()
        async def main():
            worker = await cluster.connect(end_on_signal=True)
            await worker.listen(0, echo, "127.0.0.1")
            async for message in worker: pass
            await worker.send("bye")
            await worker.wait_closed()
        asyncio.run(main())
    """,
}


class TestWorker:
    @pytest.mark.parametrize("number", SIGNALS)
    @pytest.mark.parametrize("kind", WORKERS)
    def test_it_finishes_its_connection_and_leaves(self, tmp_path, kind, number):
        """The primary sees a worker that leaves by its own wish, and no worker that dies."""
        (tmp_path / "worker.py").write_text(textwrap.dedent(WORKERS[kind]))
        with NodePrimary("rr") as primary:
            primary.do(fork=sys.executable, script=str(tmp_path / "worker.py"), args=[], env={})
            forked = primary.expect("fork")
            port = primary.listening(forked["id"])["port"]
            with socket.create_connection(("127.0.0.1", port), timeout=PATIENCE) as client:
                client.sendall(b"one")
                if kind != "blocking, messages":
                    assert client.recv(3) == b"one"
                else:
                    time.sleep(0.3)
                os.kill(forked["pid"], number)
                assert primary.message(forked["id"]) == "bye" if kind == "blocking, messages" else True
                client.sendall(b"two")
                client.shutdown(socket.SHUT_WR)
                answer = b"".join(iter(lambda: client.recv(100), b""))
                assert answer.endswith(b"two")
            ended = primary.expect("exit", id=forked["id"])
            assert (ended["code"], ended["signal"], ended["voluntary"]) == (0, None, True)
