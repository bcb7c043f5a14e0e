"""Faults that users of similar programs met: a test for each kind, on each front end that can have it."""

from __future__ import annotations

import array
import asyncio
import copy
import gc
import math
import pickle
import resource
import selectors
import socket
import ssl
import threading
import time
from contextlib import closing
from pathlib import Path

import pytest

import nodechannel
from nodechannel import errors

ACK = b'{"cmd":"NODE_HANDLE_ACK"}\n'


def open_descriptors() -> int:
    return len(list(Path("/dev/fd").iterdir()))


def hand_over(peer: socket.socket, data: bytes, count: int = 1) -> None:
    rights = array.array("i", [peer.fileno()] * count)
    peer.sendmsg([data], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, rights)])


# ---- no plain socket (F1) ------------------------------------------------------------------------------


class Relayed(ssl.SSLSocket):
    """A subclass, as eventlet and gevent have them."""


def tls(kind, **options):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.sslsocket_class = kind
    one, other = socket.socketpair()
    return context.wrap_socket(one, server_side=True, do_handshake_on_connect=False), other


@pytest.mark.parametrize("kind", [ssl.SSLSocket, Relayed])
def test_a_tls_socket_is_refused_and_stays_with_the_caller(channel, peer, kind):
    sock, other = tls(kind)
    with sock, other:
        for options in ({}, {"keep_open": True}, {"handle_type": "net.Native"}):
            with pytest.raises(errors.InvalidHandle, match=r"TLS.*unwrap"):
                channel.send("tls", sock, **options)
        assert sock.fileno() >= 0
    channel.send("after")
    channel.flush()
    assert peer.recv(100) == b'"after"\n'


def test_what_an_event_loop_has_is_refused_with_a_way(channel):
    async def scenario():
        one, other = socket.socketpair()
        _reader, writer = await asyncio.open_connection(sock=one)
        server = await asyncio.start_server(lambda reader, writer: None, "127.0.0.1", 0)
        try:
            for thing, why in (
                (writer, "loop.sock_accept"),
                (writer.transport, "loop.sock_accept"),
                (writer.get_extra_info("socket"), r"socket\.socket\(fileno=os\.dup"),
                (server, "the socket that it has"),
                (server.sockets[0], r"socket\.socket\(fileno=os\.dup"),
            ):
                with pytest.raises(errors.InvalidHandle, match=why):
                    await asyncio.to_thread(channel.send, "no", thing)
        finally:
            other.close()
            writer.close()
            server.close()

    asyncio.run(scenario())


@pytest.mark.parametrize("thing", [3, object(), "socket", b"", open], ids=lambda thing: type(thing).__name__)
def test_what_is_nothing_of_the_kind_is_refused(channel, thing):
    with pytest.raises(errors.InvalidHandle, match="is not a socket"):
        channel.send("no", thing)


# ---- messages of a peer (D3, D4, D5) -------------------------------------------------------------------


@pytest.mark.parametrize("member", ["type", "key", "dgramType", "msg"])
@pytest.mark.parametrize(
    "value", [b"[" * 5000 + b"]" * 5000, b'{"a":' * 5000 + b"1" + b"}" * 5000, b'"' + b"x" * 300_000 + b'"']
)
def test_deep_and_long_members_of_an_envelope_lose_nothing(channel, peer, member, value):
    members = {"type": b'"net.Native"', "msg": b"1", member: value}
    line = (
        b'{"cmd":"NODE_HANDLE",'
        + b",".join(b'"%s":%s' % (name.encode(), text) for name, text in members.items())
        + b"}\n"
    )

    def write():
        hand_over(peer, line[:1])
        peer.sendall(line[1:] + b'"after"\n')

    thread = threading.Thread(target=write)
    thread.start()
    try:
        message = channel.receive(timeout=20)
        message.handle.close()
    except errors.BadEnvelope as error:
        assert len(str(error)) < 200  # noqa: PT017 (for most members there is no error)
    assert channel.receive(timeout=20).data == "after"
    thread.join()
    assert peer.recv(100) == ACK


@pytest.mark.parametrize("line", [b"\n", b"x\n", b"[1,]\n", b'{"a":1]\n', b"\xff\n"])
def test_bad_lines_cost_little_more_than_good_ones(line):
    from nodechannel._core.connection import Connection
    from nodechannel._json.serialization import JsonSerialization

    def cost(data):
        best = math.inf
        connection = Connection(JsonSerialization())
        for _ in range(3):
            connection = Connection(JsonSerialization())
            connection.receive_data(b"1\n" + data[:20] + b"\n")
            start = time.process_time()
            connection.receive_data(data)
            best = min(best, time.process_time() - start)
        for event in connection.events:
            if isinstance(event, errors.RemoteError):
                assert (event.__traceback__, event.__context__, event.__cause__) == (None, None, None)
        return best

    good = cost(b'{"a":1,"b":[2,3]}\n' * 5000)
    assert cost(line * 5000) < 40 * good + 0.1


def test_descriptors_of_an_unfinished_line_are_few(channel, peer):
    before = open_descriptors()
    hand_over(peer, b'"', 100)
    for _ in range(20):
        hand_over(peer, b"x", 100)
    with pytest.raises(TimeoutError):
        channel.receive(timeout=0.2)
    assert open_descriptors() - before <= 8
    peer.sendall(b'"\n')
    assert len(channel.receive(timeout=20).data) == 20
    assert open_descriptors() == before


