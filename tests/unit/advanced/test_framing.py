"""Frames come out whole, in order and once, however the stream was cut; a length is only a claim."""

from __future__ import annotations

import itertools
import tracemalloc

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nodechannel._advanced.framing import LONG, MAX_FRAME, MEDIUM, FrameFramer
from nodechannel.errors import FrameTooLong, SerializationMismatch


def framed(body: bytes) -> bytes:
    return len(body).to_bytes(4, "big") + body


BODIES = [b"\xff\x0d0", b"", b"\xff", b"\xff\x0d" + b"x" * 300, b"\xff\x0d_", b""]


@pytest.mark.rule("ADV-001")
def test_frames_in_one_read_come_in_order():
    framer = FrameFramer()
    assert framer.feed(b"".join(map(framed, BODIES))) == BODIES
    assert framer.buffered == 0


@pytest.mark.rule("ADV-050")
def test_the_stream_can_be_cut_anywhere():
    stream = b"".join(map(framed, [b"\xff\x0d0", b"", b"\xff\x0d\x22\x01a"]))
    for cuts in itertools.combinations(range(1, len(stream)), 2):
        framer = FrameFramer()
        pieces = [stream[start:end] for start, end in itertools.pairwise([0, *cuts, len(stream)])]
        found = [bytes(frame) for piece in pieces for frame in framer.feed(piece)]
        assert found == [b"\xff\x0d0", b"", b"\xff\x0d\x22\x01a"], cuts
        assert framer.error is None
        assert framer.buffered == 0


@given(
    st.lists(st.binary(max_size=40).map(lambda rest: b"\xff" + rest)),
    st.lists(st.integers(1, 50), min_size=1),
)
def test_any_frames_in_any_pieces(bodies: list[bytes], sizes: list[int]) -> None:
    stream = b"".join(map(framed, bodies))
    framer, found, at = FrameFramer(), [], 0
    for size in itertools.cycle(sizes):
        if at >= len(stream):
            break
        found += [bytes(frame) for frame in framer.feed(stream[at : at + size])]
        at += size
    assert found == bodies
    assert framer.buffered == 0


@pytest.mark.rule("ADV-060")
def test_a_length_takes_no_memory():
    framer = FrameFramer()
    tracemalloc.start()
    assert framer.feed(MAX_FRAME.to_bytes(4, "big") + b"\xff\x0d") == []
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 10_000
    assert framer.buffered == 6


