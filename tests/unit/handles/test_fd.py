"""Ownership: closed once, handed on once, never forgotten."""

from __future__ import annotations

import array
import os
import socket
from collections import deque

import pytest

from nodechannel._handles.fd import OwnedFd, descriptors_in, own_all, pack_rights
from nodechannel.errors import HandleTaken


def a_descriptor() -> int:
    read, write = os.pipe()
    os.close(write)
    return read


def is_open(fd: int) -> bool:
    try:
        os.fstat(fd)
    except OSError:
        return False
    return True


def test_it_is_closed_once():
    fd = a_descriptor()
    owned = OwnedFd(fd)
    owned.close()
    assert not is_open(fd)
    assert owned.closed
    again = a_descriptor()  # usually the same number: a second close would hit it
    owned.close()
    assert is_open(again)
    os.close(again)


def test_it_is_handed_on_once():
    owned = OwnedFd(a_descriptor())
    fd = owned.detach()
    for use in (owned.detach, owned.fileno):
        with pytest.raises(HandleTaken):
            use()
    owned.close()
    assert is_open(fd)
    os.close(fd)


def test_one_that_is_forgotten_is_closed_with_a_warning():
    fd = a_descriptor()
    owned = OwnedFd(fd)
    with pytest.warns(ResourceWarning, match="unclosed descriptor"):
        del owned
    assert not is_open(fd)


def test_packing_and_unpacking():
    fds = [OwnedFd(a_descriptor()) for _ in range(3)]
    ((level, kind, data),) = pack_rights(fds[0])
    assert (level, kind, bytes(data)) == (
        socket.SOL_SOCKET,
        socket.SCM_RIGHTS,
        array.array("i", [fds[0].fileno()]).tobytes(),
    )
    raw = array.array("i", [fd.detach() for fd in fds]).tobytes()
    found = descriptors_in(
        [(socket.SOL_SOCKET, socket.SCM_RIGHTS, raw + b"\0"), (socket.SOL_SOCKET, 99, b"other")]
    )
    assert array.array("i", found).tobytes() == raw
    unpacked: deque[OwnedFd] = deque()
    own_all(deque(found), unpacked)
    assert [fd.fileno() for fd in unpacked] == found
    for fd in unpacked:
        fd.close()


def test_an_exception_that_ends_init_does_not_break_del():
    OwnedFd.__new__(OwnedFd).__del__()
