"""The wire trace, at a real pair of sockets: readable lines, and a channel that does not notice."""

from __future__ import annotations

import logging
import os
import re
import socket
import warnings
from operator import call
from typing import TYPE_CHECKING

import pytest

from nodechannel._io.trace import LONGEST, File, TracedTransport, open_trace
from nodechannel._json.serialization import JsonSerialization
from nodechannel._transport.owned import OwnedFd
from nodechannel._transport.rights import descriptors_in, pack_rights
from nodechannel._transport.unix import UnixTransport

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from nodechannel._transport.seam import Received

LINE = re.compile(r"\d\d:\d\d:\d\d\.\d{6} (\d+) (fd \d+ .*)")


def owners(ancillary: Sequence[tuple[int, int, bytes]]) -> list[OwnedFd]:
    return [OwnedFd(fd) for fd in descriptors_in(ancillary)]


class Pair:
    """A traced transport, its peer, and the file of the trace."""

    def __init__(self, path: Path) -> None:
        plain, self.peer = socket.socketpair()
        self.path = path
        self.name = f"fd {plain.fileno()}"
        self.ours = open_trace(UnixTransport(plain), JsonSerialization(), str(path), None)

    def receive(self) -> Received:
        """Read once, as a channel does."""
        (received,) = map(call, self.ours.receive_now)
        return received

    def lines(self) -> list[str]:
        """Return the lines without time, process id and name, each of which is checked."""
        found = []
        for line in self.path.read_text().splitlines():
            match = LINE.fullmatch(line)
            assert match, line
            assert int(match[1]) == os.getpid()
            name, _, text = match[2].rpartition(self.name + " ")
            assert name == ""
            found.append(text)
        return found


@pytest.fixture
def pair(tmp_path: Path) -> Iterator[Pair]:
    made = Pair(tmp_path / "trace")
    yield made
    made.ours.close()
    made.peer.close()


def test_each_frame_is_a_line_in_both_directions(pair):
    pair.ours.send(b'{"a":1}\n{"b":2}\n')
    pair.peer.sendall(b'"c"\n"d"\n')
    pair.receive()
    assert pair.lines() == ['-> {"a":1}', '-> {"b":2}', '<- "c"', '<- "d"']


def test_a_frame_in_pieces_is_one_line_when_it_is_complete(pair):
    pair.ours.send(b'{"a":')
    pair.peer.sendall(b'"c')
    pair.receive()
    assert pair.lines() == []
    pair.ours.send(b"1}\n")
    pair.peer.sendall(b'"\n')
    pair.receive()
    assert pair.lines() == ['-> {"a":1}', '<- "c"']


def test_a_descriptor_stands_in_the_line_of_its_frame(pair):
    fd = OwnedFd.copy(0)
    pair.ours.send_with(*pair.ours.packed(b'{"h":1}\n', fd))
    pair.peer.sendmsg([b'"before"\n'])
    pair.peer.sendmsg([b'{"h"'], pack_rights(fd))
    fd_number = fd.fileno()
    _, ancillary, _, _ = pair.receive()
    arrived = owners(ancillary)
    # The kernel may give the message before it alone.
    while not arrived:
        arrived = owners(pair.receive()[1])
    pair.peer.sendall(b":2}\n")
    pair.receive()
    assert pair.lines() == [
        f'-> {{"h":1}} +fd {fd_number}',
        '<- "before"',
        f'<- {{"h":2}} +fd {arrived[0].fileno()}',
    ]
    for one in (fd, *arrived):
        one.close()


def test_what_the_kernel_did_not_take_is_not_shown(pair):
    frame = b'"' + b"x" * 1_000_000 + b'"\n'
    taken = pair.ours.send(frame, *pair.ours.at_once)
    assert taken < len(frame)
    assert pair.lines() == []
    with pytest.raises(BlockingIOError):
        pair.ours.send(frame[taken:], *pair.ours.at_once)
    assert pair.lines() == []


def test_a_long_frame_is_shown_by_its_ends(pair):
    pair.peer.sendall(b'"' + b"a" * 5000 + b'z"\n')
    pair.receive()
    (line,) = pair.lines()
    assert line.startswith('<- "aaaa')
    assert line.endswith('z" (5003 bytes)')
    assert len(line) < LONGEST + 40


@pytest.mark.parametrize(
    ("sent", "shown"),
    [
        (b"\x1b[31m", "\\x1b[31m"),
        (b"a\rb\x00", "a\\rb\\x00"),
        (b"\xff\xfe", "\\xff\\xfe"),
        ("é漢".encode(), "é漢"),
        ("\u202e".encode(), "\\u202e"),
        ("\u2028".encode(), "\\u2028"),
    ],
)
def test_bytes_that_cannot_be_read_are_escaped(pair, sent, shown):
    pair.ours.send(sent + b"\n")
    assert pair.lines() == [f"-> {shown}"]


def test_both_ends_of_a_channel_are_shown(pair):
    pair.peer.close()
    pair.receive()
    with pytest.raises(BrokenPipeError):
        pair.ours.send(b"1\n", *pair.ours.at_once)
    pair.ours.close()
    pair.ours.close()
    assert pair.lines() == ["<- end of the stream", "-> the connection is broken: Broken pipe", "-- closed"]


def test_a_peer_that_closes_without_reading_is_shown(pair):
    pair.ours.send(b"1\n")
    pair.peer.close()
    with pytest.raises(ConnectionResetError):
        pair.receive()
    assert pair.lines()[-1] == "<- the connection is broken: Connection reset by peer"


