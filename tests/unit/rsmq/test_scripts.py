"""Calls of `rsmq` as scripts of Redis."""

from __future__ import annotations

import pytest

from nodechannel import rsmq
from nodechannel._rsmq import scripts


@pytest.fixture
def name(key):
    return key


@pytest.mark.parametrize(
    "script",
    [
        scripts.SEND,
        scripts.RECEIVE,
        scripts.POP,
        scripts.CHANGE_VISIBILITY,
        scripts.SET_ATTRIBUTES,
        scripts.ATTRIBUTES,
    ],
)
def test_a_queue_that_is_not_there_is_told_by_its_script(script, url, key):
    import redis as client

    with client.Redis.from_url(url) as connection, pytest.raises(client.ResponseError, match="queueNotFound"):
        connection.eval(script, 2, key, f"{key}:Q", "", "", "", "", "")


def test_a_message_is_sent_and_counted_in_a_single_step(url, key):
    import redis as client

    with client.Redis.from_url(url) as connection:
        keys = (key, f"{key}:Q", f"{key}:QUEUES")
        assert connection.eval(scripts.CREATE, 3, *keys, "name", 30, 0, 65536) == 1
        id = connection.eval(scripts.SEND, 3, *keys, "", "R" * 22, "body", 4, "")
        assert len(id) == 32
        assert connection.eval(scripts.RECEIVE, 3, *keys, 0)[:3] == [id, b"body", 1]
        assert connection.eval(scripts.POP, 3, *keys)[:3] == [id, b"body", 2]
        assert connection.eval(scripts.ATTRIBUTES, 3, *keys)[3:5] == [b"2", b"1"]
        assert connection.eval(scripts.DROP, 3, *keys, "name") == 1


@pytest.mark.rule("RSM-013")
def test_forgotten_scripts_do_no_harm(url, name, server):
    import redis

    with rsmq.queue(url, name) as queue:
        queue.create()
        queue.send("1")
        queue.receive(timeout=5)
        with redis.Redis.from_url(url) as connection:
            connection.script_flush()
        queue.send("2")
        assert queue.receive(timeout=5).message == "2"
