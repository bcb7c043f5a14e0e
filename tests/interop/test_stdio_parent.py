"""A Python parent that speaks with real Node children over their standard streams."""

from __future__ import annotations

import os
import socket
import sys
import time
from typing import TYPE_CHECKING, Any

import pytest

from nodechannel import errors
from support.node import node
from support.streams import AsyncioStreams, BlockingStreams

if TYPE_CHECKING:
    from collections.abc import Iterator

VALUES = [
    None,
    True,
    0,
    -1.5,
    2**53 - 1,
    "",
    "é😀\u2028\u2029\x7f",
    "\ud800 alone",
    [1, [2, [3]]],
    {"__proto__": 1, "a": {"b": None}},
    {"cmd": "NODE_HANDLE_ACK"},
]

ECHO = """
    const lines = require('readline').createInterface({ input: process.stdin, crlfDelay: Infinity });
    lines.on('line', (line) => process.stdout.write(JSON.stringify({ echo: JSON.parse(line) }) + '\\n'));
"""


@pytest.fixture(params=[BlockingStreams, AsyncioStreams], ids=["blocking", "asyncio"])
def api(request: pytest.FixtureRequest) -> Iterator[Any]:
    front_end = request.param()
    yield front_end
    front_end.close()


@pytest.mark.rule("STD-010", "STD-011", "STD-013")
def test_every_kind_of_value_comes_back(fork):
    with fork(ECHO) as child:
        for value in VALUES:
            child.send(value)
        assert [child.receive(timeout=20).data for _ in VALUES] == [{"echo": value} for value in VALUES]
    assert child.exit_code == 0


@pytest.mark.rule("STD-013")
def test_no_reader_of_lines_sees_a_separator_of_unicode(fork):
    source = "process.stdin.once('data', (data) => console.log(JSON.stringify(data.toString('latin1'))))"
    with fork(source) as child:
        child.send("a\u2028b\u2029c")
        assert child.receive(timeout=20).data == '"a\\u2028b\\u2029c"\n'


def test_many_messages_at_once(fork):
    with fork(ECHO) as child:
        child.send_many(range(5000))
        found: list[Any] = []
        while len(found) < 5000:
            found += [message.data["echo"] for message in child.receive_many(timeout=20)]
        assert found == list(range(5000))


def test_a_large_message_comes_back(fork):
    text = "é" * (2 << 20)
    with fork(ECHO) as child:
        child.send(text)
        assert child.receive(timeout=50).data == {"echo": text}


def test_two_ends_that_only_send_do_not_block_each_other(fork):
    with fork(ECHO) as child:
        for number in range(4000):
            child.send([number, "x" * 1000])
        assert [child.receive(timeout=20).data["echo"][0] for _ in range(4000)] == list(range(4000))


def test_a_message_may_come_in_single_bytes(fork):
    source = """
        const bytes = Buffer.from('{"a":"é😀"}\\n[1]\\n');
        let at = 0;
        const next = () => { if (at < bytes.length) process.stdout.write(bytes.subarray(at, at += 1), () => setImmediate(next)); };
        next();
    """
    with fork(source) as child:
        assert [child.receive(timeout=20).data for _ in range(2)] == [{"a": "é😀"}, [1]]


@pytest.mark.rule("STD-014", "STD-015", "STD-018")
def test_a_stray_line_is_an_error_in_its_place(fork):
    source = r"process.stdout.write('1\r\nlistening on port 80\n\n  \n2\n\xff\n\"a\\u2028\"\n3')"
    with fork(source.replace("\\\\u2028", "\u2028")) as child:
        assert child.receive(timeout=20).data == 1
        with pytest.raises(errors.InvalidJson, match="listening on port 80"):
            child.receive(timeout=20)
        assert child.receive(timeout=20).data == 2
        with pytest.raises(errors.MalformedMessage):
            child.receive(timeout=20)
        assert child.receive(timeout=20).data == "a\u2028"
        # [STD-016] The end came before the line feed.
        with pytest.raises(errors.TruncatedMessage) as truncated:
            child.receive(timeout=20)
        assert truncated.value.rest == b"3"
        with pytest.raises(errors.ChannelClosed):
            child.receive(timeout=20)


@pytest.mark.rule("STD-034")
def test_what_a_child_writes_before_it_exits_arrives(fork):
    source = "process.stdout.write(JSON.stringify('x'.repeat(500000)) + '\\n'); process.exit(3)"
    with fork(source) as child:
        assert child.wait(timeout=20) == 3
        assert child.receive(timeout=20).data == "x" * 500000
    assert child.exit_code == 3


@pytest.mark.rule("STD-016")
def test_a_message_that_a_child_did_not_finish_is_no_message(fork):
    # More than the pipe holds: Node drops the rest when `process.exit` is called.
    source = "process.stdout.write('0\\n' + JSON.stringify('x'.repeat(4 << 20)) + '\\n'); process.exit()"
    with fork(source) as child:
        assert child.receive(timeout=20).data == 0
        with pytest.raises(errors.TruncatedMessage):
            child.receive(timeout=20)


@pytest.mark.rule("STD-040", "STD-044")
def test_a_child_answers_behind_the_end_of_its_input(fork):
    source = ECHO + "lines.on('close', () => setTimeout(() => process.stdout.write('\"last\"\\n'), 100));"
    with fork(source) as child:
        child.send("x" * 3_000_000)
        child.disconnect(timeout=20)
        assert not child.connected
        with pytest.raises(errors.ChannelClosed):
            child.send(1)
        assert [len(message.data) for message in child] == [1, 4]


