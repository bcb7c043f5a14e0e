"""Results as Markdown."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bench.plan import PAIRS, SCENARIOS, SIZES

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from bench.imports import Import
    from bench.plan import Scenario
    from bench.results import Measured, Results
    from bench.summary import Row
    from bench.targets import Verdict

TITLES = {pair.name: pair.title for pair in PAIRS}
UNITS = {"up": "messages/s", "down": "messages/s", "echo": "round trips/s", "start": "starts/s"}
COLUMNS = (
    "*By CPU* is the same comparison by processor time, which the load of the machine hardly changes. *Bare socket* is what a "
    "socket reaches in Python's place that does nothing but what it must: the most that Node's end allows."
)


def table(header: Sequence[str], lines: Iterable[Sequence[str]]) -> str:
    """Return a Markdown table with its first column to the left and the remaining columns to the right."""
    body = [header, *lines]
    widths = [max(len(line[column]) for line in body) for column in range(len(header))]
    rule = ["-" * widths[0], *("-" * (width - 1) + ":" for width in widths[1:])]
    return "\n".join(_line(line, widths) for line in (header, rule, *body[1:]))


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    first, *others = [
        cell.rjust(width) if column else cell.ljust(width)
        for column, (cell, width) in enumerate(zip(cells, widths, strict=True))
    ]
    return f"| {' | '.join([first, *others])} |"


def scenario_text(scenario: Scenario, measured: Measured) -> str:
    """Return the table of a scenario with the pairs in the order of the plan, and the pairs that could not do it."""
    header = (
        "parent ↔ child",
        UNITS.get(scenario.kind, "handles/s"),
        "× Node↔Node",
        "CPU µs parent",
        "CPU µs child",
        "× by CPU",
        "MB parent",
        "MB child",
    )
    text = table(header, [_cells(TITLES[name], row) for name, row in measured.pairs.items()])
    failed = [f"\n{TITLES[name]} could not: {why}" for name, why in measured.failed.items()]
    return "\n".join([text, *failed])


def _cells(name: str, row: Row) -> list[str]:
    return [
        name,
        number(row.rate),
        number(row.times),
        number(row.cpu[0]),
        number(row.cpu[1]),
        number(row.cpu_times),
        number(row.peak[0] / 1e6 or None),
        number(row.peak[1] / 1e6 or None),
    ]


def verdicts_text(verdicts: Iterable[Verdict]) -> str:
    """Return the table of targets and verdicts."""
    lines = [
        (
            one.measure,
            one.target,
            number(one.value),
            "yes" if one.reached else "NO",
            number(one.by_cpu),
            number(one.bare),
        )
        for one in verdicts
    ]
    return table(("measure", "target", "measured", "reached", "by CPU", "bare socket"), lines)


def imports_text(imports: Mapping[str, Import]) -> str:
    """Return the table of the costs of imports."""
    empty = imports["empty"]
    lines = [
        (
            name,
            number(1000 * one.seconds),
            number(1000 * (one.seconds - empty.seconds)),
            number(1000 * one.cpu),
        )
        for name, one in imports.items()
    ]
    return table(("import", "ms", "ms over empty", "CPU ms"), lines)


def full_text(results: Results) -> str:
    """Return the page with all tables."""
    parts = [
        "# Results",
        circumstances(results, "../README.md"),
        "## Targets",
        verdicts_text(results.verdicts),
    ]
    for scenario in SCENARIOS:
        measured = results.scenarios.get(scenario.name)
        if measured:
            parts += [f"## {title(scenario)}", scenario_text(scenario, measured)]
    if results.imports:
        parts += ["## Start of an interpreter that imports and ends", imports_text(results.imports)]
    return "\n\n".join(parts) + "\n"


def circumstances(results: Results, meaning: str) -> str:
    """Return a sentence on the circumstances of the numbers; `meaning` is the place of the page that explains them."""
    machine = results.machine
    versions = ", ".join(f"{name} {version}" for name, version in sorted(results.runtimes.items()))
    return (
        f"{machine['date'][:10]}, {machine['system']}, {machine['cpus']} processors; {versions}. "
        f"Medians of {results.effort['rounds']} rounds or more; [what a number means]({meaning})."
    )


def number(value: float | None) -> str:
    """Return a number with the figures that count, or a dash when there is none."""
    if value is None:
        return "–"
    return f"{value:,.0f}" if value >= 100 else f"{value:.1f}" if value >= 10 else f"{value:.2f}"


def size_name(size: str) -> str:
    """Return a size in the usual notation, for example ``64 KiB``."""
    return f"{SIZES[size]} B" if SIZES[size] < 1024 else f"{size[:-1]} {size[-1].upper()}iB"


def title(scenario: Scenario) -> str:
    """Return a heading."""
    if not scenario.size:
        return {
            "server": "Handles: a listening server, parent to child",
            "socket": "Handles: accepted sockets, parent to child",
            "start": "Start of a child until its first message",
        }[scenario.kind]
    what = {"up": "One-way, child to parent", "down": "One-way, parent to child", "echo": "Round trip"}
    form = "nested messages" if scenario.nested else f"{scenario.form}s" if scenario.form else "strings"
    mode = "" if scenario.serialization == "json" else f", mode {scenario.serialization}"
    return f"{what[scenario.kind]}, {form} of {size_name(scenario.size)}{mode}"
