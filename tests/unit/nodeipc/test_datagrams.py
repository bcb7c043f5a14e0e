"""Events over UDP."""

from __future__ import annotations

import socket
from typing import Any

import pytest

from nodechannel import errors, nodeipc
from support.nodeipc import frame


@pytest.mark.rule("NIP-060", "NIP-061")
def test_a_datagram_holds_whole_frames_and_faults_end_nothing():
    with nodeipc.serve_udp(port=0, lifecycle=True) as server, socket.socket(type=socket.SOCK_DGRAM) as peer:
        peer.sendto(frame("a", {"id": "x"}) + b"stray\f" + frame("b", 2) + b'{"typ', server.address)
        found = [server.receive(timeout=20) for _ in range(4)]
        assert [event.type for event in found] == ["a", "error", "b", "error"]
        assert isinstance(found[3].data, errors.TruncatedMessage)
        assert [each.id for each in server.peers] == ["x"]
        found[0].peer.send("answer", 1)
        assert peer.recv(100) == frame("answer", 1).replace(b" ", b"")


def test_an_event_that_no_datagram_holds_is_refused():
    with nodeipc.serve_udp(port=0) as server:
        with pytest.raises(errors.InvalidMessage, match="65507"):
            server.send_to(server.address, "large", "x" * 65507)
        server.send_to(server.address, "large", "x" * 60000)
        assert len(server.receive(timeout=20).data) == 60000


def test_the_oldest_sender_makes_room():
    with (
        nodeipc.serve_udp(port=0, max_peers=1) as server,
        nodeipc.serve_udp(port=0) as first,
        nodeipc.serve_udp(port=0) as second,
    ):
        for sender in (first, second):
            sender.send_to(server.address, "a")
            server.receive(timeout=20)
        assert [peer.address for peer in server.peers] == [second.address]


def test_an_address_of_udp_that_is_none_is_refused_and_the_socket_lives_on():
    with nodeipc.serve_udp(port=0) as socket:
        places: list[Any] = [("localhost", 1), ("127.0.0.1", 65536), (None, 1)]
        for host, port in places:
            with pytest.raises(errors.InvalidAddress):
                socket.peer(host, port)
            with pytest.raises(errors.InvalidAddress):
                socket.send_to((host, port), "event")
        socket.send_to(socket.address, "event", 5)
        assert socket.receive(20).data == 5
    with pytest.raises(errors.InvalidAddress):
        nodeipc.serve_udp(port=70000)
