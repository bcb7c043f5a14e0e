"""The blocking front ends of `node-ipc`, and their end."""

from __future__ import annotations

import os
import threading

import pytest

from nodechannel import errors, nodeipc


@pytest.fixture
def path(tmp_path):
    return str(tmp_path / "s")


def test_a_peer_is_the_same_object_for_each_of_its_events(path):
    with nodeipc.serve(path=path) as server, nodeipc.connect(path=path) as client:
        client.send_many([("a", {"id": "me"}), ("b", 2)])
        first, second = (server.receive(timeout=20).peer for _ in range(2))
        assert first is second
        assert server.peers == [first]
        assert (first.id, first.address, first.connected) == ("me", "", True)
        first.send("answer", 3)
        assert client.receive(timeout=20).data == 3
        first.close()
        assert server.peers == []


def test_threads_send_and_receive_at_once(path):
    with nodeipc.serve(path=path) as server, nodeipc.connect(path=path) as client:

        def send(first: int) -> None:
            for number in range(first, first + 50):
                client.send("n", number)

        threads = [threading.Thread(target=send, args=(first,)) for first in (0, 50, 100)]
        for thread in threads:
            thread.start()
        found = [server.receive(timeout=20).data for _ in range(150)]
        for thread in threads:
            thread.join()
        assert sorted(found) == list(range(150))


def test_everything_ends_with_an_error_that_says_so(path):
    with nodeipc.serve(path=path) as server, nodeipc.connect(path=path) as client:
        client.send("a", 1)
        peer = server.receive(timeout=20).peer
    for call in (client.receive, server.receive, client.flush, peer.flush):
        with pytest.raises(errors.ChannelClosed):
            call()
    for send in (client.send, peer.send, server.broadcast):
        with pytest.raises(errors.ChannelClosed):
            send("a", 1)
    assert list(client) == []
    assert (client.connected, peer.connected, server.address) == (False, False, None)


def test_a_forked_process_has_no_part_in_it(path):
    with nodeipc.serve(path=path) as server, nodeipc.connect(path=path) as client:
        child = os.fork()
        if not child:
            try:
                client.receive(timeout=0)
            except errors.ChannelClosed:
                os._exit(7)
            os._exit(1)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 7
        client.send("a", 1)
        assert server.receive(timeout=20).data == 1
