"""`hop.cjs`: a command in the place of a Node script, with the channel of the Node process."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path

import pytest

import nodechannel
from nodechannel import hop
from support.cluster import NodePrimary, talk
from support.node import FIXTURES, node
from support.processes import children_of, wait_until_gone

OLDEST = 18
VERSION = subprocess.run([node(), "--version"], capture_output=True, text=True, check=True).stdout.strip()

pytestmark = pytest.mark.skipif(
    int(VERSION[1:].split(".")[0]) < OLDEST, reason=f"hop.cjs needs Node {OLDEST}"
)

ECHO = """
    import nodechannel
    with nodechannel.connect() as channel:
        for message in channel:
            channel.send({"echo": message.data})
"""

# Says its process id and each of the named signals. Ends with a status that it is sent, or by a signal that it is sent the name of.
WITNESS = """
    import asyncio, os, signal, sys
    from nodechannel.asyncio import connect

    async def main():
        channel = await connect()
        for name in sys.argv[1:]:
            tell = lambda name=name: asyncio.ensure_future(channel.send(name))
            asyncio.get_running_loop().add_signal_handler(getattr(signal, name), tell)
        await channel.send(os.getpid())
        async for message in channel:
            if isinstance(message.data, int):
                return message.data
            if message.data != "SIGKILL":
                signal.signal(getattr(signal, message.data), signal.SIG_DFL)
            os.kill(os.getpid(), getattr(signal, message.data))
        return 0

    sys.exit(asyncio.run(main()))
