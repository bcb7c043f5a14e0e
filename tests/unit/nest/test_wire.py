"""The packets of NestJS's Redis transport."""

from __future__ import annotations

import pytest

from nodechannel import errors, nest
from nodechannel._nest import wire as packets


@pytest.mark.parametrize(
    ("pattern", "channel"),
    [
        ("sum", "sum"),
        (5, "5"),
        ({"cmd": "echo", "a": 1}, '{"a":1,"cmd":"echo"}'),
        ({"B": 1, "a": 2}, '{"a":2,"B":1}'),
        ({"a": {"c": True, "b": None}}, '{"a":{"b":null,"c":true}}'),
        ({'"': "\\"}, '{"\\"":"\\\\"}'),
    ],
)
@pytest.mark.rule("RDS-040")
def test_the_channel_of_a_pattern(pattern, channel):
    assert packets.route(pattern) == channel


@pytest.mark.rule("RDS-041", "RDS-042")
def test_the_packets():
    asked = packets.request("sum", [1])
    assert asked == {"pattern": "sum", "data": [1], "id": asked["id"]}
    assert asked["id"] != packets.request("sum", [1])["id"]
    assert packets.event("told", 1) == {"pattern": "told", "data": 1}
    assert packets.answer("i", 1) == {"response": 1, "id": "i"}
    assert packets.last_answer("i", 1) == {"response": 1, "isDisposed": True, "id": "i"}
    assert packets.end("i") == {"isDisposed": True, "id": "i"}
    assert packets.failure("i", "odd") == {"err": "odd", "isDisposed": True, "id": "i"}


@pytest.mark.parametrize(
    ("error", "text"), [("odd", "odd"), ({"message": "odd"}, "odd"), ({"code": 7}, "{'code': 7}")]
)
def test_an_error_answer_shows_its_text(error, text):
    found = nest.NestError(error)
    assert (str(found), found.error) == (text, error)


@pytest.mark.rule("RDS-040")
def test_patterns_that_are_no_patterns(url):
    with nest.connect(url) as client:
        for pattern in (None, True, [1], {"a": [1]}):
            with pytest.raises(errors.InvalidMessage):
                client.request(pattern, 1)