@pytest.mark.rule("ADV-060")
@pytest.mark.parametrize(("arrived", "most"), [(100, 16), (1 << 16, 16), (1 << 20, 5), (1 << 24, 2)])
def test_the_buffer_of_a_long_frame_is_in_proportion_to_what_has_come(arrived, most):
    framer = FrameFramer()
    piece = bytes(min(arrived, 1 << 16))
    framer.feed(MAX_FRAME.to_bytes(4, "big") + b"\xff")
    tracemalloc.start()
    for _ in range(arrived // len(piece)):
        framer.feed(piece)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak <= most * arrived + 10_000
    assert framer.buffered == arrived + 5


@settings(max_examples=20, deadline=None)
@given(
    st.lists(st.integers(0, 200_000), min_size=1, max_size=4),
    st.lists(st.integers(5_000, 150_000), min_size=1, max_size=5),
)
def test_frames_are_whole_however_their_bytes_come_to_their_place(
    lengths: list[int], sizes: list[int]
) -> None:
    bodies = [b"\xff" + index.to_bytes(1, "big") * length for index, length in enumerate(lengths)]
    stream, framer, found, at = b"".join(map(framed, bodies)), FrameFramer(), [], 0
    for size in itertools.cycle(sizes):
        if at >= len(stream):
            break
        place = framer.places.place()
        if not isinstance(place, memoryview):
            piece = stream[at : at + size]
            found += framer.feed(piece)
        else:
            piece = stream[at : at + min(size, len(place))]
            place[: len(piece)] = piece
            kept = framer.checkpoint()
            lost = framer.places.filled(len(piece))
            framer.restore(kept)
            assert framer.places.filled(len(piece)) == lost
            found += lost
        at += len(piece)
    assert found == bodies
    assert framer.buffered == 0
    assert framer.places.place() is None


def test_the_next_frame_has_a_buffer_of_its_own():
    """However many bytes come at once."""
    framer, large = FrameFramer(), b"\xff" + bytes(5_000_000)
    for _ in range(2):
        assert framer.feed(framed(large)[:-1]) == []
        assert framer.feed(b"\0") == [large]


def test_a_place_that_is_still_held_does_not_keep_a_frame_from_growing():
    """The traceback of an interrupted read may hold it."""
    framer, body = FrameFramer(), b"\xff" + bytes(range(200)) * 30_000
    framer.feed(len(body).to_bytes(4, "big") + body[:70_000])
    held: list[memoryview] = []
    found: list[object] = []
    at = 70_000
    while not found:
        place = framer.places.place()
        if isinstance(place, memoryview):
            held.append(place)
        found = list(framer.feed(body[at : at + 100_000]))
        at += 100_000
    assert found == [body]
    assert len(held) > 10


@pytest.mark.parametrize(
    ("missing", "place"), [(LONG, memoryview), (LONG - 1, int), (MEDIUM, int), (MEDIUM - 1, type(None))]
)
def test_the_length_that_is_missing_decides_how_it_is_read(missing, place):
    framer = FrameFramer()
    assert framer.places.place() is None
    framer.feed((1 + missing).to_bytes(4, "big") + b"\xff")
    assert type(framer.places.place()) is place


@pytest.mark.rule("ADV-065")
@pytest.mark.parametrize("cut", [5, 9])
def test_a_frame_that_is_too_long_ends_the_stream(cut):
    framer = FrameFramer(max_frame=100)
    stream = framed(b"\xff\x0d0") + (101).to_bytes(4, "big") + b"\xff\x0d"
    frames = framer.feed(stream[: 7 + cut]) + framer.feed(stream[7 + cut :])
    assert frames == [b"\xff\x0d0"]
    assert isinstance(framer.error, FrameTooLong)
    assert framer.feed(framed(b"\xff\x0d0")) == []


def test_the_longest_frame_is_accepted():
    framer = FrameFramer(max_frame=100)
    assert framer.feed(framed(b"\xff" * 100)) == [b"\xff" * 100]


JSON_MESSAGES = [
    b"1\n",
    b'"a"\n',
    b"[]\n",
    b'{"a":1}\n',
    b"null\n",
    b"-1\n",
    b"true\n",
    b"  1\n",
    b'\t{"a":1}\n',
    b"\r\n1\n",
]


@pytest.mark.rule("ADV-070")
@pytest.mark.parametrize("line", JSON_MESSAGES, ids=repr)
def test_a_peer_that_speaks_json_is_recognised(line):
    framer = FrameFramer()
    assert framer.feed(line) == []
    if framer.error is None:  # white space begins the length of a frame that could come
        assert line[:1] in b"\t\r"
        framer.feed(line)
    assert isinstance(framer.error, SerializationMismatch)
    assert "'json'" in str(framer.error)


@pytest.mark.rule("ADV-070")
def test_one_byte_is_enough_to_recognise_json():
    framer = FrameFramer()
    framer.feed(b"{")
    assert isinstance(framer.error, SerializationMismatch)


@pytest.mark.rule("ADV-070")
@pytest.mark.parametrize("size", [1, 4, 5, 6, 99])
def test_a_frame_without_a_header_is_recognised_however_it_is_cut(size):
    framer = FrameFramer()
    stream = framed(b"\xff\x0d0") + b"\x00\x00\x01\x00hello"
    frames: list[object] = []
    for at in range(0, len(stream), size):
        frames += framer.feed(stream[at : at + size])
    assert frames == [b"\xff\x0d0"]
    assert isinstance(framer.error, SerializationMismatch)


def test_a_feed_that_was_cut_off_can_be_done_again():
    """A signal handler may raise anywhere in it."""
    stream = b"".join(map(framed, [b"\xff\x0d0", b"\xff" * 50, b"", b"\xff\x0dT"]))
    for first, second in itertools.combinations(range(1, len(stream)), 2):
        framer = FrameFramer()
        found = [bytes(frame) for frame in framer.feed(stream[:first])]
        kept = framer.checkpoint()
        lost = framer.feed(stream[first:second])
        views = [memoryview(frame) for frame in lost]
        framer.restore(kept)
        found += [bytes(frame) for frame in framer.feed(stream[first:])]
        assert found == [b"\xff\x0d0", b"\xff" * 50, b"", b"\xff\x0dT"]
        del views


def test_whole_returns_one_whole_frame_and_changes_nothing() -> None:
    frame = b"\0\0\0\2\xff\x0f"
    framer = FrameFramer()
    assert framer.whole(frame) == framer.feed(frame) == [b"\xff\x0f"]
    for more in (b"", frame[:3], frame[:5], frame * 2, b"\0\0\0\1[", b"\0\0\0\0"):
        assert framer.whole(more) == []
    assert FrameFramer(1).whole(frame) == []
    framer.feed(frame[:5])
    assert framer.whole(frame) == []
    assert framer.feed(frame[5:]) == [b"\xff\x0f"]
