"""No false alarm: recordings of pinned runtimes, of clusters and of real packages. `support/real_recordings.py` makes them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from channelkit.lint.linter import lint
from channelkit.runtimes.pinned import runtimes
from channelkit.tap.reading import read
from channelkit.tap.record import DOWN, UP
from support.real_recordings import FOLDER, MODES, WITHOUT_MODES
from support.talks import PACKAGES

if TYPE_CHECKING:
    from pathlib import Path

RECORDINGS = sorted(FOLDER.glob("*.ctap"))
NEWER = "ADV-010"
"""Node from 18 on writes version 15, and the rule asks for the version that every Node reads."""


@pytest.mark.parametrize("path", RECORDINGS, ids=[path.stem for path in RECORDINGS])
def test_real_ends_break_no_rule(path: Path) -> None:
    recording = read(path)
    assert recording.header["redacted"]
    assert recording.damage is None
    assert {entry.way for entry in recording.entries if entry.data} == {DOWN, UP} or path.stem.startswith(
        ("pm2", "egg")
    )
    broken = {found.rule for found in lint(recording.header, recording.entries)}
    assert broken <= ({NEWER} if recording.mode == "advanced" else set())


def test_every_pinned_runtime_is_there_in_both_roles() -> None:
    names = {path.stem for path in RECORDINGS}
    for one in runtimes():
        if one.driven and not one.historical:
            for mode in MODES[: 1 if one.name in WITHOUT_MODES else 2]:
                ends = ((one.name, one.name), (one.name, "nodechannel"), ("nodechannel", one.name))
                assert {f"{parent}-{child}-{mode}" for parent, child in ends} <= names


def test_every_package_is_there() -> None:
    assert {path.stem.rpartition("-")[0] for path in RECORDINGS} >= {*PACKAGES, "egg"}
