"""The laboratory itself: its programs run, speak to their peers, and leave no process behind."""

from __future__ import annotations

import contextlib
import os
import sys
from pathlib import Path

import pytest

from support.windows import MARK, ON_WINDOWS, Laboratory, marked

pytestmark = pytest.mark.windows

FORK = """
const { fork } = require('child_process')
if (process.argv[2] === 'child') {
  process.on('message', message => { process.send({ echo: message }); process.disconnect() })
} else {
  const child = fork(__filename, ['child'])
  child.on('message', message => console.log(JSON.stringify(message)))
  child.on('exit', code => console.log('exit', code))
  child.send({ hello: 'wörld' })
}
"""


def test_a_node_for_windows_speaks_to_a_child(laboratory: Laboratory, node: Path, tmp_path: Path) -> None:
    (tmp_path / "fork.js").write_text(FORK, "utf-8")
    ended = laboratory.run(node, "fork.js", cwd=tmp_path)
    assert (ended.stdout, ended.stderr) == ('{"echo":{"hello":"wörld"}}\nexit 0\n', "")
    assert ended.status == 0


def test_python_for_windows_has_its_modules_and_packages(laboratory: Laboratory) -> None:
    code = "import sys, _overlapped, ctypes, socket, orjson, pytest; print(sys.platform, *sys.version_info[:2]); sys.exit(7)"
    ended = laboratory.run(laboratory.python, "-c", code)
    assert (ended.status, ended.stdout.split(), ended.stderr) == (
        7,
        ["win32", *map(str, sys.version_info[:2])],
        "",
    )


@pytest.mark.skipif(ON_WINDOWS, reason="it looks at processes of Wine")
def test_a_program_that_takes_too_long_is_killed_with_its_children(laboratory: Laboratory) -> None:
    code = "import subprocess, sys; subprocess.run([sys.executable, '-c', 'while True: pass'])"
    ended = laboratory.run(laboratory.python, "-c", code, seconds=8)
    assert ended.status == -9
    assert not [run for run in _runs() if f"-{os.getpid()}-" in run and marked(run)]


def _runs() -> set[str]:
    """Return the marks of all runs on this machine that have a process."""
    found = set()
    for path in Path("/proc").glob("[0-9]*/environ"):
        with contextlib.suppress(OSError):
            variables = path.read_bytes().decode(errors="replace").split("\0")
            found |= {value.partition("=")[2] for value in variables if value.startswith(f"{MARK}=")}
    return found
