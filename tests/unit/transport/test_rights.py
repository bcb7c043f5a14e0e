"""Control messages with descriptors, as the system writes and reads them."""

from __future__ import annotations

import array
import os
import socket

import pytest

from nodechannel._transport import rights
from nodechannel._transport.owned import OwnedFd
from nodechannel._transport.rights import descriptors_in, pack_rights


@pytest.fixture
def owner():
    read, write = os.pipe()
    os.close(write)
    made = OwnedFd(read)
    yield made
    made.close()


@pytest.mark.rule("HND-004")
def test_a_control_message_passes_one_descriptor(owner):
    one, other = socket.socketpair()
    with one, other:
        one.sendmsg([b"x"], pack_rights(owner))
        _, ancillary, flags, _ = other.recvmsg(10, rights.ANCILLARY_SIZE)
    (found,) = descriptors_in(ancillary)
    assert flags & rights.TRUNCATED == 0
    assert os.path.sameopenfile(found, owner.fileno())
    os.close(found)


def test_they_are_found_in_order_and_without_what_is_cut_or_foreign():
    raw = array.array("i", [7, 9, 8]).tobytes()
    messages = [(socket.SOL_SOCKET, 99, b"other"), (socket.SOL_SOCKET, socket.SCM_RIGHTS, raw + b"\0")]
    assert descriptors_in(messages) == [7, 9, 8]
    assert descriptors_in([]) == []


def test_where_the_system_does_not_mark_them_they_are_marked_here(owner, monkeypatch):
    os.set_inheritable(owner.fileno(), True)
    data = array.array("i", [owner.fileno()]).tobytes()
    monkeypatch.setattr(rights, "_MARK_CLOEXEC", True)  # as on macOS
    assert descriptors_in([(socket.SOL_SOCKET, socket.SCM_RIGHTS, data)]) == [owner.fileno()]
    assert not os.get_inheritable(owner.fileno())