"""


@pytest.fixture
def start(script):
    """Fork hop.cjs from Python with a Python program as its command."""

    def fork(source, *args, **options):
        command = (sys.executable, script("child.py", source), *args)
        return nodechannel.fork(hop.path(), *command, exec_path=node(), process_group=0, **options)

    return fork


def test_messages_that_were_sent_at_once_arrive_in_order(start):
    with start(ECHO) as child:
        child.send_many(range(1000))
        assert [child.receive(timeout=20).data for _ in range(1000)] == [{"echo": n} for n in range(1000)]
    assert child.exit_code == 0


def test_a_message_that_is_longer_than_any_buffer_passes(start):
    with start(ECHO) as child:
        text = "x" * 10_000_000
        child.send(text)
        assert child.receive(timeout=30).data == {"echo": text}


def test_a_socket_passes_both_ways(start):
    source = """
        import nodechannel
        with nodechannel.connect() as channel:
            for message in channel:
                channel.send("back", handle=message.handle.socket())
    """
    here, there = socket.socketpair()
    with here, start(source) as child:
        child.send("take", handle=there)
        message = child.receive(timeout=20)
        with message.handle.socket(timeout=10) as back:
            back.sendall(b"through")
            assert here.recv(100) == b"through"


@pytest.mark.parametrize("serialization", ["json", "advanced"])
def test_the_command_gets_the_serialization_of_the_parent(script, serialization):
    child = script(
        "child.cjs",
        """
        process.on('message', (message) => { process.send(message); process.disconnect(); });
        process.send('ready');
        """,
    )
    parent = script(
        "parent.cjs",
        """
        const [serialization, hop, ...command] = process.argv.slice(2);
        const child = require('child_process').fork(hop, command, { serialization });
        child.on('message', (message) => {
          if (message === 'ready') child.send({ when: new Date(0) });
          else console.log(message.when instanceof Date, JSON.stringify(message));
        });
        """,
    )
    result = subprocess.run(
        [node(), parent, serialization, hop.path(), node(), child],
        capture_output=True,
        text=True,
        timeout=30,
        process_group=0,
        check=True,
    )
    date = "true" if serialization == "advanced" else "false"
    assert (result.stdout, result.stderr) == (f'{date} {{"when":"1970-01-01T00:00:00.000Z"}}\n', "")


@pytest.mark.parametrize("policy", ["rr", "none"])
@pytest.mark.parametrize("worker", ["worker_blocking.py", "worker_asyncio.py"])
def test_a_cluster_worker_serves_and_ends(policy, worker):
    script = str(FIXTURES / "cluster" / worker)
    with NodePrimary(policy) as primary:
        id = primary.fork(
            Path(hop.path()), sys.executable, script, json.dumps({"host": "127.0.0.1"}), interpreter="node"
        )
        port = primary.listening(id)["port"]
        for number in range(20):
            assert talk(port, b"%d" % number) == b"%d" % number
        primary.do(disconnect=id)
        assert primary.expect("disconnect", id=id)["voluntary"]
        ended = primary.expect("exit", id=id)
        assert (ended["code"], ended["signal"]) == (0, None)


@pytest.mark.parametrize("status", [0, 7, 255])
def test_it_ends_with_the_status_of_the_command(start, status):
    with start(WITNESS) as child:
        pid = child.receive(timeout=20).data
        child.send(status)
        assert child.wait(timeout=20) == status
    wait_until_gone(pid)


@pytest.mark.parametrize("name", ["SIGTERM", "SIGKILL", "SIGINT", "SIGABRT", "SIGUSR1"])
def test_it_ends_by_the_signal_of_the_command(start, name):
    with start(WITNESS) as child:
        pid = child.receive(timeout=20).data
        child.send(name)
        assert child.wait(timeout=20) == -getattr(signal, name)
    wait_until_gone(pid)


def test_signals_reach_the_command_once(start):
    names = ["SIGHUP", "SIGINT", "SIGQUIT", "SIGTERM", "SIGUSR1", "SIGUSR2", "SIGWINCH"]
    with start(WITNESS, *names) as child:
        pid = child.receive(timeout=20).data
        for name in names:
            child.kill(getattr(signal, name))
            assert child.receive(timeout=20).data == name
        os.killpg(child.pid, signal.SIGINT)  # as a terminal does it
        assert child.receive(timeout=20).data == "SIGINT"
        child.send(0)
        assert child.wait(timeout=20) == 0
        with pytest.raises(nodechannel.ChannelClosed):
            child.receive(timeout=0)
    wait_until_gone(pid)


def test_the_command_ends_with_a_process_that_was_killed(start):
    with start(WITNESS) as child:
        pid = child.receive(timeout=20).data
        helpers = children_of(child.pid)
        child.kill(signal.SIGKILL)
        assert child.wait(timeout=20) == -signal.SIGKILL
        wait_until_gone(pid, *helpers)
        with pytest.raises(nodechannel.ChannelClosed):
            child.receive(timeout=20)


def test_nothing_stays_when_the_command_ends(start):
    with start(WITNESS) as child:
        child.receive(timeout=20)
        helpers = children_of(child.pid)
        assert len(helpers) == 2
        child.send(3)
        child.wait(timeout=20)
    wait_until_gone(*helpers)


@pytest.mark.parametrize("open_before", [0, 40])
def test_the_channel_ends_with_the_command(start, open_before):
    """Also where the number of the channel is a high one, which Node leaves open in the processes that it starts."""
    source = """
        import nodechannel, os, sys
        channel = nodechannel.connect()
        channel.send(sys.argv[1])
        channel.disconnect()
        sys.stdin.read()
    """
    with ExitStack() as held:
        for _ in range(open_before):
            held.enter_context(Path(os.devnull).open("rb"))
        child = held.enter_context(start(source, "seen", stdin=subprocess.PIPE))
        assert child.receive(timeout=20).data == "seen"
        with pytest.raises(nodechannel.ChannelClosed):
            child.receive(timeout=20)
        assert child.process.poll() is None
        child.process.stdin.close()


def run(*words: str, **options: str) -> subprocess.CompletedProcess[str]:
    """Run hop.cjs without a channel."""
    return subprocess.run(
        [node(), *options.get("flags", ()), hop.path(), *words],
        capture_output=True,
        text=True,
        timeout=30,
        process_group=0,
        check=False,
        input="from stdin",
    )


def test_without_a_channel_the_command_runs_all_the_same():
    result = run("sh", "-c", 'cat; echo " ${NODE_CHANNEL_FD-no channel}"; echo err >&2; exit 4')
    assert (result.stdout, result.stderr, result.returncode) == ("from stdin no channel\n", "err\n", 4)


def test_a_command_that_cannot_be_started_is_named(tmp_path):
    missing = run("no-such-command")
    assert missing.returncode == 127
    assert missing.stderr == "nodechannel hop: cannot start no-such-command: spawn no-such-command ENOENT\n"
    file = tmp_path / "file"
    file.write_text("")
    assert run(str(file)).returncode == 126
    for thrown, status in [(str(file / "x"), 127), ("", 126)]:
        refused = run(thrown)
        assert refused.returncode == status
        assert refused.stderr.startswith("nodechannel hop: cannot start ")
        assert refused.stderr.count("\n") == 1
    assert run().returncode == 2


def test_a_channel_that_was_read_before_is_reported(tmp_path):
    early = tmp_path / "early.mjs"
    # The event loop turns while this module waits, so Node reads the channel.
    early.write_text("process.channel?.ref(); await new Promise((resolve) => setTimeout(resolve, 300));")
    with nodechannel.fork(
        hop.path(), "true", exec_path=node(), exec_argv=["--import", str(early)], stderr=subprocess.PIPE
    ) as child:
        child.send("too early")
        assert child.wait(timeout=20) == 126
        assert child.process.stderr is not None
        assert b"messages were read before the command could start" in child.process.stderr.read()
