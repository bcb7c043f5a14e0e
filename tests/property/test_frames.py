"""Frames of Windows, made at random and cut at random, give their data and sockets back."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from nodechannel._transport.frames import HAS_SOCKET, HEADER, SOCKET_INFO_SIZE, FrameReader, framed

SOCKETS = st.binary(min_size=SOCKET_INFO_SIZE, max_size=SOCKET_INFO_SIZE)
FRAMES = st.lists(
    st.tuples(st.binary(max_size=40), st.none() | SOCKETS, st.booleans(), st.integers(0, 2**32 - 1)),
    max_size=6,
)


def wire_of(data: bytes, socket: bytes | None, connection: bool, reserved: int) -> bytes:
    """Return a frame as a peer writes it, with anything in the first reserved word."""
    frame = bytearray(framed(data, socket or b"", connection=connection))
    frame[4:8] = reserved.to_bytes(4, "little")
    return bytes(frame)


@given(FRAMES, st.lists(st.integers(1, 700), min_size=1, max_size=30))
def test_nothing_is_lost_at_any_cut(frames, cuts):
    wire = b"".join(wire_of(*frame) for frame in frames) + framed(b"end")
    reader = FrameReader()
    pieces: list[list[tuple[tuple[bytes, ...], bytes]]] = []
    while wire:
        size = cuts[len(pieces) % len(cuts)]
        pieces += [reader.feed(wire[:size])]
        wire = wire[size:]
    got = [piece for read in pieces for piece in read]
    assert not reader.broken
    assert b"".join(data for _, data in got) == b"".join(frame[0] for frame in frames) + b"end"
    # Each socket comes with the data behind it, or earlier sockets of frames without data before it.
    expected, place = [], 0
    for data, socket, _, _ in frames:
        if socket:
            expected.append((place, socket))
        place += len(data)
    found, place = [], 0
    for sockets, data in got:
        found += [(place, socket) for socket in sockets]
        place += len(data)
    assert found == expected


@given(st.binary(max_size=2000), st.integers(1, 100))
def test_any_bytes_are_read_or_end_the_stream(noise, size):
    reader = FrameReader()
    total = sum(
        len(data) for at in range(0, len(noise), size) for _, data in reader.feed(noise[at : at + size])
    )
    assert total <= len(noise)
    if len(noise) >= HEADER.size and HEADER.unpack_from(noise)[0] > 7:
        assert reader.broken
        assert total == 0
    assert HAS_SOCKET == 2
