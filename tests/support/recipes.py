"""The programs on a page of recipes, as files."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from support.node import ROOT

if TYPE_CHECKING:
    from pathlib import Path

RECIPES = ROOT / "pyref" / "recipes"

# A file on a page: its name on a line of its own, a blank line, its text.
_FILE = re.compile(r"^`([\w.-]+)`:\n\n```\w+\n(.*?)^```$", re.DOTALL | re.MULTILINE)


def files_of(page: str) -> dict[str, str]:
    """Return the text of each file on a page, by its name."""
    return dict(_FILE.findall((RECIPES / f"{page}.md").read_text()))


def write_files(page: str, folder: Path) -> None:
    """Write the files of a page into a folder."""
    files = files_of(page)
    assert files, f"{page}.md has no files"
    for name, text in files.items():
        (folder / name).write_text(text)
