"""An entry of a stream or a list."""

from __future__ import annotations

from nodechannel import redis
from nodechannel._redis.entries import Entry


def test_an_entry_of_a_list_has_what_a_list_knows():
    assert Entry(5, b"5") == Entry(5, b"5", None, 1, 0)
    assert Entry(5, b"5", delivery=1) != Entry(5, b"5", delivery=2)


def test_equal_messages_of_a_list_are_told_apart(url, key):
    with redis.queue(url, key) as queue:
        for _ in range(2):
            queue.send("equal")
        first, second = queue.receive(timeout=20), queue.receive(timeout=20)
        assert (first.data, first.id) == (second.data, second.id)
        assert first.delivery != second.delivery
        queue.acknowledge(first, second)
