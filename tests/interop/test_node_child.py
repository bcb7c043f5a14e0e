"""A Python parent over real Node children."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import subprocess
import sys
from contextlib import suppress

import pytest

import nodechannel
import nodechannel.asyncio
from nodechannel import errors
from support.node import FIXTURES, node

VALUES = [
    None,
    True,
    0,
    -1.5,
    2**53 - 1,
    "",
    "é😀\u2028\x7f",
    "\ud800 alone",
    [],
    [1, [2, [3]]],
    {},
    {"__proto__": 1, "a": {"b": None}},
    {"cmd": "NODE_"},
    {"cmd": "other"},
]


def test_every_kind_of_value_comes_back(api):
    with api.fork(FIXTURES / "echo.cjs", exec_path=node()) as child:
        for value in VALUES:
            child.send(value)
        assert [child.receive(timeout=20).data for _ in VALUES] == [{"echo": value} for value in VALUES]
    assert child.exit_code == 0


def test_a_large_message_comes_back(api):
    text = "é" * (4 << 20)
    with api.fork(FIXTURES / "echo.cjs", exec_path=node()) as child:
        child.send(text)
        assert child.receive(timeout=50).data == {"echo": text}


def test_the_command_line_is_nodes(fork):
    with fork(
        "process.send([process.argv.slice(2), process.execArgv])", "one", "two", exec_argv=["--no-warnings"]
    ) as child:
        assert child.receive(timeout=20).data == [["one", "two"], ["--no-warnings"]]


def test_the_child_sees_neither_variable_of_the_channel_nor_does_its_own_child(fork):
    source = """
        const names = /^NODE_(CHANNEL|UNIQUE)/;
        const mine = Object.keys(process.env).filter((name) => names.test(name));
        const theirs = require('child_process').execFileSync('env').toString().split('\\n').filter((line) => names.test(line));
        process.send([mine, theirs]);
    """
    with fork(source) as child:
        assert child.receive(timeout=20).data == [[], []]


def test_a_mark_of_a_cluster_worker_is_not_inherited(fork, monkeypatch):
    monkeypatch.setenv("NODE_UNIQUE_ID", "1")
    monkeypatch.setenv("NODE_CHANNEL_FD", "77")
    with fork("process.send(require('cluster').isWorker)") as child:
        assert child.receive(timeout=20).data is False


def test_env_and_cwd_are_those_asked_for(fork, tmp_path):
    with fork(
        "process.send([process.env.COLOR, process.cwd()])", env={"COLOR": "blue"}, cwd=tmp_path
    ) as child:
        assert child.receive(timeout=20).data == ["blue", str(tmp_path)]


def test_standard_streams_are_those_asked_for(api, fork):
    source = "process.stdin.on('data', (text) => { console.log('got ' + text); process.disconnect(); process.exit(); })"
    with fork(source, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as child:
        output, _ = api.call(child.process.communicate, b"line")
        assert output == b"got line\n"
    assert child.exit_code == 0


def test_the_exit_status_is_reported(fork):
    child = fork("process.exit(7)")
    assert child.wait(timeout=20) == 7
    assert (child.exit_code, child.signal_code) == (7, None)
    with pytest.raises(errors.ChannelClosed):
        child.receive(timeout=20)
    child.close()


def test_a_killed_child_is_reported_by_signal(fork):
    child = fork("process.on('message', () => {}); process.send('up')")
    assert child.receive(timeout=20).data == "up"
    assert child.exit_code is None
    child.kill(signal.SIGKILL)
    assert child.wait(timeout=20) == -signal.SIGKILL
    assert (child.exit_code, child.signal_code) == (None, "SIGKILL")
    assert list(child) == []
    child.close()


@pytest.mark.rule("LIF-021")
def test_a_signal_that_comes_too_late_does_not_hide_the_exit_status(tmp_path):
    script = tmp_path / "exit.js"
    script.write_text("process.exit(7)")

    async def main():
        child = await nodechannel.asyncio.fork(script, exec_path=node())
        # The event loop has not seen it. A watcher that waits in a thread, which Python 3.11 has, may have been quicker.
        with suppress(ChildProcessError):
            os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
        child.kill()
        assert await child.wait(20) == 7
        assert (child.exit_code, child.signal_code) == (7, None)
        child.kill()
        child.close()

    asyncio.run(main())


def test_a_child_that_ignores_its_end_is_ended_by_the_context_manager(fork, monkeypatch):
    monkeypatch.setattr("nodechannel._blocking.channel.GRACE", 0.3)
    monkeypatch.setattr("nodechannel._aio.channel.GRACE", 0.3)
    with fork("process.on('SIGTERM', () => {}); setInterval(() => {}, 1000); process.send('up')") as child:
        child.receive(timeout=20)
    assert child.signal_code == "SIGKILL"


def test_messages_sent_before_the_exit_arrive_after_it(fork):
    child = fork("for (let i = 0; i < 10; i++) process.send(i)")
    assert child.wait(timeout=20) == 0
    assert [message.data for message in child] == list(range(10))


def test_waiting_for_a_child_that_writes_more_than_the_kernel_takes(api):
    source = "import nodechannel\nwith nodechannel.connect() as c:\n  for i in range(3000): c.send([i, 'x' * 1000])"
    child = api.spawn([sys.executable, "-c", source])
    assert child.wait(timeout=30) == 0
    assert [message.data[0] for message in child] == list(range(3000))


def test_waiting_has_a_limit(fork):
    with fork("process.on('message', () => {}); process.send('up')") as child:
        assert child.receive(timeout=20).data == "up"
        with pytest.raises(TimeoutError):
            child.wait(timeout=0.05)


def test_waiting_works_on_systems_that_cannot_tell(script, monkeypatch):
    """The blocking front end alone; asyncio brings its own way of waiting."""
    monkeypatch.delattr(os, "pidfd_open")
    child = nodechannel.fork(script("child.cjs", "setTimeout(() => process.exit(4), 100)"), exec_path=node())
    assert child.wait(timeout=20) == 4
    child.close()


def test_both_sides_disconnect(fork):
    with fork("process.on('message', () => process.disconnect())") as child:
        child.send("go")
        assert list(child) == []
        assert not child.connected
    with fork("process.on('disconnect', () => process.exit(3)); process.send('up')") as child:
        child.receive(timeout=20)
        child.disconnect(timeout=20)
        assert child.wait(timeout=20) == 3


def test_a_command_that_does_not_exist_leaves_nothing_behind(api):
    with pytest.raises(FileNotFoundError):
        api.spawn(["/nonexistent/command"])


def test_an_unknown_serialization_is_refused(api):
    with pytest.raises(errors.UnsupportedSerialization):
        api.spawn([sys.executable], serialization="protobuf")


def test_a_node_server_is_served_by_python(fork):
    source = """
        const server = require('net').createServer();
        server.listen(0, '127.0.0.1', () => process.send(server.address().port, server, () => server.close()));
        process.on('message', () => {});
    """
    with fork(source) as child:
        message = child.receive(timeout=20)
        assert message.handle.type == "net.Server"
        with message.handle.socket(timeout=20) as server:
            assert server.getsockname() == ("127.0.0.1", message.data)
            with socket.create_connection(server.getsockname()) as client:
                server.accept()[0].close()
                assert client.recv(1) == b""


def test_a_python_connection_is_answered_by_node(fork):
    source = """
        process.on('message', (text, socket) => {
          socket.on('error', () => {});
          socket.end(text);
        });
    """
    with fork(source) as child, socket.create_server(("127.0.0.1", 0)) as server:
        clients = []
        for number in range(5):
            clients.append(socket.create_connection(server.getsockname(), timeout=20))
            connection, _ = server.accept()
            child.send(f"hello {number}", handle=connection)
        for number, client in enumerate(clients):
            with client:
                assert client.makefile("rb").read() == f"hello {number}".encode()
        child.flush(timeout=20)


def test_udp_sockets_travel_both_ways(fork):
    source = """
        process.on('message', (port, udp) => {
          const own = require('dgram').createSocket('udp4');
          udp.send('from python', port, '127.0.0.1', () => udp.close());
          own.bind(0, '127.0.0.1', () => process.send('own', own, () => own.close()));
        });
    """
    with (
        fork(source) as child,
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as mine,
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as judge,
    ):
        mine.bind(("127.0.0.1", 0))
        judge.bind(("127.0.0.1", 0))
        judge.settimeout(20)
        child.send(judge.getsockname()[1], handle=mine)
        assert judge.recvfrom(100) == (b"from python", mine.getsockname())
        message = child.receive(timeout=20)
        assert (message.handle.type, message.handle.dgram_type) == ("dgram.Socket", "udp4")
        with message.handle.socket(timeout=20) as theirs:
            theirs.sendto(b"through node's socket", judge.getsockname())
            assert judge.recv(100) == b"through node's socket"


def test_handles_cross_without_a_deadlock(api):
    with (
        api.fork(FIXTURES / "echo.cjs", exec_path=node()) as child,
        socket.create_server(("127.0.0.1", 0)) as server,
    ):
        for number in range(20):
            child.send(number, handle=server)
        for number in range(20):
            message = child.receive(timeout=20)
            assert message.data == {"echo": number}
            message.handle.close()
        child.flush(timeout=20)


def test_the_parent_keeps_no_copy_of_the_childs_end(api):
    child = api.spawn([sys.executable, "-c", "pass"])
    with pytest.raises(errors.ChannelClosed):
        child.receive(timeout=20)
    assert child.wait(timeout=20) == 0
    child.close()


def test_descriptors_of_other_channels_are_not_inherited(api):
    listing = "import os; fds = os.listdir('/dev/fd'); print(len(fds))"
    with (
        api.fork(FIXTURES / "echo.cjs", exec_path=node()),
        api.spawn([sys.executable, "-c", listing], stdout=subprocess.PIPE, env=dict(os.environ)) as child,
    ):
        assert child.wait(timeout=20) == 0
        text = api.call(child.process.stdout.read)
    # The standard streams, the channel, and the descriptor of the listing itself.
    assert int(text) == 5
