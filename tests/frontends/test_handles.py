"""Sockets that travel, for both front ends, against a raw socket."""

from __future__ import annotations

import array
import fcntl
import os
import socket
import tempfile
from pathlib import Path

import pytest

from nodechannel import errors
from nodechannel._core.delivery import DeliveryState
from support.frontends import begin

ACK = b'{"cmd":"NODE_HANDLE_ACK"}\n'


def give(peer: socket.socket, data: bytes, *fds: int) -> None:
    """Send bytes with descriptors on their first byte."""
    peer.sendmsg([data], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", fds))])


def take(peer: socket.socket) -> tuple[bytes, list[int]]:
    """Receive a line, and the descriptors that came with it."""
    data, fds, _, _ = socket.recv_fds(peer, 65536, 10)
    while not data.endswith(b"\n"):
        data += peer.recv(65536)
    return data, list(fds)


def is_nonblocking(fd: int) -> bool:
    return bool(fcntl.fcntl(fd, fcntl.F_GETFL) & os.O_NONBLOCK)


@pytest.fixture
def server():
    with socket.create_server(("127.0.0.1", 0)) as sock:
        yield sock


def udp(family: int) -> socket.socket:
    sock = socket.socket(family, socket.SOCK_DGRAM)
    sock.bind(("127.0.0.1" if family == socket.AF_INET else "::1", 0))
    return sock


def bound() -> socket.socket:
    sock = socket.socket()
    sock.bind(("127.0.0.1", 0))
    return sock


def unix_server() -> socket.socket:
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    with tempfile.TemporaryDirectory() as folder:
        sock.bind(str(Path(folder) / "s"))
    sock.listen()
    return sock


class TestReceiving:
    def test_a_server_becomes_a_socket_that_accepts(self, channel, peer, server):
        give(peer, b'{"cmd":"NODE_HANDLE","type":"net.Server","msg":{"n":1}}\n', server.fileno())
        message = channel.receive(timeout=5)
        assert take(peer) == (ACK, [])
        assert message.data == {"n": 1}
        assert message.handle.type == "net.Server"
        with message.handle.socket(timeout=5) as received:
            assert not os.get_inheritable(received.fileno())
            with socket.create_connection(server.getsockname()):
                received.accept()[0].close()

    def test_a_handle_that_nobody_claims_is_closed(self, channel, peer, server):
        give(peer, b'{"cmd":"NODE_HANDLE","type":"net.Server","msg":1}\n', server.fileno())
        message = channel.receive(timeout=5)
        with pytest.warns(ResourceWarning):
            del message

    def test_a_handle_is_claimed_once(self, channel, peer, server):
        give(peer, b'{"cmd":"NODE_HANDLE","type":"net.Server","msg":1}\n', server.fileno())
        handle = channel.receive(timeout=5).handle
        handle.socket().close()
        for claim in (handle.socket, handle.detach, handle.fileno):
            with pytest.raises(errors.HandleTaken):
                claim()
        handle.close()

    @pytest.mark.parametrize(
        ("envelope", "make"),
        [
            ('"type":"dgram.Socket"', lambda: socket.create_server(("127.0.0.1", 0))),
            ('"type":"net.Socket"', lambda: socket.create_server(("127.0.0.1", 0))),
            ('"type":"net.Socket"', lambda: udp(socket.AF_INET)),
            ('"type":"net.Native"', lambda: udp(socket.AF_INET)),
            ('"type":"dgram.Socket","dgramType":"udp6"', lambda: udp(socket.AF_INET)),
            ('"type":"dgram.Native"', lambda: socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)),
            ('"type":"net.Socket"', lambda: Path("/dev/null").open()),  # noqa: SIM115
        ],
    )
    def test_a_descriptor_of_another_kind_is_refused_and_closed(self, channel, peer, envelope, make):
        with make() as thing:
            give(peer, b'{"cmd":"NODE_HANDLE",%s,"msg":1}\n' % envelope.encode(), thing.fileno())
        with pytest.raises(errors.HandleMismatch):
            channel.receive(timeout=5).handle.socket()

    def test_a_connection_announced_as_a_server_is_refused(self, channel, peer):
        mine, other = socket.socketpair()
        with mine, other:
            give(peer, b'{"cmd":"NODE_HANDLE","type":"net.Server","msg":1}\n', mine.fileno())
            with pytest.raises(errors.HandleMismatch, match="a connected socket"):
                channel.receive(timeout=5).handle.socket()

    def test_a_connection_that_has_ended_on_its_way_is_still_a_connection(self, channel, peer, server):
        with socket.create_connection(server.getsockname()) as client:
            connection, _ = server.accept()
            client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        with connection:
            give(peer, b'{"cmd":"NODE_HANDLE","type":"net.Socket","msg":1}\n', connection.fileno())
        with channel.receive(timeout=5).handle.socket() as received, pytest.raises(ConnectionResetError):
            received.recv(1)

    def test_a_received_socket_never_blocks_for_ever(self, channel, peer, server):
        give(peer, b'{"cmd":"NODE_HANDLE","type":"net.Server","msg":1}\n', server.fileno())
        handle = channel.receive(timeout=5).handle
        with pytest.raises(ValueError, match="timeout"):
            handle.socket(timeout=None)
        handle.socket().close()

    def test_stray_and_surplus_descriptors_are_closed(self, channel, peer, server):
        give(peer, b'"plain"\n', server.fileno(), server.fileno())
        assert channel.receive(timeout=5).data == "plain"
        give(peer, b'{"cmd":"NODE_HANDLE","type":"net.Server","msg":1}\n', server.fileno(), server.fileno())
        channel.receive(timeout=5).handle.close()

    def test_handles_that_were_never_received_are_closed_with_the_channel(self, channel, peer, server):
        for _ in range(3):
            give(peer, b'{"cmd":"NODE_HANDLE","type":"net.Server","msg":1}\n', server.fileno())
        channel.receive(timeout=5).handle.close()
        channel.close()

    def test_a_handle_without_descriptor_is_reported_and_refused(self, channel, peer):
        peer.sendall(b'{"cmd":"NODE_HANDLE","type":"net.Server","msg":1}\n2\n')
        with pytest.raises(errors.MissingDescriptor):
            channel.receive(timeout=5)
        assert take(peer) == (b'{"cmd":"NODE_HANDLE_NACK"}\n', [])
        assert channel.receive(timeout=5).data == 2


