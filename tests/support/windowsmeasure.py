"""Measures each Node of the laboratory of Windows, and writes `spec/measured-windows.json`.

PYTHONPATH=tests python -m support.windowsmeasure
"""

from __future__ import annotations

import datetime as dt
import json
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TYPE_CHECKING, Any

from support.node import ROOT
from support.windows import Laboratory, laboratory, windows_path

if TYPE_CHECKING:
    from pathlib import Path

TARGET = ROOT / "spec" / "measured-windows.json"
SECONDS = 1200.0


def measured(laboratory: Laboratory, node: Path, part: str = "", seconds: float = SECONDS) -> dict[str, Any]:
    """Return what a Node does, in the rows whose id contains `part`."""
    env = {"PYTHONPATH": windows_path(ROOT / "node-interop")}
    words: list[str | Path] = ["-m", "measure.windows", node, *([part] if part else [])]
    ended = laboratory.run(laboratory.python, *words, env=env, seconds=seconds)
    assert ended.status == 0, ended.stderr
    found: dict[str, Any] = json.loads(ended.stdout)
    return found


def main() -> None:
    """Write the file."""
    here = laboratory()
    with ThreadPoolExecutor(2) as pool:
        found = list(pool.map(partial(measured, here), here.nodes.values()))
    heads = [f"Windows Node {major}" for major in here.nodes]
    rows = [
        {
            "id": id_,
            "area": "WIN",
            "question": question,
            "cells": {head: one["cells"][id_] for head, one in zip(heads, found, strict=True)},
        }
        for id_, question in found[0]["questions"].items()
    ]
    content = {
        "date": dt.datetime.now(dt.UTC).date().isoformat(),
        "system": f"{found[0]['system']} of Wine",
        "runtimes": {head: one["version"] for head, one in zip(heads, found, strict=True)},
        "rows": rows,
    }
    TARGET.write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n", "utf-8")
    print(f"{len(rows)} rows, {len(heads)} runtimes")


if __name__ == "__main__":
    main()
