"""The tap in front of real programs: a child and its parent see no difference, and the recording has all bytes."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from channelkit.errors import UsageError
from channelkit.tap.reading import Recording, read
from channelkit.tap.record import DOWN, UP, Entry, Writer
from channelkit.tap.relay import Relay
from channelkit.tap.start import FD
from channelkit.wire.rights import packed, unpacked
from support.processes import wait_until_gone
from support.tapped import TAP, Tapped, script

ECHO = "process.on('message', (m) => process.send({ echo: m, pid: process.pid }));"


def whole(path: Path) -> Recording:
    """The recording once the relay has ended, as the ends of both ways or of one show."""
    deadline = time.monotonic() + 10
    while True:
        found = read(path)
        if any(entry.end for entry in found.entries):
            return found
        assert time.monotonic() < deadline, found
        time.sleep(0.01)


def stream(recording: Recording, way: str) -> bytes:
    return b"".join(entry.data for entry in recording.entries if entry.way == way)


def test_a_node_child_keeps_its_process_id_and_all_is_recorded(tmp_path: Path) -> None:
    child = Tapped(tmp_path / "a.ctap", script(tmp_path, ECHO))
    child.end.sendall(b'{"a":1}\n')
    answer = child.line()
    assert answer == {"echo": {"a": 1}, "pid": child.process.pid}
    assert child.finish() == 0
    found = whole(tmp_path / "a.ctap")
    assert stream(found, DOWN) == b'{"a":1}\n'
    assert json.loads(stream(found, UP)) == answer
    assert found.header["pid"] == child.process.pid
    assert found.mode == "json"
    assert found.damage is None


@pytest.mark.parametrize("at", [0, 1, 7, 11])
def test_descriptors_pass_on_the_byte_on_which_they_came(tmp_path: Path, at: int) -> None:
    # The child echoes all bytes. It reads byte by byte, so it finds the place of the descriptor.
    child = Tapped(
        tmp_path / "a.ctap",
        [sys.executable, "-I", "-c", _PLACES],
    )
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen()
        data = b"0123456789ab"
        child.end.sendall(data[:at])
        child.end.sendmsg([data[at:]], packed([server.fileno()]))
        place, inode = child.line()
        assert (place, inode) == (at, os.fstat(server.fileno()).st_ino)
        assert child.finish() == 0
        [described] = [one for entry in whole(tmp_path / "a.ctap").entries for one in entry.descriptors]
        assert described["kind"] == "server"
        assert described["local"] == f"127.0.0.1:{server.getsockname()[1]}"
        assert described["inode"] == inode


_PLACES = """
import array, json, os, socket, time
end = socket.socket(fileno=int(os.environ['NODE_CHANNEL_FD']))
while len(end.recv(100, socket.MSG_PEEK)) < 12:
    time.sleep(0.01)
for place in range(12):
    data, rights, _, _ = end.recvmsg(1, 100)
    if rights:
        fd = array.array('i', rights[0][2])[0]
        end.sendall(json.dumps([place, os.fstat(fd).st_ino]).encode() + b'\\n')
end.recv(1)
"""


def test_descriptors_come_back(tmp_path: Path) -> None:
    child = Tapped(tmp_path / "a.ctap", [sys.executable, "-I", "-c", _GIVES])
    data, ancillary, _flags, _address = child.end.recvmsg(100, 100)
    [number] = unpacked(ancillary)
    with socket.socket(fileno=number) as got:
        assert (data, got.getsockname()[0]) == (b"here", "127.0.0.1")
    assert child.finish() == 0


_GIVES = """
import array, os, socket
end = socket.socket(fileno=int(os.environ['NODE_CHANNEL_FD']))
with socket.create_server(('127.0.0.1', 0)) as server:
    end.sendmsg([b'here'], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array('i', [server.fileno()]))])
end.recv(1)
"""


def test_a_slow_reader_slows_the_writer_and_loses_nothing(tmp_path: Path) -> None:
    child = Tapped(tmp_path / "a.ctap", [sys.executable, "-I", "-c", _SLOW])
    total = 8 << 20
    sender = threading.Thread(target=child.end.sendall, args=(b"x" * total,))
    sender.start()
    time.sleep(0.5)
    assert sender.is_alive()
    # The two ways do not hold up each other.
    assert child.end.recv(2) == b"up"
    child.process.send_signal(signal.SIGUSR1)
    sender.join(20)
    child.end.shutdown(socket.SHUT_WR)
    assert int(child.line()) == total
    assert child.finish() == 0
    assert len(stream(whole(tmp_path / "a.ctap"), DOWN)) == total


_SLOW = """
import os, signal, socket
signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGUSR1])
end = socket.socket(fileno=int(os.environ['NODE_CHANNEL_FD']))
end.sendall(b'up')
signal.sigwait([signal.SIGUSR1])
total = 0
while data := end.recv(65536):
    total += len(data)
