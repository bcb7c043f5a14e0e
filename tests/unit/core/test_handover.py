"""A handle under way, and the frames that wait behind it."""

from __future__ import annotations

import os
import socket

import pytest

from nodechannel._core.delivery import Delivery, DeliveryState
from nodechannel._core.handover import MAX_RETRANSMISSIONS, HandOvers
from nodechannel._core.outbox import Outbox
from nodechannel._transport.owned import OwnedFd
from nodechannel.errors import HandleTaken


@pytest.fixture
def handovers():
    found = HandOvers(Outbox())
    yield found
    found.abandon_all()


def descriptor() -> OwnedFd:
    return OwnedFd.copy(0)


def send(handovers: HandOvers, frame: bytes = b"h", *, shared: bool = True) -> tuple[Delivery, OwnedFd]:
    fd = descriptor()
    return handovers.send(frame, fd, Delivery(), shared=shared), fd


def write_all(handovers: HandOvers) -> bytes:
    """Let the kernel take all bytes; return them."""
    outbox, found = handovers._outbox, b""
    while outbox.size:
        data, _ = outbox.gather()
        found += data
        outbox.taken = len(data)
        write = outbox.account()
        assert write is not None
        outbox.drop()
        write.delivery.state = DeliveryState.WRITTEN
        handovers.write_done(write)
    return found


@pytest.mark.rule("HND-017", "HND-020")
def test_a_second_handle_waits_for_the_acknowledgement_of_the_first(handovers):
    (one, first), (two, second) = send(handovers, b"1"), send(handovers, b"2")
    assert write_all(handovers) == b"1"
    assert (handovers.idle, handovers.waiting) == (False, 1)
    assert handovers.acknowledged()
    assert (one.state, first.closed) == (DeliveryState.ACKNOWLEDGED, True)
    assert (write_all(handovers), handovers.waiting) == (b"2", 0)
    assert handovers.acknowledged()
    assert (two.state, second.closed, handovers.idle) == (DeliveryState.ACKNOWLEDGED, True, True)


@pytest.mark.rule("HND-023")
def test_frames_behind_a_handle_leave_with_the_acknowledgement_up_to_the_next_handle(handovers):
    send(handovers, b"1")
    handovers.held.push(b"a")
    send(handovers, b"2")
    handovers.held.push(b"b")
    assert write_all(handovers) == b"1"
    handovers.acknowledged()
    assert write_all(handovers) == b"a2"
    assert handovers.held.size == 1
    handovers.acknowledged()
    assert write_all(handovers) == b"b"


@pytest.mark.rule("HND-051")
def test_an_answer_to_no_handle_is_none(handovers):
    assert not handovers.acknowledged()
    assert handovers.refused() is None
    delivery, _ = send(handovers)
    # The envelope is not written, so the peer cannot know it.
    assert not handovers.acknowledged()
    assert handovers.refused() is None
    assert (delivery.state, delivery.refusals) == (DeliveryState.QUEUED, 0)


@pytest.mark.rule("HND-015", "HND-016")
def test_a_refused_handle_is_written_again_and_given_up_at_last(handovers):
    delivery, fd = send(handovers, b"1")
    send(handovers, b"2")
    assert write_all(handovers) == b"1"
    for number in range(1, MAX_RETRANSMISSIONS + 1):
        assert handovers.refused() is delivery
        assert (delivery.refusals, delivery.refused) == (number, False)
        assert delivery.state is DeliveryState.QUEUED
        assert write_all(handovers) == b"1"
    assert handovers.refused() is delivery
    assert (delivery.state, delivery.refused, fd.closed) == (DeliveryState.ABANDONED, True, True)
    assert write_all(handovers) == b"2"


def test_a_connected_socket_that_was_given_up_comes_back(handovers):
    ours, theirs = socket.socketpair()
    delivery = handovers.send(b"1", OwnedFd(ours.detach()), Delivery(), shared=False)
    handovers.abandon_all()
    with theirs, delivery.take_back() as sock:
        sock.send(b"x")
        assert theirs.recv(1) == b"x"


@pytest.mark.rule("HND-025")
def test_the_end_abandons_the_handle_under_way_and_all_behind_it(handovers):
    found = [send(handovers) for _ in range(3)]
    plain = handovers.held.push(b"a")
    write_all(handovers)
    handovers.abandon_all()
    assert {delivery.state for delivery, _ in found} == {DeliveryState.ABANDONED}
    assert plain.state is DeliveryState.ABANDONED
    assert all(fd.closed for _, fd in found)
    assert (handovers.idle, handovers.waiting, handovers.held.size) == (True, 0, 0)
    with pytest.raises(HandleTaken):
        found[0][0].take_back()


def test_the_write_of_another_frame_does_not_count_as_the_handle(handovers):
    handovers._outbox.push(b"a")
    send(handovers, b"1")
    outbox = handovers._outbox
    outbox.gather()
    outbox.taken = 1
    handovers.write_done(outbox.account())
    outbox.drop()
    assert not handovers.acknowledged()


def test_a_checkpoint_brings_back_a_refusal_that_was_cut_off(handovers):
    delivery, _ = send(handovers, b"1")
    write_all(handovers)
    own, queue = handovers.checkpoint(), handovers._outbox.checkpoint()
    handovers.refused()
    handovers._outbox.restore(queue)
    handovers.restore(own)
    assert (delivery.refusals, handovers._outbox.size) == (0, 0)
    assert handovers.refused() is delivery
    assert (delivery.refusals, write_all(handovers)) == (1, b"1")


def test_a_checkpoint_brings_back_what_waited(handovers):
    checkpoint = handovers.checkpoint()
    _, first = send(handovers)
    _, second = send(handovers)
    handovers.restore(checkpoint)
    assert (handovers.idle, handovers.waiting, handovers.held.size) == (True, 0, 0)
    for fd in (first, second):
        os.fstat(fd.fileno())  # the owner decides its fate
        fd.close()
    handovers._outbox.clear()
