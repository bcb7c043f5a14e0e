"""From a message to its frame."""

from __future__ import annotations

import pytest

from nodechannel import js
from nodechannel._advanced.decode import decode
from nodechannel._advanced.encode import encode, encode_many
from nodechannel.errors import InvalidMessage


@pytest.mark.rule("ADV-002")
def test_the_length_stands_before_the_frame():
    frame = encode({"a": 1})
    assert int.from_bytes(frame[:4], "big") == len(frame) - 4
    assert frame[4:] == b'\xff\x0do"\x01aI\x02{\x01'


def test_what_only_the_definition_writes_is_written_as_well():
    assert decode(encode(js.Map({1: 2}))[4:]) == js.Map({1: 2})
    nested: list[object] = []
    for _ in range(900):
        nested = [nested]
    found = decode(encode(nested)[4:])
    for _ in range(900):
        (found,) = found
    assert found == []


def test_an_object_that_is_not_known_goes_through_default():
    assert decode(encode({"a": ...}, default=lambda _value: "dots")[4:]) == {"a": "dots"}
    with pytest.raises(InvalidMessage, match=r"\$\.a"):
        encode({"a": ...})


def test_of_many_messages_the_refused_one_is_named_by_its_place():
    assert encode_many([1, "a"]) == [encode(1), encode("a")]
    with pytest.raises(InvalidMessage) as caught:
        encode_many([1, {"a": [...]}])
    assert caught.value.path == "$[1].a[0]"
