"""Messages that were read and not yet returned."""

from __future__ import annotations

import contextlib
import weakref
from typing import Any

import pytest

from nodechannel import errors
from nodechannel._carriers.events import Events


def filled(*items: Any) -> Events[Any]:
    events: Events[Any] = Events()
    events.waiting += items
    return events


def test_an_error_stands_in_its_place():
    fault = errors.InvalidJson("odd", b"x")
    events = filled(1, fault, 2)
    assert (len(events), events.take()) == (3, 1)
    with pytest.raises(errors.InvalidJson):
        events.take()
    assert events.take() == 2
    with pytest.raises(IndexError):
        events.take()


def test_many_items_end_before_an_error():
    events = filled(1, 2, errors.InvalidJson("odd", b"x"), 3)
    assert events.take_many() == [1, 2]
    with pytest.raises(errors.InvalidJson):
        events.take_many()
    assert events.take_many() == [3]


def test_an_error_that_was_raised_is_freed_at_once():
    fault: Any = errors.InvalidJson("odd", b"x")
    seen = weakref.ref(fault)
    events = filled(fault)
    del fault
    with contextlib.suppress(errors.InvalidJson):
        events.take()
    assert seen() is None