@pytest.mark.rule("STD-042")
def test_a_child_that_is_gone_is_a_closed_channel(fork):
    with fork("process.exit(0)") as child:
        child.wait(timeout=20)
        with pytest.raises(errors.ChannelClosed):
            for _ in range(100):
                child.send("x" * 100000)
                child.flush(timeout=20)
        assert list(child) == []


@pytest.mark.rule("STD-017")
def test_a_line_beyond_the_limit_ends_the_channel(fork):
    source = "setInterval(() => {}, 1000); process.stdout.write('1\\n' + 'x'.repeat(200) + '\\n2\\n')"
    with fork(source, max_line=100) as child:
        assert child.receive(timeout=20).data == 1
        with pytest.raises(errors.LineTooLong):
            child.receive(timeout=20)
        with pytest.raises(errors.ChannelClosed):
            child.receive(timeout=20)
        child.kill()


@pytest.mark.rule("STD-043")
def test_a_handle_is_refused(fork):
    with fork(ECHO) as child, socket.socket() as sock:
        with pytest.raises(errors.InvalidHandle, match=r"nodechannel\.fork"):
            child.send("take it", sock)
        child.send("on")
        assert child.receive(timeout=20).data == {"echo": "on"}


@pytest.mark.rule("STD-041")
def test_a_slow_reader_holds_the_child_back(fork):
    # Ten million messages would take a gigabyte; the child can only go on while its output is read.
    source = """
        let number = 0;
        const more = () => { while (process.stdout.write(`${number++}\\n`)); process.stdout.once('drain', more); };
        more();
    """
    with fork(source) as child:
        assert child.receive(timeout=20).data == 0
        # The pipe holds so many bytes; the parent keeps a bounded number of further bytes.
        seen = -1
        while seen != child.pending:
            seen = child.pending
            time.sleep(0.3)
        assert seen < 300_000
        assert [child.receive(timeout=20).data for _ in range(1000)] == list(range(1, 1001))
        child.kill(9)


def test_a_child_that_writes_before_it_reads_gets_a_large_message(fork):
    source = """
        const line = JSON.stringify('x'.repeat(1000)) + '\\n';
        process.stdout.write(line.repeat(4000), () => process.stdin.on('data', () => {}));
        process.stdin.on('end', () => process.exit());
    """
    with fork(source) as child:
        seen = -1
        while seen != child.pending:  # until no more is read ahead
            seen = child.pending
            time.sleep(0.3)
        child.send("x" * (4 << 20), timeout=20)
        child.flush(timeout=20)
        assert len(child.receive(timeout=20).data) == 1000


def test_time_limits(fork):
    with fork("process.stdin.resume()") as child:
        with pytest.raises(TimeoutError):
            child.receive(timeout=0.05)
        with pytest.raises(TimeoutError):
            child.wait(timeout=0.05)
    assert child.exit_code == 0


def test_what_a_child_does_not_read_ends_in_a_time_limit(fork):
    with fork("setInterval(() => {}, 1000)") as child:
        with pytest.raises(errors.SendTimeout):
            child.send("x" * (8 << 20), timeout=0.2)
        with pytest.raises(TimeoutError):
            child.flush(timeout=0.05)
        with pytest.raises(TimeoutError):
            child.disconnect(timeout=0.05)
        child.kill()
    assert child.signal_code == "SIGTERM"


@pytest.mark.rule("STD-035")
def test_a_channel_of_this_process_is_none_of_the_child(api, monkeypatch):
    monkeypatch.setenv("NODE_CHANNEL_FD", "77")
    # Not Node, which takes the variable out of its environment.
    with api.spawn(["sh", "-c", 'echo "\\"${NODE_CHANNEL_FD-none}\\""']) as child:
        assert child.receive(timeout=20).data == "none"


def test_an_unknown_framing_starts_nothing(api):
    with pytest.raises(ValueError, match="there is no framing 'line'"):
        api.spawn([node(), "-e", ""], framing="line")


def test_a_command_that_cannot_be_started_leaves_nothing_open(api):
    with pytest.raises(FileNotFoundError):
        api.spawn(["/nonexistent/program"])


@pytest.mark.parametrize("framing", ["lines", "headers"])
def test_two_python_ends(api, script, framing):
    program = script(
        "child.py",
        f"""
        from nodechannel import stdio
        with stdio.connect(framing={framing!r}) as channel:
            for message in channel:
                channel.send({{"got": message.data}})
        """,
    )
    with api.spawn([sys.executable, program], framing=framing) as child:
        for value in VALUES:
            child.send(value)
        assert [child.receive(timeout=20).data for _ in VALUES] == [{"got": value} for value in VALUES]
    assert child.exit_code == 0


def test_a_fork_of_the_parent_does_not_keep_the_child_alive(fork):
    with fork("process.stdin.resume(); process.stdin.on('end', () => console.log('1'))") as child:
        ready, hold = os.pipe()
        pid = os.fork()
        if pid == 0:
            os.close(hold)
            os.read(ready, 1)
            os._exit(0)
        try:
            child.disconnect(timeout=20)
            assert child.receive(timeout=20).data == 1
        finally:
            os.close(hold)
            os.close(ready)
            os.waitpid(pid, 0)
