"""The tree of pages that Sphinx reads, made of files from all rooms of the repository."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

from docsite.links import COPIES, Links, is_picture, outside_code
from docsite.pages import HOME, parts
from docsite.pictures import with_pictures
from docsite.reference import reference_pages
from docsite.rules import read_evidence, read_rules, with_evidence, with_links
from docsite.states import with_states

_LANGUAGES = {"cluster": "text", "frames": "text", "wire": "text", "abnf": "abnf"}
"""Words behind a fence that are no language which Pygments knows."""
_FENCE = re.compile(r"^```(\w+)[^\n]*$", re.MULTILINE)
PRINTED = "spec/print"
"""The address of the page with all chapters."""
_CHAPTER = re.compile(r"spec/\d\d-.*\.md")


def assemble(root: Path, source: Path) -> None:
    """Write the tree for Sphinx below `source`. Raises `BrokenLinkError`."""
    table = parts(root)
    addresses = {file: address for pages in table.values() for file, address in pages.items()} | {
        HOME: "index"
    }
    menu = {part: list(pages.values()) for part, pages in table.items()}
    writer = _Writer(root, addresses)
    for file, address in addresses.items():
        _write(source / f"{address}.md", writer.page(file, address))
    _write(source / f"{PRINTED}.md", writer.printed(PRINTED))
    menu["The spec"].append(PRINTED)
    for address, text in reference_pages().items():
        _write(source / f"{address}.rst", text)
        menu["Reference"].append(address)
    with (source / "index.md").open("a", encoding="utf-8") as home:
        home.write("".join(_menu(part, pages) for part, pages in menu.items()))
    _extras(root, source, writer.links.copied, addresses)


class _Writer:
    """Makes pages of Markdown files.

    Attributes:
        links: the links of all pages.
    """

    def __init__(self, root: Path, addresses: dict[str, str]) -> None:
        self._root = root
        self._chapters = [file for file in addresses if _CHAPTER.fullmatch(file)]
        self.links = Links(root, addresses)
        self._evidence = read_evidence(root)
        rules = read_rules(root)
        self._homes = {name: addresses[f"spec/{rule['chapter']}"] for name, rule in rules.items()}

    def page(self, file: str, address: str) -> str:
        """Return the page for a file. Raises `BrokenLinkError`."""
        text = self.links.rewrite((self._root / file).read_text("utf-8"), file, address)
        if file.startswith(("spec/", "conformance/")):
            homes = self._homes
            text = outside_code(text, lambda part: with_links(part, address, homes))
        if file in self._chapters:
            text = outside_code(text, lambda part: with_evidence(part, self._evidence))
        return _for_sphinx(text)

    def printed(self, address: str) -> str:
        """Return all chapters on a single page, without the evidence."""
        texts = [
            self.links.rewrite((self._root / file).read_text("utf-8"), file, address)
            for file in self._chapters
        ]
        homes = dict.fromkeys(self._homes, address)
        parts = (
            outside_code(text, lambda part: with_evidence(_lower(with_links(part, address, homes)), {}))
            for text in texts
        )
        return _for_sphinx("# The spec on one page\n\n" + "\n\n".join(parts))


def _lower(text: str) -> str:
    """Return the text with its headings a level lower."""
    return re.sub(r"^#", "##", text, flags=re.MULTILINE)


def _for_sphinx(text: str) -> str:
    return _FENCE.sub(
        lambda found: f"```{_LANGUAGES.get(found[1], found[1])}", with_states(with_pictures(text))
    )


def _menu(part: str, pages: list[str]) -> str:
    return f"\n```{{toctree}}\n:caption: {part}\n:hidden:\n:maxdepth: 1\n\n" + "\n".join(pages) + "\n```\n"


def _extras(root: Path, source: Path, copied: set[str], addresses: dict[str, str]) -> None:
    """Write the files beside the pages: copies of linked files, the rules for machines, style and configuration."""
    extra = source / "_extra"
    for file in copied:
        target = source / COPIES / (file if is_picture(file) else f"{file}.txt")
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(root / file, target)
    rules = read_rules(root)
    for name, rule in rules.items():
        rule["address"] = addresses["spec/" + rule["chapter"]] + "/#" + name
    _write(extra / "spec/spec.json", json.dumps({"rules": rules}, indent=1, ensure_ascii=False) + "\n")
    here = Path(__file__).parent
    _write(source / "_static/site.css", (here / "site.css").read_text("utf-8"))
    _write(source / "conf.py", (here / "conf.py").read_text("utf-8"))


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, "utf-8")
