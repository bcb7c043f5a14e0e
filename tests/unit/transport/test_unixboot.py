"""New channels, and the question whether a descriptor is a channel."""

from __future__ import annotations

import os
import resource
import socket
import subprocess
import sys

import pytest

from nodechannel._transport.unixboot import adopter, claim, keep_from_exec, new_pair, unfit


@pytest.fixture
def pair():
    parent, child = new_pair()
    yield parent, child
    parent.close()
    os.close(child)


@pytest.mark.rule("BOO-011", "BOO-015", "BOO-016")
def test_a_new_pair_is_connected_and_closes_on_exec(pair):
    parent, child = pair
    assert not os.get_inheritable(child)
    assert not os.get_inheritable(parent.fileno())
    assert (parent.family, parent.type) == (socket.AF_UNIX, socket.SOCK_STREAM)
    os.write(child, b"x")
    assert parent.recv(2) == b"x"


def test_the_child_gets_the_lowest_number_that_is_free(pair):
    parent, child = new_pair()
    os.close(free := os.dup(pair[1]))  # the end that was copied had this number
    assert free < child
    assert all(os.fstat(number) for number in range(free + 1, child))
    parent.close()
    os.close(child)


def test_without_room_nothing_is_left_open(pair):
    os.close(free := os.dup(pair[1]))
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (free + 2, hard))
    try:
        with pytest.raises(OSError, match="Too many open files"):
            new_pair()
        os.close(os.dup(pair[1]))
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


@pytest.mark.rule("BOO-006")
def test_an_end_that_came_through_exec_is_fit(pair):
    os.set_inheritable(pair[1], True)
    assert unfit(pair[1]) is None
    keep_from_exec(pair[1])
    assert str(unfit(pair[1])).startswith("the socket did not come from the parent: this process opened it")


def named(tmp_path) -> socket.socket:
    server = socket.socket(socket.AF_UNIX)
    server.bind(str(tmp_path / "s"))
    server.listen()
    sock = socket.socket(socket.AF_UNIX)
    sock.connect(str(tmp_path / "s"))
    server.close()
    return sock


@pytest.mark.rule("BOO-006")
@pytest.mark.parametrize(
    ("make", "why"),
    [
        (lambda path: (path / "f").open("w"), "not a socket but a file"),
        (lambda path: path.open("rb") if path.is_file() else open("/dev/null", "rb"), "but a device"),  # noqa: PTH123, SIM115
        (lambda path: socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM), "not a stream socket"),
        (lambda path: socket.socket(socket.AF_UNIX), "not connected"),
        (named, "has a name"),
    ],
    ids=["file", "device", "datagrams", "not connected", "named"],
)
def test_what_a_parent_cannot_have_passed(tmp_path, make, why):
    with make(tmp_path) as thing:
        assert why in str(unfit(thing.fileno()))


@pytest.mark.rule("BOO-006")
def test_a_connection_over_tcp_is_none():
    with (
        socket.create_server(("127.0.0.1", 0)) as server,
        socket.create_connection(server.getsockname()) as sock,
    ):
        assert "not a Unix socket but one that is connected to ('127.0.0.1'" in str(unfit(sock.fileno()))


def test_a_number_that_is_not_open(pair):
    os.close(free := os.dup(pair[1]))
    assert unfit(free) == "the descriptor is not open"


def test_an_adopted_channel_tells_who_has_it():
    parent, child = new_pair()
    assert adopter(child) is None
    claimed = claim(child)
    assert adopter(child) is None, "the process that asks has it itself"
    program = f"from nodechannel._transport.unixboot import adopter; print(adopter({child}))"
    found = subprocess.run(
        [sys.executable, "-c", program], pass_fds=(child,), capture_output=True, text=True, check=False,
        timeout=30, process_group=0,
    )  # fmt: skip
    assert found.stdout == f"{os.getpid()}\n", found.stderr
    parent.close()
    claimed.close()


def test_a_process_that_has_ended_has_no_channel():
    parent, child = new_pair()
    program = f"from nodechannel._transport.unixboot import claim; claim({child}).detach()"
    subprocess.run(
        [sys.executable, "-c", program], pass_fds=(child,), check=True, timeout=30, process_group=0
    )
    assert adopter(child) is None
    parent.close()
    os.close(child)
