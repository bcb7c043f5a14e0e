"""Which files of the repository are pages, under which address, in which part of the site."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
OUTPUT = ROOT / "build" / "docs"

PARTS: dict[str, dict[str, str]] = {
    "Start": {
        "pyref/docs/start.md": "start",
        "pyref/docs/choose.md": "choose",
        "pyref/docs/zh.md": "zh",
    },
    "How to": {
        "pyref/docs/howto/*.md": "howto/",
        "pyref/recipes/*.md": "recipes/",
    },
    "Reference": {
        "pyref/README.md": "reference/python",
        "pyref/docs/environment.md": "reference/environment",
    },
    "Answers": {
        "pyref/docs/troubleshooting.md": "troubleshooting",
        "pyref/docs/faq.md": "faq",
        "pyref/docs/glossary.md": "glossary",
        "pyref/docs/explanation/*.md": "explanation/",
    },
    "The spec": {"spec/README.md": "spec/index", "spec/*.md": "spec/"},
    "The kit": {
        "conformance/README.md": "kit/index",
        "conformance/tutorial.md": "kit/tutorial",
        "conformance/docs/*.md": "kit/",
        "conformance/MATRIX.md": "kit/matrix",
        "conformance/MUTANTS.md": "kit/mutants",
    },
    "The project": {
        "README.md": "project/readme",
        "CHANGELOG.md": "project/changelog",
        "pyref/docs/policy.md": "project/policy",
        "ARCHITECTURE.md": "project/architecture",
        "CONTRIBUTING.md": "project/contributing",
        "node-interop/bench/README.md": "project/bench",
        "node-interop/bench/published/RESULTS.md": "project/results",
    },
}
"""For each part: a file or a pattern of files, and its address. An address that ends in `/` is a folder; pages keep their names there."""

HOME = "pyref/docs/index.md"


def parts(root: Path) -> dict[str, dict[str, str]]:
    """Return for each part its files below `root` with their addresses, each file once, in the order of the menu.

    Pages that are made and not kept, like those of the reference, stand there under the name of their pattern.
    """
    seen: set[str] = {HOME}
    found: dict[str, dict[str, str]] = {}
    for part, entries in PARTS.items():
        pages = found.setdefault(part, {})
        for pattern, address in entries.items():
            files = [str(path.relative_to(root)) for path in sorted(root.glob(pattern))]
            if not files:
                raise FileNotFoundError(f"{pattern}: there is no such page")
            for file in files:
                if file not in seen:
                    seen.add(file)
                    pages[file] = address + slug(file) if address.endswith("/") else address
    return found


def slug(file: str) -> str:
    """Return the last part of a page's address: the file's name without the number that orders chapters."""
    stem = Path(file).stem
    return "index" if stem == "README" else re.sub(r"^\d\d-", "", stem)