def test_the_descriptors_that_the_kernel_dropped_are_shown(tmp_path, monkeypatch):
    monkeypatch.setattr("nodechannel._transport.unix._READ_NOW", (65536, 0, int(socket.MSG_DONTWAIT)))
    pair = Pair(tmp_path / "trace")
    fd = OwnedFd.copy(0)
    pair.peer.sendmsg([b"1\n"], pack_rights(fd))
    pair.receive()
    for end in (fd, pair.ours, pair.peer):
        end.close()
    assert pair.lines()[:2] == ["<- the kernel dropped descriptors", "<- 1"]


def test_a_trace_is_appended_and_its_file_is_for_the_owner_alone(tmp_path):
    path = tmp_path / "trace"
    for _ in range(2):
        pair = Pair(path)
        pair.ours.close()
        pair.peer.close()
    assert len(path.read_text().splitlines()) == 2
    assert path.stat().st_mode & 0o777 == 0o600


def test_the_process_id_can_be_a_part_of_the_path(tmp_path):
    pair = Pair(tmp_path / "trace-%p")
    pair.ours.send(b"1\n")
    assert (tmp_path / f"trace-{os.getpid()}").exists()
    pair.ours.close()
    pair.peer.close()


def test_no_child_inherits_the_file(pair):
    (file,) = [int(fd.name) for fd in _descriptors() if str(fd.readlink()) == str(pair.path)]
    assert not os.get_inheritable(file)


def _descriptors() -> list[Path]:
    from contextlib import suppress
    from pathlib import Path

    found = []
    for entry in list(Path("/dev/fd").iterdir()):
        with suppress(OSError):
            entry.readlink()
            found.append(entry)
    return found


def test_the_lines_can_go_to_stderr(capfd):
    plain, peer = socket.socketpair()
    ours = open_trace(UnixTransport(plain), JsonSerialization(), "stderr", None)
    ours.send(b"1\n")
    ours.close()
    peer.close()
    assert [line.split(" ", 4)[-1] for line in capfd.readouterr().err.splitlines()] == ["-> 1", "-- closed"]


def test_the_lines_can_go_to_a_logger(caplog):
    plain, peer = socket.socketpair()
    caplog.set_level(logging.DEBUG, "nodechannel.wire")
    ours = open_trace(UnixTransport(plain), JsonSerialization(), "", logging.getLogger("nodechannel.wire"))
    ours.send(b"1\n")
    peer.close()
    ours.close()
    assert [record.getMessage().split(" ", 2)[2] for record in caplog.records] == ["-> 1", "-- closed"]


def test_a_path_that_cannot_be_written_is_a_warning(tmp_path):
    plain, peer = socket.socketpair()
    transport, absent = UnixTransport(plain), str(tmp_path / "absent" / "trace")
    with pytest.warns(RuntimeWarning, match="No such file or directory; the channel is not traced"):
        assert open_trace(transport, JsonSerialization(), absent, None) is transport
    plain.close()
    peer.close()


def broken_full(pair: Pair) -> None:
    full = OwnedFd(os.open("/dev/full", os.O_WRONLY | os.O_CLOEXEC))
    assert isinstance(pair.ours, TracedTransport)
    file = pair.ours._trace._sinks[0]
    assert isinstance(file, File)
    assert file._file is not None
    os.dup2(full.fileno(), file._file.fileno(), inheritable=False)
    full.close()


def broken_framer(pair: Pair) -> None:
    """A fault of our own."""
    assert isinstance(pair.ours, TracedTransport)
    pair.ours._trace._framers.clear()


@pytest.mark.parametrize("break_", [broken_full, broken_framer])
def test_a_trace_that_fails_warns_once_and_ends(pair: Pair, break_: Callable[[Pair], None]):
    break_(pair)
    with pytest.warns(RuntimeWarning, match="the wire trace ends") as caught:
        assert pair.ours.send(b"1\n2\n") == 4
    assert len(caught) == 1
    pair.peer.sendall(b"3\n")
    assert pair.receive()[0] == b"3\n"
    assert pair.lines() == []


def test_a_warning_that_is_an_error_does_not_reach_the_channel(pair, capsys):
    broken_full(pair)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert pair.ours.send(b"1\n") == 2
    assert capsys.readouterr().err == "nodechannel: the wire trace ends: [Errno 28] No space left on device\n"


def test_a_slow_reader_of_stderr_loses_lines_and_stops_nothing(monkeypatch):
    monkeypatch.setattr("nodechannel._io.trace._STDERR", (ends := os.pipe())[1])
    os.set_blocking(ends[1], False)
    plain, peer = socket.socketpair()
    ours = open_trace(UnixTransport(plain), JsonSerialization(), "stderr", None)
    for _ in range(2000):
        ours.send(b'"%s"\n' % (b"x" * 100))
        peer.recv(200)
    assert os.read(ends[0], 65536)
    while True:
        ours.send(b'"next"\n')
        peer.recv(200)
        if (text := os.read(ends[0], 65536)).rstrip().endswith(b"lines were lost)"):
            break
    assert re.search(rb'-> "next" \(\d+ lines were lost\)\n', text)
    ours.close()
    peer.close()
    for end in ends:
        os.close(end)


def test_a_stream_that_cannot_be_cut_into_frames_is_shown_as_such(tmp_path):
    class Short(JsonSerialization):
        def framer(self, max_size):
            return super().framer(3)

    plain, peer = socket.socketpair()
    path = tmp_path / "trace"
    ours = open_trace(UnixTransport(plain), Short(), str(path), None)
    ours.send(b'1\n"too long"\n')
    ours.send(b"2\n")
    ours.close()
    peer.close()
    texts = [line.split(" ", 4)[-1] for line in path.read_text().splitlines()]
    assert texts[0] == "-> 1"
    assert texts[1].startswith("-> not readable from here on: ")
    assert texts[2:] == ["-- closed"]
