"""The pages of the documentation: a test follows each page as its reader would."""

from __future__ import annotations

import pytest

from support.node import ROOT
from support.tour import FENCE, Tour

PAGES = sorted((ROOT / "pyref" / "docs").rglob("*.md"))
SHOWN = ("sh", "yaml", "text", "wire")
"""Languages of fences that are shown and not run: commands for a remote machine, and exchanges that `spec/build.py` checks."""


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_a_page_can_be_followed(page, tmp_path):
    text = page.read_text("utf-8")
    languages = {fence[1] for fence in FENCE.finditer(text)} - set(SHOWN)
    if not languages:
        return
    assert Tour(tmp_path).follow(text, also=SHOWN), "the page shows files and runs no command"


def test_how_to_pages_run_something():
    for page in PAGES:
        if page.parent.name == "howto":
            assert "```console" in page.read_text("utf-8"), page.name
