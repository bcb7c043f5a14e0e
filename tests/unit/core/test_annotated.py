"""Messages with bytes, and with objects that a hook makes."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from nodechannel import Message
from nodechannel._core.annotated import HookedMessage, annotation, apply


def as_pairs(members: dict[str, Any]) -> Any:
    return tuple(members.items())


def test_no_option_asks_for_nothing():
    assert annotation({}) is None
    assert annotation({"raw": False, "object_hook": None}) is None


def test_bytes_are_kept_apart_from_the_buffer_that_they_came_in():
    found = annotation({"raw": True})
    assert found is not None
    body = bytearray(b"[1]")
    message = found.of(Message([1]), body)
    body[1:2] = b"2"
    assert (message.data, message.raw) == ([1], b"[1]")


def test_a_hook_is_called_once_and_only_when_it_is_asked():
    calls: list[Any] = []

    def hook(members: dict[str, Any]) -> int:
        calls.append(members)
        return len(calls)

    message = HookedMessage({"a": 1}, hook)
    assert calls == []
    assert (message.data, message.data) == (1, 1)
    assert calls == [{"a": 1}]


def test_a_message_that_is_being_made_can_be_shown():
    half = HookedMessage.__new__(HookedMessage)
    assert repr(half) == "Message(data=Ellipsis)"


@pytest.mark.parametrize(
    ("value", "made"),
    [
        (7, 7),
        ([], []),
        ({}, ()),
        ([{"a": 1}, [{}]], [(("a", 1),), [()]]),
        ({"a": {"b": [{"c": None}]}}, (("a", (("b", [(("c", None),)]),)),)),
    ],
)
def test_inner_objects_come_first(value, made):
    assert apply(as_pairs, value) == made


def test_an_object_that_a_hook_makes_is_not_hooked_again():
    assert apply(lambda members: {"was": members}, {"a": {}}) == {"was": {"a": {"was": {}}}}


def test_a_shared_object_stays_shared():
    inner: dict[str, Any] = {"a": 1}
    first, second = apply(lambda members: SimpleNamespace(**members), [inner, {"of": inner}])
    assert second.of is first
