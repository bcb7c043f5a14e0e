"""Adopting the channel from the environment: which values are refused, and that the variables are removed in every case."""

from __future__ import annotations

import fcntl
import os
import socket
import time
from pathlib import Path

import pytest

import nodechannel
from nodechannel import errors
from nodechannel._start.env import adopt


def environment(value: object, **more: str) -> dict[str, str]:
    return {"NODE_CHANNEL_FD": str(value), "OTHER": "stays", **more}


@pytest.fixture
def pair():
    ours, theirs = socket.socketpair()
    ours.set_inheritable(True)  # as exec leaves it
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


def test_a_pair_of_its_own_is_refused_and_the_error_names_the_way():
    ours, theirs = socket.socketpair()
    with theirs:
        with pytest.raises(errors.BadChannelFd, match=r"this process opened it .*: Channel\(socket\)"):
            adopt(environment(ours.fileno()))
        with nodechannel.Channel(ours) as channel:
            theirs.sendall(b"1\n")
            assert channel.receive(timeout=10).data == 1


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
            with pytest.raises(errors.BadChannelFd, match=r"not a socket but a (pipe|device)"):
                adopt(environment(fd))
            os.fstat(fd)  # still open: it was never ours
    os.close(read)
    os.close(write)


@pytest.mark.parametrize("kind", [socket.SOCK_DGRAM, socket.SOCK_SEQPACKET])
def test_sockets_without_a_stream(kind):
    ours, theirs = socket.socketpair(socket.AF_UNIX, kind)
    with ours, theirs, pytest.raises(errors.BadChannelFd, match="not a stream socket"):
        adopt(environment(ours.fileno()))


def test_sockets_of_other_families(pair):
    with (
        socket.create_server(("127.0.0.1", 0)) as server,
        socket.create_connection(server.getsockname()) as sock,
    ):
        sock.set_inheritable(True)
        with pytest.raises(
            errors.BadChannelFd, match=r"not a Unix socket .*connected to \('127.0.0.1'.*launcher"
        ):
            adopt(environment(sock.fileno()))
        assert sock.get_inheritable()


@pytest.mark.parametrize("address", ["named", "\0nodechannel-test"])
def test_a_connection_to_a_service_that_has_a_name(tmp_path, monkeypatch, address):
    monkeypatch.chdir(tmp_path)
    with socket.socket(socket.AF_UNIX) as server, socket.socket(socket.AF_UNIX) as client:
        server.bind(address)
        server.listen()
        client.connect(address)
        with server.accept()[0] as accepted:
            for sock in (client, accepted):
                sock.set_inheritable(True)
                with pytest.raises(errors.BadChannelFd, match="has a name"):
                    adopt(environment(sock.fileno()))


def test_a_pair_that_this_process_opened(pair):
    for opened in socket.socketpair():
        with opened, pytest.raises(errors.BadChannelFd, match="this process opened it"):
            adopt(environment(opened.fileno()))


def test_a_channel_that_another_living_process_has_adopted(pair):
    ours, _ = pair
    mine, other = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.close(other)
        try:
            adopt(environment(ours.fileno()))
            os.write(2, b"")
            os.read(mine, 1)  # until the parent is done
        finally:
            os._exit(0)
    os.close(mine)
    deadline = time.monotonic() + 20
    while fcntl.fcntl(ours, fcntl.F_GETOWN) != pid and time.monotonic() < deadline:
        time.sleep(0.01)
    with pytest.raises(errors.BadChannelFd, match=f"process {pid} has adopted the channel"):
        adopt(environment(ours.fileno()))
    os.close(other)
    os.waitpid(pid, 0)
    ours.set_inheritable(True)
    adopt(environment(ours.detach()))[0].close()  # its owner is gone


def test_sockets_without_a_peer():
    with socket.create_server(("127.0.0.1", 0)) as server, socket.socket() as fresh:
        for sock in (server, fresh):
            with pytest.raises(errors.BadChannelFd, match="not connected"):
                adopt(environment(sock.fileno()))


def test_a_serialization_that_is_not_spoken(pair):
    ours, _ = pair
    environ = environment(ours.fileno(), NODE_CHANNEL_SERIALIZATION_MODE="protobuf")
    with pytest.raises(
        errors.UnsupportedSerialization, match="'protobuf' is not supported: 'json' and 'advanced' are"
    ):
        adopt(environ)
    assert environ == {"OTHER": "stays"}
    assert not ours.get_inheritable()


def test_an_empty_serialization_means_json(pair):
    ours, _ = pair
    adopt(environment(ours.detach(), NODE_CHANNEL_SERIALIZATION_MODE=""))[0].close()
