"""Ownership: closed once, handed on once, never forgotten."""

from __future__ import annotations

import os
import select
import socket
import subprocess
import sys
from collections import deque

import pytest

from nodechannel._transport.owned import (
    OwnedFd,
    OwnedFile,
    make_nonblocking,
    own_all,
    socket_of_copy,
    watch_process,
)
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


def test_descriptors_become_owners_in_their_order():
    fds = [a_descriptor() for _ in range(3)]
    owners: list[OwnedFd] = []
    own_all(deque(fds), owners)
    assert [owner.fileno() for owner in owners] == fds
    for owner in owners:
        owner.close()


def test_an_interrupted_move_is_ended_by_the_next_call():
    fds, owners = deque([a_descriptor(), a_descriptor()]), [OwnedFd(-1)]
    own_all(fds, owners)
    assert [len(fds), [owner.closed for owner in owners]] == [0, [False, False]]
    for owner in owners:
        owner.close()


def test_a_duplicate_has_an_owner_of_its_own():
    first = OwnedFd(a_descriptor())
    second = OwnedFd.copy(first.fileno())
    assert not os.get_inheritable(second.fileno())
    assert os.path.sameopenfile(first.fileno(), second.fileno())
    first.close()
    assert is_open(second.fileno())
    second.close()


def test_both_ends_of_a_pipe_do_not_block():
    read, write = OwnedFd.pipe()
    with pytest.raises(BlockingIOError):
        os.read(read.fileno(), 1)
    os.write(write.fileno(), b"x")
    assert os.read(read.fileno(), 2) == b"x"
    read.close()
    write.close()


def test_the_end_of_a_process_can_be_watched():
    process = subprocess.Popen([sys.executable, "-S", "-c", "input()"], stdin=subprocess.PIPE)
    owner = watch_process(process.pid)
    assert select.select([owner.fileno()], [], [], 0)[0] == []
    process.communicate(b"\n")
    assert select.select([owner.fileno()], [], [], 20)[0] == [owner.fileno()]
    owner.close()


def test_where_the_system_has_no_such_descriptors_that_is_an_error(monkeypatch):
    monkeypatch.delattr(os, "pidfd_open")  # as on macOS
    with pytest.raises(OSError, match="no descriptors of processes"):
        watch_process(os.getpid())


def test_a_socket_of_a_copy_leaves_the_descriptor_alone():
    one, other = socket.socketpair()
    copy = socket_of_copy(one.fileno())
    assert (copy.family, copy.type) == (socket.AF_UNIX, socket.SOCK_STREAM)
    copy.close()
    one.sendall(b"x")
    assert other.recv(2) == b"x"
    make_nonblocking(one.fileno())
    assert not os.get_blocking(one.fileno())
    one.close()
    other.close()


def test_a_file_gives_no_socket_and_leaves_no_descriptor(tmp_path):
    with (tmp_path / "f").open("w") as file, pytest.raises(OSError, match="non-socket"):
        socket_of_copy(file.fileno())


def test_an_exception_that_ends_init_does_not_break_del():
    OwnedFd.__new__(OwnedFd).__del__()


def test_a_file_has_an_owner_too(tmp_path):
    fd = os.open(tmp_path / "file", os.O_CREAT | os.O_WRONLY)
    OwnedFile(fd).close()
    assert not is_open(fd)
