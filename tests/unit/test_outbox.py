"""Gathering and partial writes."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from nodechannel.fd import OwnedFd
from nodechannel.outbox import MAX_BUFFERS, Outbox, Write


@given(st.lists(st.tuples(st.binary(min_size=1, max_size=20), st.booleans()), max_size=20), st.data())
def test_whatever_the_kernel_takes_the_stream_is_whole_and_each_descriptor_rides_once(frames, data):
    outbox = Outbox()
    stand_in = OwnedFd(-1)  # the outbox only passes it on
    for payload, has_fd in frames:
        outbox.push(Write(payload, stand_in if has_fd else None))
    written = b""
    riding = []
    done = []
    while outbox:
        buffers, fd = outbox.gather()
        offered = b"".join(buffers)
        assert offered
        count = data.draw(st.integers(1, len(offered)))
        if fd is not None:
            riding.append(len(written))
        written += offered[:count]
        done += outbox.advance(count)
        assert outbox.size == sum(len(payload) for payload, _ in frames) - len(written)
    assert written == b"".join(payload for payload, _ in frames)
    assert [write.data for write in done] == [payload for payload, _ in frames]
    starts = [sum(len(payload) for payload, _ in frames[:index]) for index in range(len(frames))]
    assert riding == [start for start, (_, has_fd) in zip(starts, frames, strict=True) if has_fd]


def test_one_call_takes_as_many_frames_as_the_kernel_allows():
    outbox = Outbox()
    for _ in range(MAX_BUFFERS + 5):
        outbox.push(Write(b"1\n"))
    assert len(outbox.gather()[0]) == MAX_BUFFERS
    outbox.advance(2 * MAX_BUFFERS)
    assert len(outbox.gather()[0]) == 5


def test_clearing_returns_what_was_not_completely_written():
    outbox = Outbox()
    for payload in (b"one\n", b"two\n"):
        outbox.push(Write(payload))
    outbox.advance(6)
    assert [write.data for write in outbox.clear()] == [b"two\n"]
    assert not outbox
    assert outbox.size == 0
