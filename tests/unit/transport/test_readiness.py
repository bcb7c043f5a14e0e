"""The descriptor for selectors, on a real pair."""

from __future__ import annotations

import os
import select
import socket

import pytest

from nodechannel._transport.readiness import Readiness

pytestmark = pytest.mark.skipif(not hasattr(os, "eventfd"), reason="Linux alone has eventfd")


@pytest.fixture
def ours():
    ours, theirs = socket.socketpair()
    readiness = Readiness(ours.fileno())
    yield ours, theirs, readiness
    readiness.close()
    ours.close()
    theirs.close()


def is_ready(readiness: Readiness) -> bool:
    return bool(select.select([readiness], [], [], 0)[0])


def test_bytes_that_wait_make_it_readable(ours):
    sock, peer, readiness = ours
    assert not is_ready(readiness)
    peer.sendall(b"x")
    assert is_ready(readiness)
    sock.recv(10)
    assert not is_ready(readiness)


def test_messages_that_were_read_make_it_readable(ours):
    _, _, readiness = ours
    for _ in range(2):
        readiness.tell(True)
        readiness.tell(True)
        assert is_ready(readiness)
        readiness.tell(False)
        readiness.tell(False)
        assert not is_ready(readiness)


def test_once_closed_it_has_no_descriptor_and_hears_nothing(ours):
    _, _, readiness = ours
    readiness.close()
    readiness.close()
    readiness.tell(True)
    assert readiness.fileno() == -1
