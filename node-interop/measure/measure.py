"""Measures what runtimes do on the channel and writes `spec/measured.json`, from which the tables of `spec/` are made.

    python node-interop/measure/measure.py                  every pinned runtime; writes the file
    python node-interop/measure/measure.py -k hnd- "Node 20"   some rows of some runtimes; prints only

The runtimes are those of `channelkit runtimes`, which fetches what its cache lacks. Linux only.
"""

from __future__ import annotations

import argparse
import datetime as dt
import json
import platform
import sys
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from fetch import COLUMNS, Runtime, fetch
from observations import ALL, Observation
from probe import Peer

ROOT = Path(__file__).resolve().parents[2]
TARGET = ROOT / "spec" / "measured.json"


def measure(runtime: Runtime, observation: Observation) -> str:
    """Return the word for one cell; what goes wrong with the harness itself is raised."""
    return observation.measure(partial(Peer, runtime))


def column(runtime: Runtime, rows: list[Observation]) -> dict[str, str]:
    """Return the cells of one runtime by the id of their row."""
    cells = {}
    for observation in rows:
        try:
            cells[observation.id] = measure(runtime, observation)
        except Exception as error:
            error.add_note(f"while measuring {observation.id} on {runtime.name}")
            raise
    return cells


def main() -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(description="measures what runtimes do on the channel")
    parser.add_argument("names", nargs="*", help=f"runtimes, of {', '.join(COLUMNS)}")
    parser.add_argument("-k", default="", help="only rows whose id contains this")
    parser.add_argument("-j", type=int, default=2, help="runtimes at a time")
    options = parser.parse_args()
    rows = [observation for observation in ALL if options.k in observation.id]
    runtimes = fetch(options.names)
    with ThreadPoolExecutor(options.j) as pool:
        columns = list(pool.map(partial(column, rows=rows), runtimes))
    if options.k or options.names:
        for observation in rows:
            print(f"{observation.id}: {observation.question}")
            for runtime, cells in zip(runtimes, columns, strict=True):
                print(f"    {runtime.name:8} {cells[observation.id]}")
        return
    content = {
        "date": dt.datetime.now(dt.UTC).date().isoformat(),
        "system": f"{platform.system()} {platform.release().split('-')[0]} {platform.machine()}",
        "runtimes": {runtime.name: runtime.version for runtime in runtimes},
        "rows": [
            {
                "id": observation.id,
                "area": observation.area,
                "question": observation.question,
                "cells": {
                    runtime.name: cells[observation.id]
                    for runtime, cells in zip(runtimes, columns, strict=True)
                },
            }
            for observation in rows
        ],
    }
    TARGET.write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n", "utf-8")
    print(f"{len(rows)} rows, {len(runtimes)} runtimes")


if __name__ == "__main__":
    main()
