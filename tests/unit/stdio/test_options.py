"""The options of a child over standard streams."""

from __future__ import annotations

import inspect
import subprocess

import pytest

from nodechannel import errors
from nodechannel._stdio import options
from nodechannel._stdio.options import SpawnOptions, StartOptions, refuse_handle, split
from support.options import described


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
