"""Joining frames, partial writes, descriptors."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from nodechannel._core.delivery import WRITTEN_AT_ONCE, Delivery
from nodechannel._core.outbox import BLOCK_SIZE, Outbox, Write
from nodechannel._transport.owned import OwnedFd


def advance(outbox: Outbox, count: int) -> Write | None:
    """Let the kernel take bytes; return the write if that was the rest of it."""
    outbox.gather()
    outbox.taken = count
    complete = outbox.account()
    if complete is not None:
        outbox.drop()
    return complete


def handle_write(payload: bytes) -> Write:
    # The outbox only passes the descriptor on.
    return Write(payload, Delivery(), OwnedFd(-1), True)


@given(st.lists(st.tuples(st.binary(min_size=1, max_size=20), st.booleans()), max_size=20), st.data())
def test_whatever_the_kernel_takes_the_stream_is_whole_and_each_descriptor_rides_once(frames, data):
    outbox = Outbox()
    for payload, has_fd in frames:
        if has_fd:
            outbox.put(handle_write(payload))
        else:
            outbox.push(payload)
    written = b""
    riding = []
    done = []
    while outbox.size:
        offered, fd = outbox.gather()
        assert offered
        count = data.draw(st.integers(1, len(offered)))
        if fd is not None:
            riding.append(len(written))
        written += offered[:count]
        complete = advance(outbox, count)
        assert (complete is None) == (count < len(offered))
        if complete is not None:
            done.append(complete.data)
        assert outbox.size == sum(len(payload) for payload, _ in frames) - len(written)
    assert written == b"".join(done) == b"".join(payload for payload, _ in frames)
    starts = [sum(len(payload) for payload, _ in frames[:index]) for index in range(len(frames))]
    assert riding == [start for start, (_, has_fd) in zip(starts, frames, strict=True) if has_fd]


@given(st.lists(st.one_of(st.none(), st.binary(min_size=1, max_size=9)), max_size=20))
def test_taking_writes_one_by_one_keeps_their_order(frames):
    outbox = Outbox()
    for frame in frames:
        if frame is None:
            outbox.put(handle_write(b"h"))
        else:
            outbox.push(frame)
    taken = []
    while outbox.size:
        size = outbox.size
        taken.append(outbox.take())
        assert outbox.size == size - len(taken[-1].data)
    assert b"".join(write.data for write in taken) == b"".join(frame or b"h" for frame in frames)
    assert [write.fd is not None for write in taken].count(True) == frames.count(None)


def test_frames_that_leave_together_share_a_delivery_up_to_the_size_of_a_block():
    outbox = Outbox()
    frame = b"1\n" * 100
    deliveries: list[Delivery] = [outbox.push(frame) for _ in range(2 * BLOCK_SIZE // len(frame))]
    assert len(outbox.gather()[0]) <= BLOCK_SIZE
    assert 1 < len({id(delivery) for delivery in deliveries}) <= 4
    assert deliveries[0] is deliveries[1]


def test_no_frames_have_the_delivery_of_those_before_them():
    outbox = Outbox()
    assert outbox.push(b"") is WRITTEN_AT_ONCE
    delivery = outbox.push(b"frame")
    assert outbox.push(b"") is delivery
    assert outbox.size == len(b"frame")
    assert len(outbox.waiting) == 1


def test_a_frame_larger_than_a_block_leaves_alone_and_is_not_copied():
    outbox = Outbox()
    large = b"x" * BLOCK_SIZE + b"\n"
    small = outbox.push(b"1\n")
    assert outbox.push(large) is not small
    assert outbox.gather()[0] == b"1\n"
    advance(outbox, 2)
    assert outbox.gather()[0] is large


def test_clearing_returns_what_was_not_completely_written():
    outbox = Outbox()
    outbox.put(handle_write(b"one\n"))
    outbox.push(b"two\n")
    outbox.push(b"three\n")
    advance(outbox, 4)
    outbox.gather()
    advance(outbox, 2)
    (left,) = outbox.clear()
    left.join()
    assert left.data == b"two\nthree\n"
    assert not outbox.size
    assert outbox.size == 0
