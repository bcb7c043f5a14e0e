"""Bytes and hooks in both framings of standard streams."""

from __future__ import annotations

import pytest

from nodechannel import Message
from nodechannel._json.given import given
from nodechannel._stdio.framing import framing_of
from nodechannel.errors import InvalidJson


@pytest.mark.parametrize(("name", "wire"), [("lines", b"%s\n"), ("headers", b"Content-Length: %d\r\n\r\n%s")])
def test_messages_keep_their_bytes_and_their_order(name, wire):
    framing = framing_of(name, {"raw": True, "object_hook": len})
    bodies = [b'{"a": 1}', b"wrong", b"[{}]"]
    data = b"".join(wire % body if name == "lines" else wire % (len(body), body) for body in bodies)
    first, error, last = framing.feed(data)
    assert isinstance(first, Message)
    assert isinstance(last, Message)
    assert (first.data, first.raw) == (1, bodies[0])
    assert isinstance(error, InvalidJson)
    assert (last.data, last.raw) == ([0], bodies[2])


@pytest.mark.parametrize(
    ("name", "frame"), [("lines", b"[ 1]\n"), ("headers", b"Content-Length: 4\r\n\r\n[ 1]")]
)
def test_a_text_is_sent_as_it_is(name, frame):
    assert framing_of(name, {}).frame(given("[\n1]", trusted=True)) == frame
