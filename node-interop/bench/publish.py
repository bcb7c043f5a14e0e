"""The parts of a run that the repository shows: numbers, a page, plots, and the section of the README that is made from them."""

from __future__ import annotations

import re
import sys
from typing import TYPE_CHECKING

from bench.plan import BASE, SCENARIOS
from bench.plots import bars
from bench.tables import circumstances, full_text, number, table

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from bench.results import Results
    from bench.summary import Row

BEGIN, END = "<!-- from node-interop/bench/published/results.json by make bench-publish -->", "<!-- end -->"
SECTION = re.compile(f"(?<={BEGIN}\n).*?(?={END})", re.DOTALL)
PAGE = "node-interop/bench/README.md"
PLOTTED = ("oneway-64-up", "oneway-64-down", "roundtrip-64")
# The rows of the README: a heading, the scenarios that it sums up, and the unit of the rate.
ROWS = (
    ("Short messages (64 bytes), one way", ("oneway-64-up", "oneway-64-down"), "messages"),
    ("Question and answer (64 bytes)", ("roundtrip-64",), "round trips"),
    ("Objects of 1 KiB, one way", ("oneway-1k-nested-up", "oneway-1k-nested-down"), "messages"),
    ("Strings of 64 KiB, one way", ("oneway-64k-up", "oneway-64k-down"), "messages"),
    ("Sockets handed over", ("handles-socket",), "sockets"),
    ("A child starts and says its first word", ("start",), "children"),
)
# Its columns: pairs with a single Python end, and pairs with two; blocking and asyncio, parent and child.
COLUMNS = {
    "one Python end": ("node-py", "py-node", "node-aio", "aio-node"),
    "two Python ends": ("py-py", "aio-aio"),
}


def write(results: Results, folder: Path) -> None:
    """Write the page and the plots beside `results.json`."""
    (folder / "RESULTS.md").write_text(full_text(results))
    for scenario in SCENARIOS:
        measured = results.scenarios.get(scenario.name)
        if measured and measured.pairs:
            (folder / f"{scenario.name}.svg").write_text(bars(scenario, measured))


def publish(results: Results, folder: Path, readme: Path) -> None:
    """Put a run into the repository; exits when the run is not complete."""
    shown = {scenario for _, scenarios, _ in ROWS for scenario in scenarios}
    if missing := {*PLOTTED, *shown} - results.scenarios.keys():
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
    header = ["", "two Node processes", *COLUMNS]
    lines = [
        [
            heading,
            _rates(results, scenarios, unit),
            *(_times(results, scenarios, pairs) for pairs in COLUMNS.values()),
        ]
        for heading, scenarios, unit in ROWS
    ]
    return f"{table(header, lines)}\n\n{circumstances(results, PAGE)}\n"


def _rates(results: Results, scenarios: Sequence[str], unit: str) -> str:
    """Return how much a pair of Node processes does."""
    found = [
        round(row.rate, -3) if row.rate > 9999 else row.rate for row in _rows(results, scenarios, (BASE,))
    ]
    return f"{_range(found)} {unit} a second"


def _times(results: Results, scenarios: Sequence[str], pairs: Sequence[str]) -> str:
    """Return how many times as much pairs of processes do."""
    return f"{_range([row.times for row in _rows(results, scenarios, pairs) if row.times is not None])} ×"


def _rows(results: Results, scenarios: Sequence[str], pairs: Sequence[str]) -> list[Row]:
    measured = [results.scenarios[name] for name in scenarios]
    return [one.pairs[pair] for one in measured for pair in pairs if pair in one.pairs]


def _range(values: Sequence[float]) -> str:
    lowest, highest = number(min(values)), number(max(values))
    return lowest if lowest == highest else f"{lowest} to {highest}"
