"""Stand-ins of modules that only annotations name."""

from __future__ import annotations

import subprocess
import sys

import pytest

from nodechannel import _lazy


def test_a_stand_in_gives_what_the_module_has():
    import typing

    assert _lazy.typing.Any is typing.Any
    assert _lazy.subprocess.Popen is subprocess.Popen
    with pytest.raises(AttributeError, match="no_such_name"):
        _lazy.signal.no_such_name  # type: ignore[attr-defined]  # noqa: B018


def test_the_module_is_imported_for_its_first_attribute():
    program = (
        "import sys; from nodechannel import _lazy; before = 'ssl' in sys.modules; _lazy.ssl.SSLContext;"
        "print(before, 'ssl' in sys.modules)"
    )
    found = subprocess.run(
        [sys.executable, "-S", "-E", "-c", f"import sys; sys.path[:0] = {sys.path!r}\n{program}"],
        capture_output=True, text=True, check=False, timeout=30, process_group=0,
    )  # fmt: skip
    assert found.stdout == "False True\n", found.stderr
