"""The kit in the middle of a channel changes only the timing."""

from __future__ import annotations

import os
import socket
from typing import TYPE_CHECKING

import pytest

from channelkit.pairs.wire import Wire
from channelkit.wire.transcript import Transcript

if TYPE_CHECKING:
    from collections.abc import Iterator


class Middle:
    """A wire with both processes' ends, which the test plays."""

    def __init__(self) -> None:
        self.transcript = Transcript()
        self.parent, towards_parent = socket.socketpair()
        self.child, towards_child = socket.socketpair()
        for end in (self.parent, self.child):
            end.settimeout(5)
        self.wire = Wire(towards_parent, towards_child, self.transcript)

    def close(self) -> None:
        for one in (self.wire, self.parent, self.child):
            one.close()


@pytest.fixture
def middle() -> Iterator[Middle]:
    made = Middle()
    yield made
    made.close()


def descriptors_at(end: socket.socket) -> list[int]:
    """Reads single bytes until there are none; which of them brought a descriptor."""
    end.setblocking(False)
    found: list[int] = []
    place = 0
    while True:
        try:
            data, rights, _flags, _address = socket.recv_fds(end, 1, 8)
        except BlockingIOError:
            return found
        for descriptor in rights:
            os.close(descriptor)
            found.append(place)
        if not data:
            return found
        place += 1


def test_bytes_cross_in_the_pieces_that_were_read(middle: Middle) -> None:
    middle.parent.send(b"one\n")
    middle.wire.carry()
    middle.parent.send(b"two\n")
    middle.wire.carry()
    middle.child.send(b"back\n")
    middle.wire.carry()
    assert middle.child.recv(100) == b"one\ntwo\n"
    assert middle.parent.recv(100) == b"back\n"
    assert [(one["kind"], one["text"]) for one in middle.transcript.entries] == [
        ("down", "one\\n"),
        ("down", "two\\n"),
        ("up", "back\\n"),
    ]


@pytest.mark.parametrize("before", [[], [b"a"], [b"plain\n"], [b"x" * 3000, b"y" * 1234]])
def test_descriptors_leave_on_the_byte_on_which_they_came(middle: Middle, before: list[bytes]) -> None:
    for data in before:
        middle.child.send(data)
    socket.send_fds(middle.child, [b"with\n"], [0])
    middle.child.send(b"behind\n")
    socket.send_fds(middle.child, [b"two\n"], [0, 1])
    middle.wire.carry()
    first = sum(map(len, before))
    second = first + len(b"with\nbehind\n")
    assert descriptors_at(middle.parent) == [first, second, second]


def test_a_reader_that_does_not_read_stops_the_writer_and_nothing_is_lost(middle: Middle) -> None:
    text = bytes(range(256)) * 20000
    middle.parent.setblocking(False)
    sent = 0
    received = bytearray()
    filled = False
    while len(received) < len(text):
        try:
            sent += middle.parent.send(text[sent : sent + 100_000]) if sent < len(text) else 0
        except BlockingIOError:
            filled = True
        middle.wire.carry()
        if filled:
            received += middle.child.recv(50_000)
    assert bytes(received) == text


def test_half_an_end_is_half_an_end(middle: Middle) -> None:
    middle.parent.send(b"last")
    middle.parent.shutdown(socket.SHUT_WR)
    middle.wire.carry()
    assert middle.child.recv(100) == b"last"
    assert middle.child.recv(100) == b""
    middle.child.send(b"still there")
    middle.wire.carry()
    assert middle.parent.recv(100) == b"still there"


def test_whoever_closed_reads_no_more(middle: Middle) -> None:
    middle.child.send(b"last")
    middle.child.close()
    middle.wire.carry()
    assert middle.parent.recv(100) == b"last"
    assert middle.parent.recv(100) == b""
    with pytest.raises(BrokenPipeError):
        middle.parent.send(b"nobody reads this")


def test_what_nobody_wants_any_more_is_seen_all_the_same(middle: Middle) -> None:
    middle.parent.send(b"too late")
    middle.child.close()
    middle.wire.carry()
    assert "too late" in [one["text"] for one in middle.transcript.entries]
    assert middle.parent.recv(100) == b""
