"""Measures a Node for Windows and prints its cells as JSON: `python -m measure.windows NODE [PART OF AN ID]`, on Windows."""

from __future__ import annotations

import sys

assert sys.platform == "win32"

import json
import platform
import subprocess

from measure.windows.rows import ROWS


def main() -> None:
    """Run the command line."""
    node, part = sys.argv[1], (sys.argv[2:] or [""])[0]
    version = subprocess.run(
        [node, "--version"], capture_output=True, text=True, check=True, timeout=60
    ).stdout.strip()
    cells = {}
    for id_, _question, measure in ROWS:
        if part in id_:
            try:
                cells[id_] = measure(node)
            except Exception as error:
                error.add_note(f"while measuring {id_}")
                raise
    questions = {id_: question for id_, question, _measure in ROWS if id_ in cells}
    found = {
        "version": version.removeprefix("v"),
        "system": platform.platform(),
        "questions": questions,
        "cells": cells,
    }
    print(json.dumps(found, indent=1))


if __name__ == "__main__":
    main()
