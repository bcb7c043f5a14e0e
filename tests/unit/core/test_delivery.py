"""The questions that a sender can ask a delivery, and the state of its copies."""

from __future__ import annotations

import copy
import gc
import os
import pickle
import socket

import pytest

from nodechannel import Delivery, DeliveryState
from nodechannel._core.delivery import WRITTEN_AT_ONCE
from nodechannel._transport.owned import OwnedFd
from nodechannel.errors import HandleAbandoned, HandleTaken


def given_back() -> tuple[Delivery, int, socket.socket]:
    """Return a delivery whose socket came back, the number of its descriptor, and the far end."""
    ours, theirs = socket.socketpair()
    delivery, fd = Delivery(), ours.detach()
    delivery.state = DeliveryState.ABANDONED
    delivery._give_back(OwnedFd(fd))
    return delivery, fd, theirs


def test_a_new_one_is_queued():
    delivery = Delivery()
    assert delivery.state is DeliveryState.QUEUED
    assert (delivery.refusals, delivery.error) == (0, None)
    assert repr(delivery) == "<Delivery queued>"


def test_an_exception_that_ends_init_does_not_break_del():
    Delivery.__new__(Delivery).__del__()


def test_the_shared_one_is_written():
    assert WRITTEN_AT_ONCE.state is DeliveryState.WRITTEN
    assert repr(WRITTEN_AT_ONCE) == "<Delivery written>"


def test_a_refused_one_has_an_error_that_names_it():
    delivery = Delivery()
    delivery.refused = True
    assert isinstance(delivery.error, HandleAbandoned)
    assert delivery.error.delivery is delivery


@pytest.mark.parametrize(("timeout", "found"), [(None, 0.0), (0.0, 0.0), (3.0, 3.0)])
def test_a_socket_that_came_back_is_taken_once(timeout, found):
    delivery, fd, theirs = given_back()
    with theirs, delivery.take_back(timeout) as sock:
        assert (sock.fileno(), sock.gettimeout()) == (fd, found)
        theirs.sendall(b"x")
        assert sock.recv(1) == b"x"
        with pytest.raises(HandleTaken):
            delivery.take_back()


def test_there_is_nothing_to_take_back_from_most():
    with pytest.raises(HandleTaken):
        Delivery().take_back()


def test_a_socket_that_nobody_takes_back_is_closed_with_the_delivery():
    delivery, fd, theirs = given_back()
    del delivery
    gc.collect()
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.fstat(fd)
    with theirs:
        assert theirs.recv(1) == b""


@pytest.mark.parametrize("how", [copy.copy, copy.deepcopy, lambda one: pickle.loads(pickle.dumps(one))])
def test_a_copy_tells_how_far_it_has_come_and_equals_the_original(how):
    delivery = Delivery()
    delivery.state = DeliveryState.ABANDONED
    delivery.refusals, delivery.refused = 4, True
    same = how(how(delivery))
    assert (same.state, same.refusals, same.refused) == (DeliveryState.ABANDONED, 4, True)
    assert same == delivery
    assert hash(same) == hash(delivery)
    assert same != Delivery()
    assert same.error == delivery.error


@pytest.mark.parametrize("how", [copy.copy, copy.deepcopy, lambda one: pickle.loads(pickle.dumps(one))])
def test_a_copy_does_not_own_the_socket(how):
    delivery, _, theirs = given_back()
    same = how(delivery)
    with pytest.raises(HandleTaken):
        same.take_back()
    del same
    gc.collect()
    with theirs, delivery.take_back() as sock:
        theirs.sendall(b"x")
        assert sock.recv(1) == b"x"
