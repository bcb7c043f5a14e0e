"""What the repository shows of a run: its numbers, a page, plots, and the section of the README that is made from them."""

from __future__ import annotations

import re
import sys
from typing import TYPE_CHECKING

from bench.plan import BASE, SCENARIOS
from bench.plots import bars
from bench.tables import TITLES, circumstances, full_text, number, table

if TYPE_CHECKING:
    from pathlib import Path

    from bench.results import Results

BEGIN, END = "<!-- from node-interop/bench/published/results.json by make bench-publish -->", "<!-- end -->"
SECTION = re.compile(f"(?<={BEGIN}\n).*?(?={END})", re.DOTALL)
BASE_TITLE = TITLES[BASE]
PAGE = "node-interop/bench/README.md"
PLOTTED = ("oneway-64-up", "oneway-64-down", "roundtrip-64")
PAIRS = (
    *("node-node", "node-py", "py-node", "node-aio", "aio-node", "node-uv", "uv-node"),
    *("py-py", "py-py+many", "aio-aio", "uv-uv", "bun-bun", "deno-deno", "pipe-pipe", "json-json"),
)
COLUMNS = {
    "oneway-64-up": "64 B up",
    "oneway-64-down": "64 B down",
    "roundtrip-64": "64 B and back",
    "oneway-1k-nested-up": "1 KiB nested up",
    "oneway-64k-up": "64 KiB up",
    "oneway-1m-up": "1 MiB up",
    "handles-socket": "sockets",
    "start": "starts",
}


def write(results: Results, folder: Path) -> None:
    """Write the page and the plots beside `results.json`."""
    (folder / "RESULTS.md").write_text(full_text(results))
    for scenario in SCENARIOS:
        measured = results.scenarios.get(scenario.name)
        if measured and measured.pairs:
            (folder / f"{scenario.name}.svg").write_text(bars(scenario, measured))


def publish(results: Results, folder: Path, readme: Path) -> None:
    """Put a run into the repository; exits when it was not a whole one."""
    if missing := {*PLOTTED, *COLUMNS} - results.scenarios.keys():
        sys.exit(f"not published: nothing was measured for {', '.join(sorted(missing))}")
    folder.mkdir(parents=True, exist_ok=True)
    results.write(folder / "results.json", passes=False)
    (folder / "RESULTS.md").write_text(full_text(results))
    for scenario in SCENARIOS:
        if scenario.name in PLOTTED:
            (folder / f"{scenario.name}.svg").write_text(bars(scenario, results.scenarios[scenario.name]))
    readme.write_text(SECTION.sub(lambda _: section(results), readme.read_text()))


def section(results: Results) -> str:
    """Return the README's section on performance."""
    header = [f"{BASE_TITLE}: in a second; others: × {BASE_TITLE}", *COLUMNS.values()]
    lines = [[TITLES[pair], *(_cell(results, scenario, pair) for scenario in COLUMNS)] for pair in PAIRS]
    return f"{table(header, lines)}\n\n{circumstances(results, PAGE)}\n"


def _cell(results: Results, scenario: str, pair: str) -> str:
    measured = results.scenarios.get(scenario)
    row = measured.pairs.get(pair) if measured else None
    if row is None:
        return number(None)
    return number(row.rate if pair == BASE else row.times)
