"""Build the site: assemble the pages in a tree, and have Sphinx write them as HTML."""

from __future__ import annotations

import shutil
import sys

from sphinx.cmd.build import build_main

from docsite.assemble import assemble
from docsite.pages import OUTPUT, ROOT


def main() -> int:
    """Build into `build/docs/html`; return the exit status of Sphinx, to which a warning is an error."""
    shutil.rmtree(OUTPUT, ignore_errors=True)
    assemble(ROOT, OUTPUT / "source")
    words = ["-b", "dirhtml", "-W", "--keep-going", "-q"]
    return int(build_main([*words, str(OUTPUT / "source"), str(OUTPUT / "html")]))


if __name__ == "__main__":
    sys.exit(main())
