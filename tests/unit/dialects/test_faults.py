"""Exceptions as text."""

from __future__ import annotations

import copy
import pickle

from nodechannel._dialects.faults import Fault, RemoteException, Uncommon, describe


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


class Silent(Exception):
    """An exception without a text."""

    def __str__(self) -> str:
        raise RuntimeError("no text")


def test_an_exception_whose_text_fails_keeps_its_name():
    fault = describe(raised(Silent()))
    assert (fault.name, fault.message) == ("Silent", "")
    assert "in raised\n" in fault.stack


def test_an_exception_that_cannot_be_printed_keeps_its_name():
    error = SyntaxError("bad")
    error.lineno, error.text = 1, object()  # type: ignore[assignment]  # the traceback module calls methods of it
    assert describe(raised(error)).name == "SyntaxError"


def test_causes_in_a_circle_end():
    first, second = ValueError("first"), ValueError("second")
    first.__cause__, second.__cause__ = second, first
    assert describe(first).stack.count("ValueError: first") == 1


def test_a_carrier_is_described_as_its_cause():
    carrier = Uncommon()
    carrier.__cause__ = KeyboardInterrupt("x")
    assert describe(carrier)[:2] == ("KeyboardInterrupt", "x")


def test_an_exception_of_another_process_stays_what_it_was_there():
    remote = RemoteException("TypeError", "x", "at f (a.js:1:1)", {"a": 1})
    assert describe(remote) == Fault("TypeError", "x", "at f (a.js:1:1)")
    assert str(remote) == "TypeError: x"
    assert str(RemoteException("TypeError", "")) == "TypeError"


def test_it_can_be_pickled_and_copied():
    remote = RemoteException("A", "b", "c", [1])
    for other in (pickle.loads(pickle.dumps(remote)), copy.copy(remote)):
        assert (other.name, other.message, other.stack, other.data) == ("A", "b", "c", [1])
