"""Measures runtimes on the channel and writes `spec/measured.json`, the source of the tables of `spec/`.

    PYTHONPATH=node-interop python -m measure --write             every row of every pinned runtime, into the file
    PYTHONPATH=node-interop python -m measure --write -k hnd-     some rows, into the file
    PYTHONPATH=node-interop python -m measure -k hnd- "Node 20"   some rows of some runtimes, printed

The runtimes are those of `channelkit runtimes`, which fetches runtimes that its cache lacks. Linux only.
"""

from __future__ import annotations

import argparse
import datetime as dt
import json
import platform
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import measure.chapters  # noqa: F401 (registers the rows)
from measure.peer import Peer
from measure.runtimes import COLUMNS, OLDER, Runtime, fetch
from measure.table import ALL, Observation

ROOT = Path(__file__).resolve().parents[2]
TARGET = ROOT / "spec" / "measured.json"


def cell(runtime: Runtime, observation: Observation) -> str:
    """Return the word for a cell. An error of the harness itself is raised."""
    return observation.measure(partial(Peer, runtime))


def column(runtime: Runtime, rows: list[Observation]) -> dict[str, str]:
    """Return the cells of a runtime by the id of their row."""
    cells = {}
    for observation in rows:
        try:
            cells[observation.id] = cell(runtime, observation)
        except Exception as error:
            error.add_note(f"while measuring {observation.id} on {runtime.name}")
            raise
    return cells


def measured(names: list[str], rows: list[Observation], jobs: int) -> dict[str, dict[str, str]]:
    """Return for each row its cells by the heads of the columns."""
    runtimes = fetch(names)
    with ThreadPoolExecutor(jobs) as pool:
        columns = list(pool.map(partial(column, rows=rows), runtimes))
    return {
        row.id: {runtime.name: cells[row.id] for runtime, cells in zip(runtimes, columns, strict=True)}
        for row in rows
    }


def show(rows: list[Observation], cells: dict[str, dict[str, str]]) -> None:
    """Print the rows; runtimes that agree stand together."""
    for row in rows:
        print(f"{row.id}: {row.question}")
        groups: dict[str, list[str]] = {}
        for name, word in cells[row.id].items():
            groups.setdefault(word, []).append(name.removeprefix("Node "))
        for word, names in groups.items():
            print(f"    {' '.join(names)}: {word}")


def write(rows: list[Observation], jobs: int) -> None:
    """Measure these rows on every runtime and put them into the file; its rows are then those of the program, in its order."""
    cells = measured(list(COLUMNS), rows, jobs)
    older = measured(list(OLDER), [row for row in rows if row.older], jobs)
    versions = {runtime.name: runtime.version for runtime in fetch([*OLDER, *COLUMNS])}
    known = {row["id"]: row for row in json.loads(TARGET.read_text("utf-8"))["rows"]}
    for row in rows:
        more = {"older": older[row.id]} if row.older else {}
        known[row.id] = {
            "id": row.id,
            "area": row.area,
            "question": row.question,
            "cells": cells[row.id],
            **more,
        }
    content = {
        "date": dt.datetime.now(dt.UTC).date().isoformat(),
        "system": f"{platform.system()} {platform.release().split('-')[0]} {platform.machine()}",
        "runtimes": {name: versions[name] for name in COLUMNS},
        "older": {name: versions[name] for name in OLDER},
        "rows": [known[row.id] for row in ALL],
    }
    TARGET.write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n", "utf-8")
    print(f"{len(rows)} of {len(ALL)} rows, {len(COLUMNS)} runtimes")


def main() -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(prog="measure", description="measures what runtimes do on the channel")
    parser.add_argument("names", nargs="*", help=f"runtimes, of {', '.join([*OLDER, *COLUMNS])}")
    parser.add_argument("-k", default="", help="only rows whose id contains this")
    parser.add_argument("-j", type=int, default=2, help="runtimes at a time")
    parser.add_argument(
        "--write", action="store_true", help="put the rows into spec/measured.json, measured on every runtime"
    )
    options = parser.parse_args()
    rows = [row for row in ALL if options.k in row.id]
    if options.write:
        write(rows, options.j)
    else:
        show(rows, measured(options.names or list(COLUMNS), rows, options.j))


if __name__ == "__main__":
    main()