class TestSending:
    @pytest.mark.parametrize(
        ("make", "envelope"),
        [
            (lambda: socket.create_server(("127.0.0.1", 0)), b'"type":"net.Server","msg":"m"'),
            (
                lambda: socket.create_server(("::1", 0), family=socket.AF_INET6),
                b'"type":"net.Server","msg":"m"',
            ),
            (unix_server, b'"type":"net.Server","msg":"m"'),
            (lambda: udp(socket.AF_INET), b'"type":"dgram.Socket","msg":"m","dgramType":"udp4"'),
            (lambda: udp(socket.AF_INET6), b'"type":"dgram.Socket","msg":"m","dgramType":"udp6"'),
        ],
        ids=["tcp4", "tcp6", "unix", "udp4", "udp6"],
    )
    def test_shared_sockets_stay_open(self, channel, peer, make, envelope):
        with make() as sock:
            delivery = begin(channel, "m", handle=sock)
            line, (fd,) = take(peer)
            assert line == b'{"cmd":"NODE_HANDLE",%s}\n' % envelope
            assert is_nonblocking(fd)
            os.close(fd)
            peer.sendall(ACK)
            channel.flush(timeout=5)
            assert delivery.state is DeliveryState.ACKNOWLEDGED
            assert sock.fileno() >= 0

    @pytest.mark.parametrize("keep_open", [False, True])
    def test_a_connected_socket_is_handed_over_unless_kept(self, channel, peer, keep_open):
        mine, other = socket.socketpair()
        with mine, other:
            begin(channel, "m", handle=mine, keep_open=keep_open)
            line, (fd,) = take(peer)
            assert line == b'{"cmd":"NODE_HANDLE","type":"net.Socket","msg":"m"}\n'
            assert (mine.fileno() >= 0) is keep_open
            os.close(fd)
            peer.sendall(ACK)
            channel.flush(timeout=5)
            if not keep_open:
                other.settimeout(5)
                assert other.recv(1) == b""

    @pytest.mark.parametrize(
        ("family", "kind"),
        [
            (socket.AF_UNIX, socket.SOCK_DGRAM),
            (socket.AF_UNIX, socket.SOCK_SEQPACKET),
            (socket.AF_INET, socket.SOCK_STREAM),
        ],
        ids=["unix-dgram", "unix-seqpacket", "unconnected"],
    )
    def test_a_socket_that_node_cannot_receive_is_refused(self, channel, peer, family, kind):
        with socket.socket(family, kind) as sock:
            with pytest.raises(errors.InvalidHandle):
                begin(channel, "m", handle=sock)
            assert sock.fileno() >= 0
            assert sock.gettimeout() is None
        channel.send("fine")
        channel.flush()
        assert take(peer) == (b'"fine"\n', [])

    def test_what_is_no_socket_is_refused(self, channel):
        with Path("/dev/null").open() as null:
            for thing in (null, null.fileno(), object()):
                with pytest.raises(errors.InvalidHandle):
                    begin(channel, "m", handle=thing)
        closed = socket.socket()
        closed.close()
        with pytest.raises(errors.InvalidHandle, match="closed"):
            begin(channel, "m", handle=closed)

    def test_messages_wait_behind_a_handle_and_leave_in_order(self, channel, peer, server):
        begin(channel, "h", handle=server)
        begin(channel, "a")
        _, (fd,) = take(peer)
        os.close(fd)
        peer.setblocking(False)
        with pytest.raises(BlockingIOError):
            peer.recv(1)
        peer.settimeout(5)
        peer.sendall(ACK)
        channel.flush(timeout=5)
        assert take(peer) == (b'"a"\n', [])

    def test_a_refused_handle_is_sent_again_and_at_last_abandoned(self, channel, peer, server):
        delivery = begin(channel, "h", handle=server)
        for _ in range(4):
            line, (fd,) = take(peer)
            assert line == b'{"cmd":"NODE_HANDLE","type":"net.Server","msg":"h"}\n'
            os.close(fd)
            peer.sendall(b'{"cmd":"NODE_HANDLE_NACK"}\n')
            if delivery.refusals < 3:
                with pytest.raises(TimeoutError):
                    channel.receive(timeout=0.1)
        with pytest.raises(errors.HandleAbandoned) as caught:
            channel.receive(timeout=5)
        assert caught.value.delivery is delivery
        assert delivery.state is DeliveryState.ABANDONED
        channel.send("goes on")
        channel.flush()
        assert take(peer) == (b'"goes on"\n', [])

    def test_a_peer_that_ends_instead_of_acknowledging_leaves_nothing_open(self, channel, peer):
        mine, other = socket.socketpair()
        delivery = begin(channel, "h", handle=mine)
        _, (fd,) = take(peer)
        os.close(fd)
        peer.close()
        with pytest.raises(errors.ChannelClosed):
            channel.receive(timeout=5)
        assert delivery.state is DeliveryState.ABANDONED
        del delivery
        other.settimeout(5)
        assert other.recv(1) == b""
        other.close()

    def test_a_connection_that_was_not_delivered_can_be_taken_back(self, channel, peer):
        mine, other = socket.socketpair()
        delivery = begin(channel, "h", handle=mine)
        _, (fd,) = take(peer)
        os.close(fd)
        with pytest.raises(errors.HandleTaken):
            delivery.take_back()
        peer.close()
        with pytest.raises(errors.ChannelClosed):
            channel.receive(timeout=5)
        with delivery.take_back(timeout=5) as back, other:
            back.sendall(b"still alive")
            assert other.recv(100) == b"still alive"
        with pytest.raises(errors.HandleTaken):
            delivery.take_back()

    def test_a_refused_connection_can_be_taken_back(self, channel, peer):
        mine, other = socket.socketpair()
        delivery = begin(channel, "h", handle=mine)
        for _ in range(4):
            _, (fd,) = take(peer)
            os.close(fd)
            peer.sendall(b'{"cmd":"NODE_HANDLE_NACK"}\n')
            if delivery.refusals < 3:
                with pytest.raises(TimeoutError):
                    channel.receive(timeout=0.1)
        with pytest.raises(errors.HandleAbandoned) as caught:
            channel.receive(timeout=5)
        with caught.value.delivery.take_back(), other:
            pass

    @pytest.mark.parametrize(
        ("make", "type_"),
        [
            (lambda: socket.create_server(("127.0.0.1", 0)), "net.Native"),
            (lambda: udp(socket.AF_INET), "dgram.Native"),
            (bound, "net.BoundSocket"),
        ],
        ids=["native", "dgram-native", "bound"],
    )
    def test_the_type_can_be_chosen(self, channel, peer, make, type_):
        with make() as sock:
            begin(channel, "m", handle=sock, handle_type=type_)
            line, (fd,) = take(peer)
            assert line == b'{"cmd":"NODE_HANDLE","type":"%s","msg":"m"}\n' % type_.encode()
            os.close(fd)
            peer.sendall(ACK)
            channel.flush(timeout=5)

    @pytest.mark.parametrize(
        ("make", "type_", "key"),
        [
            (lambda: socket.create_server(("127.0.0.1", 0)), "net.Socket", None),
            (lambda: socket.create_server(("127.0.0.1", 0)), "dgram.Native", None),
            (lambda: socket.create_server(("127.0.0.1", 0)), "net.BoundSocket", None),
            (lambda: socket.create_server(("127.0.0.1", 0)), "toString", None),
            (lambda: socket.create_server(("127.0.0.1", 0)), None, "a key"),
            (lambda: udp(socket.AF_INET), "net.Native", None),
            (bound, None, None),
            (bound, "net.Server", None),
        ],
    )
    def test_a_type_that_does_not_fit_is_refused(self, channel, make, type_, key):
        with make() as sock, pytest.raises(errors.InvalidHandle):
            begin(channel, "m", handle=sock, handle_type=type_, key=key)

    def test_a_received_handle_can_be_sent_on(self, channel, peer, server):
        give(peer, b'{"cmd":"NODE_HANDLE","type":"net.Server","msg":1}\n', server.fileno())
        handle = channel.receive(timeout=5).handle
        assert take(peer) == (ACK, [])
        begin(channel, "on", handle=handle)
        line, (fd,) = take(peer)
        assert b"net.Server" in line
        os.close(fd)
        peer.sendall(ACK)
        channel.flush(timeout=5)
        handle.close()

    def test_an_empty_key_is_refused(self, channel):
        mine, other = socket.socketpair()
        with mine, other, pytest.raises(errors.InvalidHandle, match="empty key"):
            channel.send("m", handle=mine, key="")