# ---- limits of time (D8, D14) --------------------------------------------------------------------------


@pytest.fixture
def default_timeout():
    socket.setdefaulttimeout(0.2)
    yield
    socket.setdefaulttimeout(None)


def test_the_default_timeout_of_sockets_is_none_of_the_channel_s(api, default_timeout):
    ours, theirs = socket.socketpair()
    with theirs, closing(api.channel(ours)) as channel:
        timer = threading.Timer(0.5, theirs.sendall, (b"1\n",))
        timer.start()
        assert channel.receive().data == 1
        timer.join()
        with pytest.raises(errors.SendTimeout):
            channel.send("x" * 4_000_000, timeout=0.5)


@pytest.mark.parametrize("limit", [math.inf, 1e10, 1e300, threading.TIMEOUT_MAX, 2**31 / 1000, -1, 0, True])
def test_limits_of_any_size(channel, peer, limit):
    peer.sendall(b"1\n")
    time.sleep(0.05)
    assert channel.receive(limit).data == 1
    channel.flush(limit)
    channel.send(1, timeout=limit)
    if limit >= 1:
        timer = threading.Timer(0.1, peer.sendall, (b"2\n",))
        timer.start()
        assert channel.receive(limit).data == 2
        timer.join()
    else:
        with pytest.raises(TimeoutError):
            channel.receive(limit)


@pytest.mark.parametrize("call", ["receive", "receive_many", "flush", "disconnect"])
def test_a_limit_that_is_no_number(channel, peer, call):
    with pytest.raises(ValueError, match="not NaN"):
        getattr(channel, call)(math.nan)
    with pytest.raises(TypeError):
        getattr(channel, call)("1")


def test_questions_that_are_given_up_leave_nothing(channel, peer):
    bare = getattr(channel, "channel", channel)
    for _ in range(200):
        with pytest.raises(TimeoutError):
            channel.get_connections("k", timeout=0)
        with pytest.raises(TimeoutError):
            channel.wait_all_closed("k", timeout=0)
    assert not bare._connection.counts._pending
    assert not bare._connection.closings._pending


def test_a_socket_of_a_family_without_a_name(channel):
    with (
        socket.socket(16, socket.SOCK_RAW, 0) as netlink,
        pytest.raises(errors.InvalidHandle, match="family"),
    ):
        channel.send("no", netlink)


# ---- owners (D7, D15) ----------------------------------------------------------------------------------


@pytest.mark.parametrize("way", [copy.copy, copy.deepcopy, pickle.dumps])
def test_a_channel_is_neither_copied_nor_pickled(channel, way):
    with pytest.raises(TypeError, match="belongs to one process"):
        way(getattr(channel, "channel", channel))


def test_a_handle_that_was_refused_is_closed_with_its_delivery(channel, peer):
    gc.collect()
    gc.disable()
    try:
        before = open_descriptors()
        one, other = socket.socketpair()

        def refuse():
            for _ in range(4):
                peer.recvmsg(1000, 0)
                peer.sendall(b'{"cmd":"NODE_HANDLE_NACK"}\n')

        thread = threading.Thread(target=refuse)
        thread.start()
        with pytest.raises(errors.HandleAbandoned):
            channel.send("no", one)
            channel.receive(timeout=20)
        thread.join()
        other.settimeout(5)
        assert other.recv(1) == b""  # the far end is closed
        other.close()
        assert open_descriptors() == before
    finally:
        gc.enable()


# ---- handles weigh more than messages (D13) ------------------------------------------------------------


def test_a_slow_reader_keeps_few_handles(api):
    if api.name != "asyncio":
        pytest.skip("the blocking front end reads when it is asked to")
    ours, theirs = socket.socketpair()
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    total = 200
    with theirs, closing(api.channel(ours)) as channel:
        theirs.settimeout(20)
        resource.setrlimit(resource.RLIMIT_NOFILE, (open_descriptors() + 40, hard))
        try:

            def write():
                for number in range(total):
                    hand_over(theirs, b'{"cmd":"NODE_HANDLE","type":"net.Socket","msg":%d}\n' % number)
                    assert theirs.recv(100) == ACK

            thread = threading.Thread(target=write)
            thread.start()
            for number in range(total):
                message = channel.receive(timeout=20)
                assert message.data == number
                message.handle.close()
                if number < 20:
                    time.sleep(0.01)
            thread.join()
        finally:
            resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


# ---- selectors (F8) ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "kind", [selectors.DefaultSelector, selectors.SelectSelector, selectors.PollSelector]
)
def test_a_selector_sees_messages_that_were_read_already(kind):
    ours, theirs = socket.socketpair()
    with nodechannel.Channel(ours) as channel, kind() as selector:
        selector.register(channel, selectors.EVENT_READ)
        assert not selector.select(0)
        theirs.sendall(b"1\n2\n3\n")
        got = []
        for left in (2, 1, 0):
            assert selector.select(5)
            got.append(channel.receive(timeout=0).data)
            assert channel.pending == left
        assert got == [1, 2, 3]
        assert not selector.select(0)
        theirs.sendall(b"4\n5\n")
        assert [message.data for message in channel.receive_many()] == [4, 5]
        assert not selector.select(0)
        theirs.close()
        assert selector.select(5)
        with pytest.raises(errors.ChannelClosed):
            channel.receive(timeout=0)
        assert channel.fileno() == -1
        selector.unregister(channel)
