"""Exceptions as text."""

from __future__ import annotations

import copy
import pickle

from nodechannel._dialects.faults import Fault, RemoteException, describe


def raised(error: Exception) -> Exception:
    try:
        raise error
    except Exception as caught:
        return caught


def test_an_exception_keeps_its_name_its_text_and_its_traceback():
    fault = describe(raised(ValueError("no é")))
    assert (fault.name, fault.message) == ("ValueError", "no é")
    assert fault.stack.startswith("Traceback")
    assert "in raised\n" in fault.stack
    assert fault.stack.endswith("ValueError: no é\n")


def test_a_lone_surrogate_is_escaped():
    fault = describe(raised(OSError("a\udcff")))
    assert fault.message == "a\\udcff"
    fault.stack.encode()


def test_an_exception_of_another_process_stays_what_it_was_there():
    remote = RemoteException("TypeError", "x", "at f (a.js:1:1)", {"a": 1})
    assert describe(remote) == Fault("TypeError", "x", "at f (a.js:1:1)")
    assert str(remote) == "TypeError: x"
    assert str(RemoteException("TypeError", "")) == "TypeError"


def test_it_can_be_pickled_and_copied():
    remote = RemoteException("A", "b", "c", [1])
    for other in (pickle.loads(pickle.dumps(remote)), copy.copy(remote)):
        assert (other.name, other.message, other.stack, other.data) == ("A", "b", "c", [1])
