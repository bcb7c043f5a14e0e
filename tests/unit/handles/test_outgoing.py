"""A socket that is offered: described first, taken last."""

from __future__ import annotations

import os
import socket
import ssl

import pytest

from nodechannel._core.delivery import Delivery
from nodechannel._handles.outgoing import SocketHandle
from nodechannel._handles.received import ReceivedHandle
from nodechannel._handles.types import HandleType
from nodechannel._transport.owned import OwnedFd
from nodechannel._transport.system import CANNOT_TRAVEL
from nodechannel.errors import HandleTaken, InvalidHandle


@pytest.fixture
def server():
    with socket.create_server(("127.0.0.1", 0)) as found:
        yield found


@pytest.fixture
def pair():
    ours, theirs = socket.socketpair()
    with ours, theirs:
        yield ours, theirs


def test_a_connected_socket_is_taken_from_the_caller_at_the_end(pair):
    ours, theirs = pair
    handle, number = SocketHandle(ours), ours.fileno()
    assert (ours.fileno(), handle.shared) == (number, False)
    fd = handle.take()
    assert handle.take() is fd
    assert (ours.fileno(), fd.fileno(), os.get_blocking(number)) == (-1, number, False)
    fd.close()
    assert theirs.recv(1) == b""


def test_a_type_that_the_system_does_not_hand_on_is_refused_with_a_remedy(monkeypatch):
    monkeypatch.setitem(CANNOT_TRAVEL, "dgram.Socket", "bind one there")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.bind(("127.0.0.1", 0))
        with pytest.raises(InvalidHandle, match="bind one there"):
            SocketHandle(sock)


@pytest.mark.rule("HND-052", "HND-018")
def test_a_shared_one_is_duplicated_and_made_non_blocking(server, pair):
    for sock, keep_open in ((server, False), (pair[0], True)):
        handle = SocketHandle(sock, keep_open)
        fd = handle.take()
        assert handle.shared
        assert fd.fileno() != sock.fileno()
        assert (sock.gettimeout(), os.get_blocking(fd.fileno())) == (0.0, False)
        fd.close()
        os.fstat(sock.fileno())


def test_a_received_handle_is_sent_on(server, pair):
    connected = ReceivedHandle(HandleType.NET_SOCKET, OwnedFd(pair[0].detach()))
    owner = connected._owner
    assert SocketHandle(connected).take() is owner
    assert not os.get_blocking(owner.fileno())
    with pytest.raises(HandleTaken):
        connected.fileno()
    owner.close()
    shared = ReceivedHandle(HandleType.NET_SERVER, OwnedFd.copy(server.fileno()))
    fd = SocketHandle(shared).take()
    assert fd.fileno() != shared.fileno()
    fd.close()
    shared.close()


def test_one_that_was_taken_in_vain_goes_to_the_delivery_unless_it_is_shared(server, pair):
    delivery = Delivery()
    handle = SocketHandle(server)
    fd = handle.take()
    handle.return_to(delivery)
    assert fd.closed
    with pytest.raises(HandleTaken):
        delivery.take_back()
    untaken = SocketHandle(pair[0])
    untaken.return_to(delivery)
    with pytest.raises(HandleTaken):
        delivery.take_back()
    untaken.take()
    untaken.return_to(delivery)
    with delivery.take_back() as sock:
        sock.send(b"x")
    assert pair[1].recv(1) == b"x"


class Wrapper:
    """Has a socket."""

    def __init__(self, sock: socket.socket) -> None:
        self.socket = sock


class Transport:
    """Looks like a transport of asyncio."""

    def get_extra_info(self, name: str) -> None:
        return None


def test_a_refusal_names_the_remedy(server, tmp_path):
    with (tmp_path / "f").open("w") as file:
        rows = [(Wrapper(server), "send the socket that it has"), (Transport(), "loop.sock_accept"),
                (file, "socket.socket.fileno=os.dup"), (server.fileno(), "socket.socket.fileno=os.dup"),
                ("x", "str is not a socket$")]  # fmt: skip
        for thing, remedy in rows:
            with pytest.raises(InvalidHandle, match=remedy):
                SocketHandle(thing)


def test_tls_stays_in_this_process(pair):
    context = ssl.create_default_context()
    wrapped = context.wrap_socket(pair[0], do_handshake_on_connect=False, server_hostname="x")
    with wrapped, pytest.raises(InvalidHandle, match="before wrap_socket"):
        SocketHandle(wrapped)


@pytest.mark.rule("HND-026")
def test_closed_sockets_are_refused(server, pair):
    received = ReceivedHandle(HandleType.NET_SOCKET, OwnedFd.copy(pair[0].fileno()))
    received.close()
    server.close()
    with pytest.raises(InvalidHandle, match="closed"):
        SocketHandle(server)
    with pytest.raises(HandleTaken):
        SocketHandle(received)


def test_a_descriptor_that_is_no_socket_is_refused_and_stays_with_its_handle():
    read, write = OwnedFd.pipe()
    handle = ReceivedHandle(HandleType.NET_SOCKET, read)
    with pytest.raises(InvalidHandle, match="not a socket"):
        SocketHandle(handle)
    os.fstat(handle.fileno())
    handle.close()
    write.close()


def test_keys_belong_to_connections(server, pair):
    assert SocketHandle(pair[0], key="k").key == "k"
    with pytest.raises(InvalidHandle, match=r"only a net.Socket has a key"):
        SocketHandle(server, key="k")
    with pytest.raises(InvalidHandle, match="empty key"):
        SocketHandle(pair[0], key="")


@pytest.mark.rule("HND-027")
def test_a_bound_socket_goes_only_when_it_is_named():
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        with pytest.raises(InvalidHandle, match=r"handle_type='net.BoundSocket'"):
            SocketHandle(bound)
        assert SocketHandle(bound, handle_type="net.BoundSocket").type is HandleType.NET_BOUND_SOCKET


@pytest.mark.rule("HND-002")
def test_a_type_may_be_chosen_where_it_fits(server, pair):
    assert SocketHandle(server, handle_type="net.Native").type is HandleType.NET_NATIVE
    with socket.socket(type=socket.SOCK_DGRAM) as datagrams:
        assert SocketHandle(datagrams).dgram_type == "udp4"
        native = SocketHandle(datagrams, handle_type=HandleType.DGRAM_NATIVE)
        assert (native.type, native.dgram_type) == (HandleType.DGRAM_NATIVE, None)
        with pytest.raises(InvalidHandle, match=r"does not fit net.Native"):
            SocketHandle(datagrams, handle_type="net.Native")
    with pytest.raises(InvalidHandle, match=r"a listening socket, which does not fit net.Socket"):
        SocketHandle(server, handle_type="net.Socket")
    with pytest.raises(InvalidHandle, match=r"'net.Sock' is no type of handle"):
        SocketHandle(pair[0], handle_type="net.Sock")
