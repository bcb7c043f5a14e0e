"""The marks of a tree, and where no watcher can be started. Real trees are in `tests/interop/test_lifeline.py`."""

from __future__ import annotations

import os
import sys

import pytest

from nodechannel._start.lifeline import MARKS, check, new_mark
from nodechannel.errors import LifelineUnsupported


def test_each_tree_has_its_mark_and_keeps_those_around_it():
    environ: dict[str, str] = {}
    first = new_mark(environ)
    assert environ == {MARKS: first}
    second = new_mark(environ)
    assert environ == {MARKS: f"{first}:{second}"}
    assert len({first, second}) == 2


def test_this_system_can():
    check()


def test_a_system_without_descriptors_of_processes_cannot(monkeypatch):
    monkeypatch.delattr(os, "pidfd_open")
    with pytest.raises(LifelineUnsupported, match="no pidfd"):
        check()


@pytest.mark.parametrize(("name", "value"), [("frozen", True), ("executable", "")])
def test_a_frozen_program_cannot(monkeypatch, name, value):
    monkeypatch.setattr(sys, name, value, raising=False)
    with pytest.raises(LifelineUnsupported, match="frozen"):
        check()
