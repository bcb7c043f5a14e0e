"""Counting sockets that were handed over, for both front ends, against a raw socket."""

from __future__ import annotations

import array
import asyncio
import json
import socket
import threading

import pytest

import nodechannel.asyncio
from nodechannel import errors
from support.frontends import begin

ACK = {"cmd": "NODE_HANDLE_ACK"}
KEY = "4:127.0.0.1:0"


class Peer:
    """Speaks lines by hand."""

    def __init__(self, sock: socket.socket) -> None:
        self.sock = sock
        self.buffer = b""

    def say(self, message: object, *fds: int) -> None:
        rights = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", fds))] if fds else []
        self.sock.sendmsg([json.dumps(message).encode() + b"\n"], rights)

    def give(self, message: object) -> socket.socket:
        """Hand over an end of a connection; return the far end."""
        mine, other = socket.socketpair()
        with mine:
            self.say({"cmd": "NODE_HANDLE", "type": "net.Socket", "msg": message, "key": KEY}, mine.fileno())
        return other

    def hear(self) -> object:
        while b"\n" not in self.buffer:
            data, fds, _, _ = socket.recv_fds(self.sock, 65536, 10)
            assert data
            for fd in fds:
                socket.close(fd)
            self.buffer += data
        line, _, self.buffer = self.buffer.partition(b"\n")
        return json.loads(line)

    def hears_nothing(self, channel: object) -> None:
        """A message of the channel's user comes next, so no message came before it."""
        channel.send("marker")  # type: ignore[attr-defined]
        assert self.hear() == "marker"


@pytest.fixture
def talk(peer):
    return Peer(peer)


def receive(channel, talk, count):
    """Let the channel receive some connections; return them and their far ends."""
    handles, others = [], []
    for number in range(count):
        others.append(talk.give(number))
        handles.append(channel.receive(timeout=5).handle)
        assert talk.hear() == ACK
    return handles, others


def ask(channel, talk):
    talk.say({"cmd": "NODE_SOCKET_GET_COUNT", "key": KEY})
    talk.say("go on")
    assert channel.receive(timeout=5).data == "go on"
    return talk.hear()


def counted(number):
    return {"cmd": "NODE_SOCKET_COUNT", "key": KEY, "count": number}


def test_open_sockets_are_counted_however_they_end(channel, talk):
    handles, others = receive(channel, talk, 5)
    assert ask(channel, talk) == counted(5)
    handles.pop().close()
    assert ask(channel, talk) == counted(4)
    sock = handles.pop().socket()
    assert ask(channel, talk) == counted(4)
    sock.close()
    sock.close()
    assert ask(channel, talk) == counted(3)
    socket.close(handles.pop().detach())
    assert ask(channel, talk) == counted(2)
    socket.close(handles.pop().socket().detach())
    assert ask(channel, talk) == counted(1)
    with pytest.warns(ResourceWarning):
        handles.clear()
    assert ask(channel, talk) == counted(0)
    for other in others:
        other.close()


def test_a_socket_with_files_is_open_until_the_last_is_closed(channel, talk):
    (handle,), (other,) = receive(channel, talk, 1)
    sock = handle.socket(timeout=5)
    file = sock.makefile("rb")
    sock.close()
    assert ask(channel, talk) == counted(1)
    file.close()
    assert ask(channel, talk) == counted(0)
    other.close()


def test_the_end_of_the_last_is_announced_once(channel, talk):
    handles, others = receive(channel, talk, 2)
    talk.say({"cmd": "NODE_SOCKET_NOTIFY_CLOSE", "key": KEY})
    talk.say("go on")
    assert channel.receive(timeout=5).data == "go on"
    handles[0].close()
    talk.hears_nothing(channel)
    sock = handles[1].socket()
    sock.close()
    assert talk.hear() == {"cmd": "NODE_SOCKET_ALL_CLOSED", "key": KEY}
    talk.hears_nothing(channel)
    # All are closed now: the next question is answered at once.
    talk.say({"cmd": "NODE_SOCKET_NOTIFY_CLOSE", "key": KEY})
    talk.say("go on")
    assert channel.receive(timeout=5).data == "go on"
    assert talk.hear() == {"cmd": "NODE_SOCKET_ALL_CLOSED", "key": KEY}
    for other in others:
        other.close()


