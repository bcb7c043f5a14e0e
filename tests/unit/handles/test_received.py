"""A handle that arrived: claimed once, reported once, closed at the latest when no object holds it."""

from __future__ import annotations

import copy
import gc
import os
import pickle
import socket

import pytest

from nodechannel._handles.received import ReceivedHandle
from nodechannel._handles.types import HandleType
from nodechannel._transport.owned import OwnedFd
from nodechannel.errors import HandleMismatch, HandleTaken


@pytest.fixture
def ends():
    """A handle that tells of its end in a list, that list, and the far end of its socket."""
    ours, theirs = socket.socketpair()
    handle, told = ReceivedHandle(HandleType.NET_SOCKET, OwnedFd(ours.detach()), "k"), []
    handle.on_closed = lambda: told.append("closed")
    with theirs:
        theirs.settimeout(10)
        yield handle, told, theirs
    handle.close()


def test_it_is_claimed_once(ends):
    handle, told, theirs = ends
    with handle.socket() as sock:
        assert sock.gettimeout() == 0.0
        sock.send(b"x")
        assert theirs.recv(1) == b"x"
        for claim in (handle.socket, handle.detach, handle.fileno, lambda: handle._owner):
            with pytest.raises(HandleTaken):
                claim()
        assert told == []
    assert told == ["closed"]


def test_a_timeout_is_set_and_blocking_mode_is_refused(ends):
    handle, _, _ = ends
    with pytest.raises(ValueError, match="blocking mode"):
        handle.socket(timeout=None)
    with handle.socket(timeout=3.0) as sock:
        assert sock.gettimeout() == 3.0


def test_a_bare_descriptor_is_told_at_once(ends):
    handle, told, theirs = ends
    fd = handle.detach()
    assert told == ["closed"]
    os.write(fd, b"x")
    os.close(fd)
    assert theirs.recv(1) == b"x"


def test_closing_is_told_once(ends):
    handle, told, theirs = ends
    handle.close()
    handle.close()
    assert (told, theirs.recv(1)) == (["closed"], b"")


def test_a_socket_that_is_detached_is_counted_no_more(ends):
    handle, told, _ = ends
    sock = handle.socket()
    os.close(sock.detach())
    assert told == ["closed"]
    sock.close()
    assert told == ["closed"]


def test_a_file_made_of_the_socket_keeps_it_open(ends):
    handle, told, _ = ends
    sock = handle.socket(timeout=5.0)
    file = sock.makefile("rb")
    sock.close()
    assert told == []
    file.close()
    assert told == ["closed"]


def test_a_socket_that_is_forgotten_is_told(ends):
    handle, told, _ = ends
    sock = handle.socket()
    with pytest.warns(ResourceWarning):  # noqa: PT031 (the collector makes the warning)
        del sock
        gc.collect()
    assert told == ["closed"]


def test_a_handle_that_nobody_claims_is_closed_with_a_warning():
    ours, theirs = socket.socketpair()
    told: list[str] = []
    handle = ReceivedHandle(HandleType.NET_SOCKET, OwnedFd(ours.detach()))
    handle.on_closed = lambda: told.append("closed")
    with pytest.warns(ResourceWarning, match="unclosed descriptor"):  # noqa: PT031 (see above)
        del handle
        gc.collect()
    with theirs:
        assert theirs.recv(1) == b""
    assert told == ["closed"]


@pytest.mark.rule("HND-043")
def test_what_does_not_fit_its_type_is_closed(ends):
    handle, told, theirs = ends
    handle.type = HandleType.NET_SERVER
    with pytest.raises(HandleMismatch, match="a connected socket"):
        handle.socket()
    assert (told, theirs.recv(1)) == (["closed"], b"")


def test_a_descriptor_that_is_no_socket_is_closed():
    read, write = OwnedFd.pipe()
    told: list[str] = []
    handle = ReceivedHandle(HandleType.NET_SOCKET, read)
    handle.on_closed = lambda: told.append("closed")
    with pytest.raises(HandleMismatch, match="not a socket"):
        handle.socket()
    with pytest.raises(BrokenPipeError):
        os.write(write.fileno(), b"x")
    write.close()
    assert told == ["closed"]


def test_a_handle_that_is_given_up_leaves_its_descriptor_to_the_owner(ends):
    handle, told, theirs = ends
    owner = handle._owner
    handle._give_up()
    assert told == ["closed"]
    handle.close()
    os.write(owner.fileno(), b"x")
    owner.close()
    assert theirs.recv(2) == b"x"


def test_it_has_one_owner(ends):
    for duplicate in (copy.copy, copy.deepcopy, pickle.dumps):
        with pytest.raises(TypeError, match="one owner"):
            duplicate(ends[0])


def test_an_exception_that_ends_init_does_not_break_del():
    ReceivedHandle.__new__(ReceivedHandle).__del__()
