"""The class of a connection, by the options of its channel."""

from __future__ import annotations

import pytest

from nodechannel._core.annotating import AnnotatingConnection
from nodechannel._core.connection import Connection
from nodechannel._core.opening import open_connection
from nodechannel._json.serialization import JsonSerialization


@pytest.mark.parametrize(
    ("options", "kind"),
    [
        ({}, Connection),
        ({"raw": False, "object_hook": None}, Connection),
        ({"raw": True}, AnnotatingConnection),
        ({"object_hook": dict}, AnnotatingConnection),
    ],
)
def test_a_channel_without_the_options_has_a_plain_connection(options, kind):
    assert type(open_connection(JsonSerialization(), options)) is kind


@pytest.mark.parametrize("raw", [False, True])
def test_the_limit_of_a_line_is_passed_on(raw):
    connection = open_connection(JsonSerialization(), {"raw": raw, "max_line": 3})
    connection.receive_data(b"[1]\n[12]\n")
    assert [message.data for message in connection.take_messages()] == [[1]]
    assert connection.closed
