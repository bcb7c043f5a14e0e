"""Locks and polls of the system."""

from __future__ import annotations

import _thread
import select

import pytest

from nodechannel._transport import native


def test_without_a_replacement_they_are_those_of_the_standard_library():
    assert (native.allocate_lock, native.get_ident, native.RLock) == (
        _thread.allocate_lock,
        _thread.get_ident,
        _thread.RLock,
    )
    assert native.poll is select.poll


def test_a_name_that_is_not_there_is_an_error():
    with pytest.raises(AttributeError):
        native.original("select", "no_such_name")