def test_keys_that_were_never_seen_are_ignored(channel, talk):
    for cmd in ("NODE_SOCKET_GET_COUNT", "NODE_SOCKET_NOTIFY_CLOSE"):
        talk.say({"cmd": cmd, "key": "unknown"})
        talk.say({"cmd": cmd, "key": 5})
        talk.say({"cmd": cmd})
    talk.say({"cmd": "NODE_SOCKET_COUNT", "key": "unknown", "count": 5})
    talk.say({"cmd": "NODE_SOCKET_COUNT", "key": "unknown", "count": "x"})
    talk.say({"cmd": "NODE_SOCKET_ALL_CLOSED", "key": "unknown"})
    talk.say("go on")
    assert channel.receive(timeout=5).data == "go on"
    talk.hears_nothing(channel)


def test_sockets_that_outlive_the_channel_are_harmless(channel, talk):
    handles, others = receive(channel, talk, 2)
    talk.say({"cmd": "NODE_SOCKET_NOTIFY_CLOSE", "key": KEY})
    sock = handles[0].socket()
    channel.close()
    sock.close()
    handles[1].close()
    for other in others:
        other.close()


@pytest.mark.parametrize("where", ["where it was taken", "later", "in a thread"])
def test_a_task_closes_the_last_wherever_it_likes(where):
    async def take(channel: nodechannel.asyncio.Channel) -> socket.socket:
        handle = (await channel.receive()).handle
        assert handle is not None
        return handle.socket()

    async def serve(sock: socket.socket) -> None:
        loop = asyncio.get_running_loop()
        async with nodechannel.asyncio.Channel(sock) as channel:
            kept = await take(channel)
            assert (await channel.receive()).data == "go on"
            last = await take(channel)
            kept.close()
            if where == "later":
                loop.call_later(0.01, last.close)
            elif where == "in a thread":
                await loop.run_in_executor(None, last.close)
            else:
                last.close()
            assert (await channel.receive()).data == "end"

    ours, theirs = socket.socketpair()
    with theirs:
        theirs.settimeout(5)
        talk = Peer(theirs)
        server = threading.Thread(target=asyncio.run, args=(serve(ours),))
        server.start()
        others = [talk.give(0)]
        assert talk.hear() == ACK
        talk.say({"cmd": "NODE_SOCKET_NOTIFY_CLOSE", "key": KEY})
        talk.say("go on")
        others.append(talk.give(1))
        assert talk.hear() == ACK
        assert talk.hear() == {"cmd": "NODE_SOCKET_ALL_CLOSED", "key": KEY}
        talk.say("end")
        server.join()
        for other in others:
            other.close()


def test_the_peer_is_asked_and_answers(api, channel, talk):
    def answer(reply):
        def hear_and_say():
            heard.append(talk.hear())
            talk.say(reply)

        thread = threading.Thread(target=hear_and_say)
        thread.start()
        return thread

    heard: list[object] = []
    thread = answer(counted(7))
    assert channel.get_connections(KEY, timeout=5) == 7
    thread.join()
    thread = answer({"cmd": "NODE_SOCKET_ALL_CLOSED", "key": KEY})
    channel.wait_all_closed(KEY, timeout=5)
    thread.join()
    assert heard == [
        {"cmd": "NODE_SOCKET_GET_COUNT", "key": KEY},
        {"cmd": "NODE_SOCKET_NOTIFY_CLOSE", "key": KEY},
    ]
    with pytest.raises(TimeoutError):
        channel.get_connections(KEY, timeout=0.05)
    talk.sock.close()
    with pytest.raises(errors.ChannelClosed):
        channel.get_connections(KEY, timeout=5)
    with pytest.raises(errors.ChannelClosed):
        channel.wait_all_closed(KEY, timeout=5)


def test_a_key_travels_with_its_socket(channel, talk):
    mine, other = socket.socketpair()
    with other:
        begin(channel, "m", handle=mine, key='4:"odd"\u2028:0')
        assert talk.hear() == {
            "cmd": "NODE_HANDLE",
            "type": "net.Socket",
            "msg": "m",
            "key": '4:"odd"\u2028:0',
        }
        talk.say(ACK)
        channel.flush(timeout=5)