end.sendall(b'%d\\n' % total)
"""


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_a_child_that_is_killed_ends_the_channel_and_its_signal_is_seen(tmp_path: Path, number: int) -> None:
    child = Tapped(tmp_path / "a.ctap", script(tmp_path, ECHO))
    child.end.sendall(b"1\n")
    child.line()
    os.killpg(child.process.pid, number)
    assert child.end.recv(1) == b""
    assert child.finish() == -number
    assert [entry.end for entry in whole(tmp_path / "a.ctap").entries if entry.way == UP][-1] == "closed"


def test_the_last_words_of_a_child_arrive_before_the_end(tmp_path: Path) -> None:
    text = "process.send('x'.repeat(300000), () => process.exit(7));"
    child = Tapped(tmp_path / "a.ctap", script(tmp_path, text))
    assert child.line() == "x" * 300000
    assert child.end.recv(1) == b""
    assert child.finish() == 7


def test_a_half_close_stays_one(tmp_path: Path) -> None:
    child = Tapped(tmp_path / "a.ctap", [sys.executable, "-I", "-c", _HALF])
    assert child.end.recv(10) == b""
    child.end.sendall(b"still")
    child.process.wait(20)
    assert child.finish() == 5
    ends = [(entry.way, entry.end) for entry in whole(tmp_path / "a.ctap").entries if entry.end]
    assert ends[0] == (UP, "half-closed")


_HALF = """
import os, socket, sys
end = socket.socket(fileno=int(os.environ['NODE_CHANNEL_FD']))
end.shutdown(socket.SHUT_WR)
sys.exit(len(end.recv(10)))
"""


def test_writes_to_a_child_that_is_gone_fail(tmp_path: Path) -> None:
    child = Tapped(tmp_path / "a.ctap", [sys.executable, "-c", ""])
    assert child.end.recv(1) == b""
    with pytest.raises(BrokenPipeError):
        child.end.sendall(b"x")
    assert child.finish() == 0


def test_an_answer_to_the_last_bytes_of_a_child_is_written() -> None:
    parent, outer = socket.socketpair()
    inner, child = socket.socketpair()
    entries: list[Entry] = []
    relay = Relay(outer, inner, lambda: 0)
    thread = threading.Thread(target=relay.run, args=(entries.append,))
    with parent:
        child.sendall(b"1\n")
        child.close()
        thread.start()
        while not any(entry.end for entry in entries):
            time.sleep(0.001)
        assert parent.recv(10) == b"1\n"
        parent.sendall(b"answer")
        thread.join(20)
        relay.close()
        assert parent.recv(10) == b""
        with pytest.raises(BrokenPipeError):
            parent.sendall(b"late")
    assert [entry.data for entry in entries if not entry.end] == [b"1\n"]


@pytest.mark.parametrize("with_handle", [False, True])
@pytest.mark.parametrize("way", [DOWN, UP])
def test_a_death_at_any_byte_passes_the_bytes_before_it_and_then_the_end(way: str, with_handle: bool) -> None:
    frame = b'{"cmd":"NODE_HANDLE","type":"net.Socket","msg":1}\n'
    for size in range(len(frame) + 1):
        parent, outer = socket.socketpair()
        inner, child = socket.socketpair()
        entries: list[Entry] = []
        relay = Relay(outer, inner, lambda: 0)
        thread = threading.Thread(target=relay.run, args=(entries.append,))
        thread.start()
        writer, reader = (parent, child) if way == DOWN else (child, parent)
        reader.settimeout(20)
        if with_handle and size:
            socket.send_fds(writer, [frame[:size]], [writer.fileno()])
        else:
            writer.sendall(frame[:size])
        writer.close()
        data, descriptors, _flags, _address = socket.recv_fds(reader, 100, 4)
        for one in descriptors:
            os.close(one)
        assert (data, len(descriptors)) == (frame[:size], int(with_handle and size > 0))
        assert not size or reader.recv(1) == b""
        reader.close()
        thread.join(20)
        relay.close()
        assert b"".join(entry.data for entry in entries if entry.way == way) == frame[:size]
        assert [entry.end for entry in entries if entry.way == way and entry.end] == ["closed"]


@pytest.mark.parametrize("mode", ["json", "advanced"])
def test_a_command_that_becomes_another_one_keeps_its_channel(tmp_path: Path, mode: str) -> None:
    launcher = f"import os, sys; end = int(os.environ['{FD}']); os.write(end, {FRAMES[mode]!r}); os.execvp(sys.argv[1], sys.argv[1:])"
    command = [
        sys.executable,
        "-c",
        launcher,
        *script(tmp_path, "process.send('x', () => process.exit(process.pid % 100));"),
    ]
    child = Tapped(tmp_path / "a.ctap", command, mode=mode)
    data = b""
    while more := child.end.recv(1000):
        data += more
    assert data.startswith(FRAMES[mode])
    assert data != FRAMES[mode]
    assert child.finish() == child.process.pid % 100
    assert stream(whole(tmp_path / "a.ctap"), UP) == data


FRAMES = {"json": b"1\n", "advanced": b"\0\0\0\x03\xff\x0d0"}


def test_parts_of_a_channel_in_use_are_limited_and_lose_nothing_on_the_way(tmp_path: Path) -> None:
    child = Tapped(tmp_path / "a.ctap", script(tmp_path, ECHO), "--limit", "4k", "--keep", "3")
    for number in range(60):
        child.end.sendall(b'{"n":%d,"text":"%s"}\n' % (number, b"x" * 300))
        assert child.line()["echo"]["n"] == number
    assert child.finish() == 0
    parts = sorted(tmp_path.glob("*.ctap"))
    assert len(parts) == 3
    assert all(part.stat().st_size < 4096 + 1000 for part in parts)
    assert b'"n":0,' in stream(read(tmp_path / "a.ctap"), DOWN)


def test_without_a_channel_the_command_runs_and_the_tap_says_so(tmp_path: Path) -> None:
    env = {name: value for name, value in os.environ.items() if name != "NODE_CHANNEL_FD"}
    done = subprocess.run(
        [*TAP, "-o", str(tmp_path / "a.ctap"), "--", "sh", "-c", "echo out; exit 3"],
        env=env,
        capture_output=True,
        text=True,
        check=False,
        timeout=20,
        process_group=0,
    )
    assert (done.returncode, done.stdout) == (3, "out\n")
    assert "NODE_CHANNEL_FD is not set" in done.stderr


def test_a_number_that_names_no_socket_is_in_the_recording(tmp_path: Path) -> None:
    done = subprocess.run(
        [*TAP, "-o", str(tmp_path / "a.ctap"), "--", "true"],
        env={**os.environ, "NODE_CHANNEL_FD": "97"},
        capture_output=True,
        text=True,
        check=False,
        timeout=20,
        process_group=0,
    )
    assert done.returncode == 0
    assert "names no open socket" in done.stderr
    assert read(tmp_path / "a.ctap").header["socket"] is None


def test_where_the_recording_cannot_be_made_the_program_runs_without_a_tap(tmp_path: Path) -> None:
    child = Tapped(tmp_path / "absent" / "a.ctap", script(tmp_path, ECHO))
    child.end.sendall(b"1\n")
    assert child.line()["echo"] == 1
    assert child.finish() == 0


def test_a_full_disk_ends_the_recording_and_nothing_else(tmp_path: Path) -> None:
    # The limit of the size of files stands for a full disk; Node writes to no file.
    limited = ["sh", "-c", 'ulimit -f 8; exec "$@"', "sh", *TAP, "-o", str(tmp_path / "a.ctap"), "--"]
    parent, end = socket.socketpair()
    with parent, end:
        parent.settimeout(20)
        process = subprocess.Popen(
            [*limited, *script(tmp_path, ECHO)],
            env={**os.environ, "NODE_CHANNEL_FD": str(end.fileno())},
            pass_fds=[end.fileno()],
            process_group=0,
        )
        end.close()
        text = json.dumps("x" * 500).encode() + b"\n"
        for _ in range(20):
            parent.sendall(text)
            data = b""
            while not data.endswith(b"\n"):
                data += parent.recv(65536)
            assert len(json.loads(data)["echo"]) == 500
        parent.close()
        assert process.wait(20) == 0
    assert (tmp_path / "a.ctap").stat().st_size <= 8 * 1024
    assert read(tmp_path / "a.ctap").entries


def test_a_relay_that_dies_ends_the_channel_for_both(tmp_path: Path) -> None:
    child = Tapped(
        tmp_path / "a.ctap", script(tmp_path, ECHO + "process.on('disconnect', () => process.exit(9));")
    )
    child.end.sendall(b"1\n")
    child.line()
    relay = _relay_of(tmp_path / "a.ctap")
    os.kill(relay, signal.SIGTERM)
    child.end.sendall(b"2\n")
    assert child.line()["echo"] == 2
    os.kill(relay, signal.SIGKILL)
    assert child.end.recv(1) == b""
    assert child.finish() == 9


def _relay_of(path: Path) -> int:
    """The process that has the recording open."""
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            try:
                if any(link.readlink() == path for link in (folder / "fd").iterdir()):
                    return int(folder.name)
            except OSError:
                continue
    raise AssertionError(path)


def test_the_relay_ends_with_the_channel(tmp_path: Path) -> None:
    child = Tapped(tmp_path / "a.ctap", script(tmp_path, ECHO))
    child.end.sendall(b"1\n")
    child.line()
    relay = _relay_of(tmp_path / "a.ctap")
    assert child.finish() == 0
    wait_until_gone(relay)


def test_a_command_that_is_missing_has_the_status_of_a_shell(tmp_path: Path) -> None:
    child = Tapped(tmp_path / "a.ctap", ["no-such-program"])
    assert child.finish() == 127


@pytest.mark.parametrize("mode", ["json", "advanced"])
def test_redaction_keeps_lengths_and_names_and_drops_contents(tmp_path: Path, mode: str) -> None:
    send = "process.send({ secretly: 'my password', n: [123456], u: '\\u20acuro' });"
    child = Tapped(tmp_path / "a.ctap", script(tmp_path, send), "--redact", mode=mode)
    plain = Tapped(tmp_path / "b.ctap", script(tmp_path, send), mode=mode)
    for one in (child, plain):
        assert one.end.recv(1000)
        assert one.finish() == 0
    redacted, original = (stream(whole(tmp_path / name), UP) for name in ("a.ctap", "b.ctap"))
    assert len(redacted) == len(original)
    assert b"secretly" in redacted
    for secret in (b"password", b"uro", b"123456", b"u\0r\0o\0", bytes.fromhex("8089 0f")):
        assert secret not in redacted
    assert b"password" in original


def test_parts_are_limited_and_the_first_stays(tmp_path: Path) -> None:
    writer = Writer(
        tmp_path / "a.ctap", {"command": ["true"], "mode": None, "number": []}, limit=1000, keep=3
    )
    for number in range(100):
        writer.add(Entry(number, DOWN, b"%099d\n" % number))
    writer.close()
    parts = sorted(tmp_path.glob("*.ctap"))
    assert len(parts) == 3
    assert all(part.stat().st_size <= 1300 for part in parts)
    first, *_, last = sorted((read(part) for part in parts), key=lambda one: one.header.get("part", 1))
    assert first.entries[0].data.strip(b"0\n") == b""
    assert int(last.entries[-1].data) == 99
    assert last.header["offsets"]["down"] == int(last.entries[0].data) * 100


def test_a_recording_is_readable_at_every_length(tmp_path: Path) -> None:
    writer = Writer(tmp_path / "a.ctap", {"command": ["true"], "mode": None, "number": []})
    for number in range(3):
        writer.add(Entry(number, UP, b"some\nbytes\n", ({"kind": "other"},) * (number % 2)))
    writer.close()
    data = (tmp_path / "a.ctap").read_bytes()
    complete = read(tmp_path / "a.ctap").entries
    header = data.index(b"\n") + 1
    cut = tmp_path / "cut.ctap"
    for size in range(header, len(data)):
        cut.write_bytes(data[:size])
        found = read(cut)
        assert found.entries == complete[: len(found.entries)]
        assert len(found.entries) < 3
    cut.write_bytes(data[: header - 1][:-1])
    with pytest.raises(UsageError):
        read(cut)


def test_an_existing_recording_is_kept(tmp_path: Path) -> None:
    (tmp_path / "a.ctap").write_text("mine")
    child = Tapped(tmp_path / "a.ctap", ["true"])
    assert child.finish() == 0
    assert (tmp_path / "a.ctap").read_text() == "mine"
    assert read(tmp_path / "a-2.ctap").header["command"] == ["true"]
