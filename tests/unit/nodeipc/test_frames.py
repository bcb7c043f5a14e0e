"""Frames of `node-ipc`: cuts, limits, bad frames, and bytes without frames."""

from __future__ import annotations

import math
import time

import pytest

from nodechannel import errors
from nodechannel._nodeipc.event import Event
from nodechannel._nodeipc.frames import Frames, RawFrames, frames_of
from support.nodeipc import BAD, frame

STREAM = frame("a", 1) + frame("é", {"b": [None]}) + frame("c", "x" * 50)
FOUND = [Event("a", 1), Event("é", {"b": [None]}), Event("c", "x" * 50)]


@pytest.mark.rule("NIP-001", "NIP-002", "NIP-003")
def test_the_bytes_of_an_event():
    assert Frames({}).frame("a", "é\f") == b'{"type":"a","data":"\xc3\xa9\\f"}\f'
    with pytest.raises(errors.InvalidMessage):
        Frames({"allow_nan": False}).frame("a", math.nan)


@pytest.mark.parametrize("size", [1, 2, 3, 7, len(STREAM)])
@pytest.mark.rule("NIP-010")
def test_any_cut_of_the_stream_means_the_same(size):
    frames = Frames({})
    pieces = [STREAM[at : at + size] for at in range(0, len(STREAM), size)]
    assert [event for piece in pieces for event in frames.feed(piece)] == FOUND
    assert frames.end() == []


@pytest.mark.rule("NIP-011", "NIP-012", "NIP-013")
def test_each_bad_frame_is_an_error_in_its_place():
    found = Frames({}).feed(BAD + frame("a", 1))
    assert found[-1] == Event("a", 1)
    assert len(found) == BAD.count(b"\f") + 1
    assert all(isinstance(event, errors.RemoteError) for event in found[:-1])


@pytest.mark.rule("NIP-014")
def test_the_frames_before_one_that_is_too_long_arrive():
    frames = Frames({"max_frame": 100})
    good, error = frames.feed(frame("a", 1) + b"x" * 101)
    assert (good, type(error)) == (Event("a", 1), errors.LineTooLong)
    assert frames.broken
    assert frames.feed(frame("a", 1)) == []


def test_a_frame_whose_end_never_came():
    frames = Frames({})
    assert frames.feed(b'{"type"') == []
    [error] = frames.end()
    assert isinstance(error, errors.TruncatedMessage)


def test_raw_bytes_have_no_frames():
    raw = frames_of({"raw": True})
    assert isinstance(raw, RawFrames)
    assert raw.feed(b"a\fb") == [Event("data", b"a\fb")]
    assert (raw.frame(bytearray(b"x"), None), raw.end()) == (b"x", [])
    for words in (("a", None), (b"x", 1)):
        with pytest.raises(errors.InvalidMessage, match="bytes alone"):
            raw.frame(*words)


def test_a_long_frame_in_small_pieces_costs_time_in_proportion():
    def cost(count: int) -> float:
        frames = Frames({})
        start = time.process_time()
        for _ in range(count):
            frames.feed(b"x" * 65536)
        return time.process_time() - start

    cost(16)
    assert min(cost(256) for _ in range(3)) < 4 * 8 * min(cost(32) for _ in range(3)) + 0.01
