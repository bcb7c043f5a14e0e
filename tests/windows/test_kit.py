"""The conformance kit on Windows, under Wine: it does not run there, and says where it does."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from channelkit.cli.entry import NOT_ON_WINDOWS
from support.node import ROOT
from support.windows import windows_path

if TYPE_CHECKING:
    from pathlib import Path

    from support.windows import Laboratory

pytestmark = pytest.mark.windows


@pytest.mark.parametrize("words", [(), ("run", "--", "child"), ("tap", "--", "child"), ("--help",)], ids=str)
def test_the_kit_names_the_systems_that_it_runs_on(laboratory: Laboratory, words: tuple[str, ...]) -> None:
    env = {"PYTHONPATH": windows_path(ROOT / "conformance")}
    ended = laboratory.run(laboratory.python, "-m", "channelkit", *words, env=env)
    assert (ended.status, ended.stdout, ended.stderr) == (3, "", NOT_ON_WINDOWS)


def test_the_single_file_does_so_too(laboratory: Laboratory, tmp_path: Path) -> None:
    archive = tmp_path / "channelkit.pyz"
    subprocess.run([sys.executable, ROOT / "conformance" / "archive.py", archive], check=True, timeout=60)
    ended = laboratory.run(laboratory.python, archive, "run")
    assert (ended.status, ended.stdout, ended.stderr) == (3, "", NOT_ON_WINDOWS)
