"""The options of a child over standard streams."""

from __future__ import annotations

import inspect
import re
import subprocess
from typing import Any, is_typeddict

import pytest

from nodechannel import errors
from nodechannel._stdio import options
from nodechannel._stdio.options import SpawnOptions, StartOptions, refuse_handle, split


def described(module: Any) -> set[str]:
    """The options that the docstrings of a module's classes explain."""
    classes = [part for part in vars(module).values() if is_typeddict(part)]
    lines = [
        found
        for part in classes
        for found in re.findall(r"^ {4}([a-z_][a-z_, ]*): ", inspect.getdoc(part) or "", re.MULTILINE)
    ]
    return {name for line in lines for name in line.split(", ")}


def test_every_option_of_a_process_is_explained_and_taken_by_popen():
    assert described(options) == {*StartOptions.__annotations__, *SpawnOptions.__annotations__}
    assert set(StartOptions.__annotations__) <= set(inspect.signature(subprocess.Popen).parameters)


def test_options_go_to_the_channel_or_to_the_process():
    given: SpawnOptions = {"linger": 1.0, "cwd": "/", "raw": True, "env": {}}
    assert split(given) == ({"linger": 1.0, "raw": True}, {"cwd": "/", "env": {}})


@pytest.mark.rule("STD-043")
def test_a_socket_is_refused_with_the_way_that_takes_it():
    refuse_handle(None)
    with pytest.raises(errors.InvalidHandle, match=r"nodechannel\.fork"):
        refuse_handle(object())
