"""The blocking front ends of NestJS microservices."""

from __future__ import annotations

import threading
from typing import Any

import pytest

from nodechannel import errors, nest


def test_both_ends_without_an_event_loop(url, key):
    server, ready = nest.Server(url), threading.Event()

    @server.pattern(key)
    def count(n: int) -> Any:
        yield from range(n)

    thread = threading.Thread(target=server.serve, args=(ready.set,))
    thread.start()
    assert ready.wait(20)
    with nest.connect(url) as client:
        assert list(client.stream(key, 3)) == [0, 1, 2]
        assert client.request(key, 3, timeout=20) == 2
        assert client.emit(key, 1) == 1
    server.close()
    thread.join(20)
    assert not thread.is_alive()
    server.close()
    with pytest.raises(errors.ChannelClosed):
        client.request(key, 1)
