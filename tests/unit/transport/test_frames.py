"""The frames of a channel on Windows: headers cut anywhere, several frames in a read, a line over frames."""

from __future__ import annotations

import struct

import pytest

from nodechannel._transport.frames import (
    HAS_DATA,
    HAS_SOCKET,
    HEADER,
    IS_CONNECTION,
    SOCKET_INFO_SIZE,
    SOCKET_SIZE,
    FrameReader,
    framed,
)

SOCKET = bytes(range(256)) * 3
SOCKET = SOCKET[:SOCKET_INFO_SIZE]


def header(flags: int, length: int, first: int = 0, second: int = 0) -> bytes:
    return struct.pack("<IIII", flags, first, length, second)


def test_a_frame_is_its_header_and_its_data():
    assert framed(b'{"n":1}\n') == bytes.fromhex("01000000 00000000 08000000 00000000 7b226e223a317d0a")


@pytest.mark.parametrize(("connection", "flags"), [(False, 3), (True, 7)])
def test_a_socket_stands_between_the_header_and_the_data(connection, flags):
    frame = framed(b"x\n", SOCKET, connection=connection)
    assert frame[:16] == header(flags, 2)
    assert frame[16:] == SOCKET + bytes(4) + b"x\n"
    assert (HAS_DATA | HAS_SOCKET, HAS_DATA | HAS_SOCKET | IS_CONNECTION) == (3, 7)


def test_frames_of_one_read_are_one_piece():
    assert FrameReader().feed(framed(b"1\n") + framed(b"2\n")) == [((), b"1\n2\n")]


def test_a_line_may_run_over_frames():
    reader = FrameReader()
    assert reader.feed(framed(b'{"a"')) + reader.feed(framed(b":1}\n")) == [((), b'{"a"'), ((), b":1}\n")]


@pytest.mark.parametrize("size", [1, 3, 15, 16, 17, 400, 1000])
def test_bytes_may_be_cut_anywhere(size):
    wire = (
        framed(b"1\n")
        + framed(b"2\n", SOCKET)
        + framed(b"3\n")
        + framed(b"4\n", SOCKET[::-1], connection=True)
    )
    reader = FrameReader()
    pieces = [piece for at in range(0, len(wire), size) for piece in reader.feed(wire[at : at + size])]
    assert b"".join(data for _, data in pieces) == b"1\n2\n3\n4\n"
    before = b""
    found = {}
    for sockets, data in pieces:
        for socket in sockets:
            found[before] = socket
        before += data
    assert found == {b"1\n": SOCKET, b"1\n2\n3\n": SOCKET[::-1]}
    assert not reader.broken


def test_data_are_passed_on_as_they_come():
    reader = FrameReader()
    assert reader.feed(header(HAS_DATA, 4) + b"ab") == [((), b"ab")]
    assert reader.feed(b"cd") == [((), b"cd")]


def test_a_socket_without_data_waits_for_the_next_data():
    reader = FrameReader()
    assert reader.feed(header(HAS_SOCKET | IS_CONNECTION, 0) + SOCKET + bytes(4)) == []
    assert reader.feed(framed(b"x\n")) == [((SOCKET,), b"x\n")]


@pytest.mark.parametrize("accepted", [header(0, 0), header(1, 0), header(1, 0, first=7)])
def test_a_header_that_announces_nothing_is_accepted(accepted):
    reader = FrameReader()
    assert reader.feed(accepted + framed(b"x\n")) == [((), b"x\n")]
    assert not reader.broken


@pytest.mark.parametrize(
    "refused",
    [header(0, 4), header(4, 0), header(5, 4), header(8, 0), header(9, 4), header(1, 4, second=1), b'{"n":1}\n{"n":2}\n'],
    ids=["a length without data", "4 without 2", "5", "8", "9", "second reserved word", "no header"],
)  # fmt: skip
def test_a_header_that_node_refuses_ends_the_stream(refused):
    reader = FrameReader()
    assert reader.feed(framed(b"x\n") + refused + framed(b"y\n")) == [((), b"x\n")]
    assert reader.broken
    assert reader.feed(framed(b"z\n")) == []


def test_the_sizes_are_those_of_the_system():
    assert (HEADER.size, SOCKET_INFO_SIZE, SOCKET_SIZE) == (16, 628, 632)
