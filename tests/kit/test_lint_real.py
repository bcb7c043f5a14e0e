"""No false alarm: frames of real Node and of the reference break no rule."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest

from channelkit.lint.linter import lint
from channelkit.tap.reading import Recording, read
from support.node import node
from support.talks import CLUSTER, ECHO_NODE, ECHO_PYTHON, HANDLES, PARENT_PYTHON_HANDLES

if TYPE_CHECKING:
    from pathlib import Path

    from channelkit.lint.violation import Violation


def followed(folder: Path, *command: str) -> list[Recording]:
    """The recordings of a program that ran to its end."""
    done = subprocess.run(
        [sys.executable, "-m", "channelkit", "tap", "--follow", "-o", str(folder / "taps"), "--", *command],
        capture_output=True,
        text=True,
        check=False,
        timeout=50,
        process_group=0,
        env=dict(os.environ),
    )
    assert done.returncode == 0, done
    deadline = time.monotonic() + 10
    while True:
        found = [read(path) for path in sorted((folder / "taps").glob("*.ctap"))]
        if all(any(entry.end for entry in one.entries) for one in found):
            return found
        assert time.monotonic() < deadline, found
        time.sleep(0.01)


def script(folder: Path, name: str, text: str) -> list[str]:
    path = folder / name
    path.write_text(text, "utf-8")
    return [sys.executable if name.endswith(".py") else node(), str(path)]


def violations(recording: Recording) -> list[Violation]:
    """All but the newer version of frames, which every Node from 18 on writes."""
    return [found for found in lint(recording.header, recording.entries) if found.rule != "ADV-010"]


@pytest.mark.parametrize("mode", ["json", "advanced"])
@pytest.mark.parametrize("child", ["child.cjs", "child.py"])
@pytest.mark.parametrize("parent", ["parent.cjs", "parent.py"])
def test_pairs_of_real_ends_break_no_rule(tmp_path: Path, parent: str, child: str, mode: str) -> None:
    texts = {
        "child.cjs": ECHO_NODE,
        "child.py": ECHO_PYTHON,
        "parent.cjs": HANDLES,
        "parent.py": PARENT_PYTHON_HANDLES,
    }
    start = script(tmp_path, parent, texts[parent])
    [found] = followed(tmp_path, *start, mode, *script(tmp_path, child, texts[child]))
    assert violations(found) == []
    assert sum(len(entry.descriptors) for entry in found.entries) >= 2


@pytest.mark.parametrize("policy", ["round-robin", "shared"])
def test_clusters_of_node_break_no_rule(tmp_path: Path, policy: str) -> None:
    found = followed(tmp_path, *script(tmp_path, "app.cjs", CLUSTER), policy)
    assert len(found) == 2
    for one in found:
        assert violations(one) == []
        assert one.header["worker"] in ("1", "2")
