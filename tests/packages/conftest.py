"""Fixtures of the tests against real npm packages."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import textwrap
from typing import TYPE_CHECKING, Any

import pytest

from support import serializations
from support.node import node
from support.packages import packages as installed
from support.packagetable import RECORDING, SHOWN, SPOKEN
from support.pm2 import PM2

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path


PARENT = """
const [python, child] = process.argv.slice(2);
const done = (value) => console.log('DONE ' + JSON.stringify(value));
const outcome = (promise) => promise.then((value) => ({ value }), (error) => ({
  name: error.name, type: error.type, message: error.message, stack: String(error.stack),
}));
"""


@pytest.fixture(scope="session", autouse=True)
def traces(tmp_path_factory: pytest.TempPathFactory) -> None:
    """When a run is recorded, trace all channels from the first on."""
    if RECORDING in os.environ:
        serializations.trace_into(tmp_path_factory.mktemp("traces"))


@pytest.fixture(autouse=True)
def record(request: pytest.FixtureRequest, record_property: Callable[[str, object], None]) -> Iterator[None]:
    """When a run is recorded, report the result of a test with the mark `package`."""
    marks = list(request.node.iter_markers("package"))
    if RECORDING not in os.environ or not marks:
        yield
        return
    with serializations.seen_meanwhile() as seen:
        yield
    record_property(SHOWN, [mark.args for mark in marks])
    # Elsewhere the channel is that of the test and its program, and says nothing of the package.
    over_channel = all(mark.kwargs.get("channel", True) for mark in marks)
    record_property(SPOKEN, seen if over_channel else [])


@pytest.fixture(scope="session")
def packages() -> Path:
    """The folder whose `node_modules` holds the pinned packages."""
    return installed()


@pytest.fixture
def run_node(packages: Path, script: Callable[[str, str], Path]) -> Callable[..., Any]:
    """Run a module of Node in which `python` and `child` are at hand; return the JSON that it hands to `done`."""

    def run(source: str, child: str, **options: Any) -> Any:
        program = script("child.py", child)
        (program.parent / "node_modules").symlink_to(packages / "node_modules")
        parent = script("parent.mjs", PARENT + textwrap.dedent(source))
        found = subprocess.run(
            [node(), str(parent), sys.executable, str(program)],
            capture_output=True,
            text=True,
            timeout=50,
            process_group=0,
            check=False,
            cwd=program.parent,
            **options,
        )
        assert found.returncode == 0, found.stderr
        lines = [line for line in found.stdout.splitlines() if line.startswith("DONE ")]
        assert lines, (found.stdout, found.stderr)
        return json.loads(lines[-1].removeprefix("DONE "))

    return run


@pytest.fixture(scope="module")
def daemon(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PM2]:
    """PM2's daemon, which the tests of a module share."""
    with PM2(tmp_path_factory.mktemp("pm2")) as pm2:
        yield pm2


@pytest.fixture
def pm2(daemon: PM2) -> Iterator[PM2]:
    """PM2's daemon without programs."""
    yield daemon
    daemon.clear()
