"""The seam of the transport: each end has all of its words."""

from __future__ import annotations

import socket

from nodechannel._transport.seam import Transport
from nodechannel._transport.threaded import ThreadedTransport
from nodechannel._transport.unix import UnixTransport

WORDS = {name for name in [*vars(Transport), *Transport.__annotations__] if not name.startswith("_")}


def test_the_end_at_a_unix_socket_has_every_word():
    near, far = socket.socketpair()
    with far:
        end = UnixTransport(near)
        assert {word for word in WORDS if not hasattr(end, word)} == set()
        assert all(callable(call) for call in (*end.receive, *end.receive_now))
        end.close()
        end.close()
        assert end.fileno() == -1


def test_the_end_that_threads_read_and_write_has_every_word():
    own = {*vars(ThreadedTransport), *ThreadedTransport.__init__.__code__.co_names}
    assert {word for word in WORDS if word not in own} == set()
