"""From a socket to its transport."""

from __future__ import annotations

import socket

import pytest

from nodechannel._transport.opening import open_transport
from nodechannel._transport.unix import UnixTransport
from nodechannel.errors import NotOnThisSystem


@pytest.fixture
def pair():
    ours, theirs = socket.socketpair()
    yield ours, theirs
    ours.close()
    theirs.close()


def test_where_there_are_no_such_sockets_the_error_names_the_remedy(monkeypatch):
    monkeypatch.setattr("nodechannel._transport.opening.WINDOWS", True)
    ours, theirs = socket.socketpair()
    with ours, theirs, pytest.raises(NotOnThisSystem, match=r"let connect\(\)"):
        open_transport(ours)


def test_a_socket_gives_the_end_at_a_unix_socket(pair):
    transport = open_transport(pair[0])
    assert isinstance(transport, UnixTransport)
    assert transport.fileno() == pair[0].fileno()
    transport.close()
    assert pair[0].fileno() == -1


def test_a_transport_stays_itself(pair):
    transport = UnixTransport(pair[0])
    assert open_transport(transport) is transport


@pytest.mark.parametrize("timeout", [0.0, 3.0])
def test_a_time_out_of_the_socket_does_not_hold(pair, timeout):
    pair[0].settimeout(timeout)
    transport = open_transport(pair[0])
    assert pair[0].gettimeout() is None
    assert transport.sleeps()


def test_an_object_around_a_socket_gives_its_descriptor_away(pair):
    class Green:
        """As eventlet's sockets: no subclass of the system's type."""

        def detach(self) -> int:
            number: int = pair[0].detach()
            return number

    number = pair[0].fileno()
    transport = open_transport(Green())
    assert transport.fileno() == number
    assert pair[0].fileno() == -1
    transport.close()
