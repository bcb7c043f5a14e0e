"""The kind of a descriptor, and whether it fits a type; all sockets are real."""

from __future__ import annotations

import socket
from contextlib import ExitStack
from typing import TYPE_CHECKING

import pytest

from nodechannel._handles.kinds import kind_of, misfit
from nodechannel._handles.types import HandleType
from nodechannel.errors import InvalidHandle

if TYPE_CHECKING:
    from pathlib import Path

LOOPBACK = {socket.AF_INET: "127.0.0.1", socket.AF_INET6: "::1"}
INET = [pytest.param(socket.AF_INET, id="4"), pytest.param(socket.AF_INET6, id="6")]
T = HandleType


class Sockets:
    """Makes sockets and closes them."""

    def __init__(self, stack: ExitStack, folder: Path) -> None:
        self._stack, self._folder = stack, folder

    def new(self, family: int, kind: int = socket.SOCK_STREAM) -> socket.socket:
        return self._stack.enter_context(socket.socket(family, kind))

    def bound(self, family: int, kind: int = socket.SOCK_STREAM) -> socket.socket:
        sock = self.new(family, kind)
        unix = family == socket.AF_UNIX
        sock.bind(str(self._folder / "s") if unix else (LOOPBACK[family], 0))  # type: ignore[index]
        return sock

    def listening(self, family: int) -> socket.socket:
        sock = self.bound(family)
        sock.listen()
        return sock

    def connected(self, family: int) -> tuple[socket.socket, socket.socket]:
        server, client = self.listening(family), self.new(family)
        client.connect(server.getsockname())
        return client, self._stack.enter_context(server.accept()[0])


@pytest.fixture
def sockets(tmp_path):
    with ExitStack() as stack:
        yield Sockets(stack, tmp_path)


FAMILIES = [*INET, pytest.param(socket.AF_UNIX, id="unix")]


@pytest.mark.parametrize("family", FAMILIES)
def test_a_stream_socket_is_what_it_does(sockets, family):
    client, accepted = sockets.connected(family)
    assert kind_of(client) == kind_of(accepted) == (T.NET_SOCKET, None)


@pytest.mark.parametrize("family", FAMILIES)
def test_a_listening_and_a_bound_one(sockets, family):
    bound = sockets.bound(family)
    assert kind_of(bound) == (T.NET_BOUND_SOCKET, None)
    bound.listen()
    assert kind_of(bound) == (T.NET_SERVER, None)


@pytest.mark.parametrize(("family", "name"), [(socket.AF_INET, "udp4"), (socket.AF_INET6, "udp6")])
def test_a_datagram_socket_is_one_bound_or_not(sockets, family, name):
    for sock in (sockets.new(family, socket.SOCK_DGRAM), sockets.bound(family, socket.SOCK_DGRAM)):
        assert kind_of(sock) == (T.DGRAM_SOCKET, name)


@pytest.mark.rule("HND-003")
@pytest.mark.parametrize(
    ("family", "kind", "reason"),
    [
        (socket.AF_UNIX, socket.SOCK_DGRAM, "SOCK_DGRAM and family AF_UNIX"),
        (socket.AF_UNIX, socket.SOCK_SEQPACKET, "SOCK_SEQPACKET"),
        (socket.AF_INET, socket.SOCK_STREAM, "neither listens nor is connected"),
    ],
)
def test_what_node_could_make_nothing_of_is_refused(sockets, family, kind, reason):
    with pytest.raises(InvalidHandle, match=reason):
        kind_of(sockets.new(family, kind))


def test_a_connection_whose_other_end_has_gone_still_fits(sockets):
    client, accepted = sockets.connected(socket.AF_INET)
    accepted.close()
    client.recv(1)
    client.close()
    client, accepted = sockets.connected(socket.AF_INET6)
    client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
    client.close()
    with pytest.raises(ConnectionResetError):
        accepted.recv(1)
    assert misfit(T.NET_SOCKET, None, accepted) is None


def test_each_socket_fits_its_own_type_and_few_others(sockets):
    listening, (connected, _) = sockets.listening(socket.AF_INET), sockets.connected(socket.AF_INET6)
    bound, datagrams = sockets.bound(socket.AF_INET), sockets.new(socket.AF_INET, socket.SOCK_DGRAM)
    fits = {
        name: {type_ for type_ in HandleType if misfit(type_, None, sock) is None}
        for name, sock in [("l", listening), ("c", connected), ("b", bound), ("d", datagrams)]
    }
    assert fits == {
        "l": {T.NET_SERVER, T.NET_NATIVE},
        "c": {T.NET_SOCKET, T.NET_NATIVE},
        # A server may start to listen, and a connection may have ended, on the way.
        "b": {T.NET_SERVER, T.NET_SOCKET, T.NET_NATIVE, T.NET_BOUND_SOCKET},
        "d": {T.DGRAM_SOCKET, T.DGRAM_NATIVE},
    }


def test_a_misfit_is_named(sockets):
    assert misfit(T.NET_SOCKET, None, sockets.listening(socket.AF_INET)) == "a listening socket"
    assert misfit(T.NET_SERVER, None, sockets.connected(socket.AF_INET6)[0]) == "a connected socket"
    datagrams = sockets.new(socket.AF_INET6, socket.SOCK_DGRAM)
    assert misfit(T.DGRAM_SOCKET, "udp6", datagrams) is None
    assert misfit(T.DGRAM_SOCKET, "udp4", datagrams) == "a socket of type SOCK_DGRAM and family AF_INET6"
    # A peer may send any word: it does not narrow the family.
    assert misfit(T.DGRAM_SOCKET, "udp5", datagrams) is None
