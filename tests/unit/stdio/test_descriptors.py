"""The descriptors of standard streams."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys

import pytest

from nodechannel._stdio.descriptors import ChildStreams, NonBlocking

# Takes the streams twice; then all that a program writes goes to standard error, and standard input is empty.
TAKEN = """
import os, subprocess, sys
from nodechannel._stdio.descriptors import take_streams
from nodechannel.errors import StreamsUnavailable
reader, writer = take_streams()
try:
    take_streams()
except StreamsUnavailable as error:
    print("twice:", error)
print("from print")
os.write(1, b"from C\\n")
subprocess.run(["echo", "from a grandchild"], check=True)
assert sys.stdin.read() == ""
assert not os.get_inheritable(reader) and not os.get_inheritable(writer)
os.write(writer, os.read(reader, 100).upper())
"""


@pytest.mark.rule("STD-030", "STD-031", "STD-032")
def test_streams_that_were_taken_carry_messages_alone():
    run = subprocess.run(
        [sys.executable, "-c", TAKEN],
        input=b"message",
        capture_output=True,
        timeout=50,
        process_group=0,
        check=False,
    )
    assert run.returncode == 0, run.stderr
    assert run.stdout == b"MESSAGE"
    lines = run.stderr.decode().splitlines()
    assert lines[0].startswith("twice: ")
    assert sorted(lines[1:]) == ["from C", "from a grandchild", "from print"]


@pytest.mark.parametrize("closed", [0, 1])
def test_a_stream_that_is_closed_is_named(closed):
    code = f"import os; os.close({closed})\nfrom nodechannel._stdio.descriptors import take_streams\ntake_streams()"
    run = subprocess.run(
        [sys.executable, "-c", code],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=50,
        process_group=0,
        check=False,
    )
    assert (
        b"standard " + [b"input", b"output"][closed] + b" is closed; start this process with a pipe"
        in run.stderr
    )


@pytest.mark.rule("STD-033", "STD-035")
def test_the_pipes_of_a_child(monkeypatch):
    monkeypatch.setenv("NODE_CHANNEL_FD", "9")
    with ChildStreams() as streams:
        options = streams.popen_options({"cwd": "/"})
        assert "NODE_CHANNEL_FD" not in options["env"]
        assert options["cwd"] == "/"
        os.write(options["stdout"], b"up")
        os.write(streams.writer, b"down")
        assert (os.read(streams.reader, 9), os.read(options["stdin"], 9)) == (b"up", b"down")
    # The child's ends are closed here, so its end is seen.
    assert os.read(streams.reader, 9) == b""
    os.close(streams.reader)
    os.close(streams.writer)
    with contextlib.suppress(OSError), ChildStreams():
        raise OSError


def test_a_descriptor_gets_its_mode_back():
    reader, writer = os.pipe()
    copy = os.dup(reader)
    held = NonBlocking(reader)
    assert not os.get_blocking(copy)
    held.close()
    assert os.get_blocking(copy)
    os.close(copy)
    os.close(writer)
    with pytest.raises(OSError, match="descriptor"):
        os.fstat(reader)


def test_a_file_keeps_its_mode(tmp_path):
    fd = os.open(tmp_path / "file", os.O_RDWR | os.O_CREAT)
    held = NonBlocking(fd)
    assert os.get_blocking(fd)
    held.forget()
    with pytest.raises(OSError, match="descriptor"):
        os.fstat(fd)
