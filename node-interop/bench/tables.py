"""Results as Markdown."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bench.plan import SIZES

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from bench.plan import Scenario
    from bench.summary import Row

UNITS = {"up": "messages/s", "down": "messages/s", "echo": "round trips/s", "start": "starts/s"}


def table(header: Sequence[str], lines: Iterable[Sequence[str]]) -> str:
    """Return a Markdown table, its first column to the left and all others to the right."""
    body = [header, *lines]
    widths = [max(len(line[column]) for line in body) for column in range(len(header))]
    rule = ["-" * widths[0], *("-" * (width - 1) + ":" for width in widths[1:])]
    return "\n".join(_line(line, widths) for line in (header, rule, *body[1:]))


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    first, *others = [
        cell.rjust(width) if number else cell.ljust(width)
        for number, (cell, width) in enumerate(zip(cells, widths, strict=True))
    ]
    return f"| {' | '.join([first, *others])} |"


def scenario_table(scenario: Scenario, rows: Mapping[str, Row], titles: Mapping[str, str]) -> str:
    """Return the table of a scenario, the pairs in the order of the plan."""
    header = (
        "parent → child",
        UNITS.get(scenario.kind, "handles/s"),
        "× Node↔Node",
        "CPU µs parent",
        "CPU µs child",
        "× by CPU",
        "MB parent",
        "MB child",
    )
    return table(header, [_cells(titles[name], row) for name, row in rows.items()])


def _cells(title: str, row: Row) -> list[str]:
    return [
        title,
        number(row.rate),
        times(row.times),
        number(row.cpu[0]),
        number(row.cpu[1]),
        times(row.cpu_times),
        number(row.peak[0] / 1e6),
        number(row.peak[1] / 1e6),
    ]


def number(value: float) -> str:
    """Return a number with three figures that count, and thousands apart."""
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}" if value >= 10 else f"{value:.2f}"


def times(value: float | None) -> str:
    """Return a ratio, or a dash when there is nothing to compare with."""
    return "–" if value is None else f"{value:.2f}"


def title(scenario: Scenario) -> str:
    """Return a heading."""
    size = {64: "64 B"}.get(
        SIZES.get(scenario.size, 0), f"{scenario.size[:-1]} {scenario.size[-1:].upper()}iB"
    )
    message = f"{'nested messages' if scenario.nested else 'strings'} of {size}"
    return {
        "up": f"One-way, child to parent, {message}",
        "down": f"One-way, parent to child, {message}",
        "echo": f"Round trip, {message}",
        "server": "Handles: a listening server, parent to child",
        "socket": "Handles: accepted sockets, parent to child",
        "start": "Start of a child until its first message",
    }[scenario.kind]
