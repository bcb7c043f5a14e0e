"""Links between files of the repository become links between pages; a file that is no page is copied as text and can be downloaded."""

from __future__ import annotations

import posixpath
import re
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

_LINK = re.compile(r"(?<=\]\()([^)\s]+)(?=\))")
_FENCE = re.compile(r"^(```.*?^```$)", re.MULTILINE | re.DOTALL)
COPIES = "files"
"""The folder of the site that has the files which are linked and are no pages."""


class BrokenLinkError(Exception):
    """A link of a page leads to no file of the repository."""


class Links:
    """Rewrites the links of pages.

    Args:
        root: the repository.
        addresses: for each file that is a page its address.

    Attributes:
        copied: the files that are no pages and are linked, pictures among them.
    """

    def __init__(self, root: Path, addresses: dict[str, str]) -> None:
        self._root = root
        self._addresses = addresses
        self.copied: set[str] = set()

    def rewrite(self, text: str, file: str, address: str) -> str:
        """Return the text of `file` for the page at `address`. Raises `BrokenLinkError`."""
        return outside_code(
            text, lambda part: _LINK.sub(lambda found: self._target(found[0], file, address), part)
        )

    def _target(self, link: str, file: str, address: str) -> str:
        if re.match(r"[a-z]+:|#", link):
            return link
        path, _, anchor = link.partition("#")
        target = posixpath.normpath(posixpath.join(posixpath.dirname(file), path))
        anchor = anchor and f"#{anchor}"
        if target in self._addresses:
            return relative(self._addresses[target], address) + ".md" + anchor
        if not (self._root / target).exists():
            raise BrokenLinkError(f"{file}: {link} leads to no file")
        if (self._root / target).is_dir():
            raise BrokenLinkError(f"{file}: {link} leads to a folder; link a file in it")
        self.copied.add(target)
        if is_picture(target):
            return relative(f"{COPIES}/{target}", address)
        return f"path:{relative(f'{COPIES}/{target}.txt', address)}"


def is_picture(file: str) -> bool:
    """Return whether a page shows the file instead of linking it."""
    return Path(file).suffix in {".svg", ".png"}


def outside_code(text: str, change: Callable[[str], str]) -> str:
    """Return the text with its parts outside fenced code changed."""
    return "".join(part if part.startswith("```") else change(part) for part in _FENCE.split(text))


def relative(address: str, here: str) -> str:
    """Return the path from the page `here` to another address."""
    return posixpath.relpath(address, posixpath.dirname(here) or ".")
