"""The options of a child process, compared with the options of `subprocess.Popen`."""

from __future__ import annotations

import inspect
import subprocess
import typing

from nodechannel._core.options import OpenOptions
from nodechannel._start.options import SpawnOptions

OWN = {"lifeline", "end_on_signal"}


def test_all_that_is_passed_on_is_an_option_of_popen():
    passed = set(typing.get_type_hints(SpawnOptions)) - set(typing.get_type_hints(OpenOptions)) - OWN
    assert passed <= set(inspect.signature(subprocess.Popen).parameters)
    assert {"env", "cwd", "stdin", "stdout", "stderr", "pass_fds"} <= passed


def test_none_of_them_is_required():
    assert SpawnOptions.__required_keys__ == frozenset()


def test_the_docstring_names_each():
    text = inspect.getdoc(SpawnOptions) or ""
    own = set(typing.get_type_hints(SpawnOptions)) - set(typing.get_type_hints(OpenOptions))
    missing = [name for name in own if name not in text]
    assert missing == []
