"""Adopting the channel from the environment: what is refused, and what is cleaned up in every case."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest

from nodechannel import errors
from nodechannel._start.env import adopt


def environment(value: object, **more: str) -> dict[str, str]:
    return {"NODE_CHANNEL_FD": str(value), "OTHER": "stays", **more}


@pytest.fixture
def pair():
    ours, theirs = socket.socketpair()
    yield ours, theirs
    theirs.close()
    if ours.fileno() >= 0:
        ours.close()


@pytest.mark.rule("BOO-003")
def test_the_channel_is_taken_and_the_variables_are_removed(pair):
    ours, theirs = pair
    environ = environment(ours.fileno(), NODE_CHANNEL_SERIALIZATION_MODE="json")
    os.set_inheritable(ours.fileno(), True)
    with adopt(environ)[0] as sock:
        assert environ == {"OTHER": "stays"}
        assert sock.fileno() == ours.detach()
        assert not sock.get_inheritable()
        theirs.sendall(b"x")
        assert sock.recv(1) == b"x"


def test_a_peer_that_is_gone_already_is_no_obstacle(pair):
    ours, theirs = pair
    theirs.close()
    with adopt(environment(ours.detach()))[0] as sock:
        assert sock.recv(1) == b""


@pytest.mark.parametrize("environ", [{}, {"NODE_CHANNEL_FD": ""}])
def test_no_channel(environ):
    with pytest.raises(errors.NoChannel, match="NODE_CHANNEL_FD is not set"):
        adopt(environ)


@pytest.mark.parametrize("value", ["abc", "-1", " 3", "3x", "3.9", "0x3", "1e9", "٣", "9" * 30, str(2**31)])
def test_a_value_that_is_no_descriptor_number(value):
    environ = environment(value)
    with pytest.raises(errors.BadChannelFd, match="not a descriptor number"):
        adopt(environ)
    assert environ == {"OTHER": "stays"}


def test_a_closed_descriptor():
    read, write = os.pipe()
    os.close(read)
    os.close(write)
    environ = environment(read)
    with pytest.raises(errors.BadChannelFd, match="not open"):
        adopt(environ)
    assert environ == {"OTHER": "stays"}


def test_descriptors_that_are_no_sockets():
    read, write = os.pipe()
    with Path("/dev/null").open() as null:
        for fd in (read, write, null.fileno()):
            with pytest.raises(errors.BadChannelFd, match="not a socket"):
                adopt(environment(fd))
            os.fstat(fd)  # still open: it was never ours
    os.close(read)
    os.close(write)


@pytest.mark.parametrize("kind", [socket.SOCK_DGRAM, socket.SOCK_SEQPACKET])
def test_sockets_without_a_stream(kind):
    ours, theirs = socket.socketpair(socket.AF_UNIX, kind)
    with ours, theirs, pytest.raises(errors.BadChannelFd, match="not a stream socket"):
        adopt(environment(ours.fileno()))


def test_sockets_without_a_peer():
    with socket.create_server(("127.0.0.1", 0)) as server, socket.socket() as fresh:
        for sock in (server, fresh):
            with pytest.raises(errors.BadChannelFd, match="not connected"):
                adopt(environment(sock.fileno()))


def test_a_serialization_that_is_not_spoken(pair):
    ours, _ = pair
    environ = environment(ours.fileno(), NODE_CHANNEL_SERIALIZATION_MODE="advanced")
    with pytest.raises(errors.UnsupportedSerialization, match="advanced"):
        adopt(environ)
    assert environ == {"OTHER": "stays"}
    assert not ours.get_inheritable()


def test_an_empty_serialization_means_json(pair):
    ours, _ = pair
    adopt(environment(ours.detach(), NODE_CHANNEL_SERIALIZATION_MODE=""))[0].close()
