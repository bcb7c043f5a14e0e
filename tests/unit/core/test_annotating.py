"""A connection that adds to user messages alone."""

from __future__ import annotations

from typing import Any

import pytest

from nodechannel import errors
from nodechannel._core.annotating import AnnotatingConnection
from nodechannel._core.opening import open_connection
from nodechannel._json.serialization import JsonSerialization


@pytest.fixture
def connection():
    return open_connection(JsonSerialization(), {"raw": True, "object_hook": len})


def test_internal_messages_are_handed_on_as_they_are(connection):
    seen: list[Any] = []
    connection.on_internal = lambda value, handle: seen.append(value)
    connection.receive_data(b'{"a":1}\n{"cmd":"NODE_CLUSTER","ack":1}\n{}\n')
    assert seen == [{"cmd": "NODE_CLUSTER", "ack": 1}]
    messages = connection.take_messages()
    assert [(message.data, message.raw) for message in messages] == [(1, b'{"a":1}'), (0, b"{}")]


def test_an_error_stands_in_its_place(connection):
    connection.receive_data(b"[]\nwrong\n[1]\n")
    assert [message.raw for message in connection.take_messages()] == [b"[]"]
    with pytest.raises(errors.InvalidJson):
        connection.take_messages()
    assert [message.raw for message in connection.take_messages()] == [b"[1]"]


def test_a_line_in_pieces_keeps_its_bytes(connection):
    for piece in (b'{"a"', b":[", b"]}\n1\n"):
        connection.receive_data(piece)
    assert [message.raw for message in connection.take_messages()] == [b'{"a":[]}', b"1"]


def test_a_channel_that_asked_for_nothing_has_no_such_connection(connection):
    assert isinstance(connection, AnnotatingConnection)
    assert not isinstance(open_connection(JsonSerialization(), {}), AnnotatingConnection)
