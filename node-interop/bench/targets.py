"""Our targets, and whether they are reached."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from bench.plan import ENDS, SIZES

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from bench.imports import Import
    from bench.summary import Row

    Rows = Mapping[str, Mapping[str, Row]]

WAYS = {"up": "child → parent", "down": "parent → child"}
PYTHON = ("py", "aio", "uv")
# The floors that work as an end does, where it does not join messages.
ALIKE = {"py": ("json", "each"), "aio": ("loop",), "uv": ("uvloop",)}
BOTH_PYTHON = [f"{end}-{end}{many}" for end in PYTHON for many in ("", "+many")]


@dataclass(frozen=True)
class Verdict:
    """A target.

    Attributes:
        measure: the measured quantity.
        target: the words of the target.
        value: the result.
        reached: whether that, rounded as it is shown, is enough.
        by_cpu: the same by processor time, which other load on the machine hardly changes; None where that says nothing or nothing else.
        bare: what a bare socket reaches in Python's place, where the other end is Node: no implementation can be much better. It
            serializes nothing and parses nothing, but for the least that a hand-over takes.
    """

    measure: str
    target: str
    value: float
    reached: bool
    by_cpu: float | None = None
    bare: float | None = None


def at_least(
    limit: float, measure: str, unit: str, value: float | None, **more: float | None
) -> Iterator[Verdict]:
    """Yield the verdict on a quantity that should be large; none when it was not measured."""
    if value is not None:
        yield Verdict(measure, f"≥ {limit:g} {unit}", value, round(value, 2) >= limit, **more)


def at_most(
    limit: float, measure: str, unit: str, value: float | None, **more: float | None
) -> Iterator[Verdict]:
    """Yield the verdict on a quantity that should be small; none when it was not measured."""
    if value is not None:
        yield Verdict(measure, f"≤ {limit:g} {unit}", value, round(value, 2) <= limit, **more)


def inverse(value: float | None) -> float | None:
    """Return how many times the time is, from how many times the rate is."""
    return 1 / value if value else None


def verdicts(rows: Rows, imports: Mapping[str, Import]) -> list[Verdict]:
    """Return the verdicts on all measurements."""
    return [
        *_small(rows),
        *_against_bun(rows),
        *_round_trips(rows),
        *_large(rows),
        *_handles(rows),
        *_linear(rows),
        *_floor(rows),
        *_start(rows, imports),
        *_tapped(rows),
        *_advanced(rows),
    ]


def _row(rows: Rows, scenario: str, pair: str) -> Row | None:
    return rows.get(scenario, {}).get(pair)


def _call(pair: str) -> str:
    return ", many at once" if pair.endswith("+many") else ""


def _times(rows: Rows, scenario: str, pair: str) -> float | None:
    row = _row(rows, scenario, pair)
    return row.times if row else None


def _against_node(rows: Rows, scenario: str, what: str, limit: float) -> Iterator[Verdict]:
    """Judge every pair of Node and Python against Node↔Node."""
    for end in PYTHON:
        for pair in (f"node-{end}", f"node-{end}+many", f"{end}-node", f"{end}-node+many"):
            row = _row(rows, scenario, pair)
            if row:
                role = "child" if pair.startswith("node") else "parent"
                name = f"{what}, {ENDS[end].title} {role} of Node{_call(pair)}"
                more = {"by_cpu": row.cpu_times, "bare": _bare(rows, scenario, pair, end)}
                yield from at_least(limit, name, "× Node↔Node", row.times, **more)


def _bare(rows: Rows, scenario: str, pair: str, end: str) -> float | None:
    """Return the rate of a bare socket in the place of a Python end, if possible of a socket that works as that end does."""
    alike = () if pair.endswith("+many") else ALIKE[end]
    replaced = (pair.removesuffix("+many").replace(end, floor) for floor in (*alike, "raw"))
    return next(filter(None, (_times(rows, scenario, name) for name in replaced)), None)


def _small(rows: Rows) -> Iterator[Verdict]:
    for way, words in WAYS.items():
        yield from _against_node(rows, f"oneway-64-{way}", f"one-way 64 B {words}", 1.8)


def _advanced(rows: Rows) -> Iterator[Verdict]:
    """Judge pairs of Node and Python in the mode ``advanced`` against Node's own pairs in that mode."""
    sizes = (("64-object", 1.2), ("1k-nested", 0.8), ("64k-buffer", 1.5), ("1m-buffer", 1.5))
    for size, limit in sizes:
        for way, words in WAYS.items():
            scenario = f"oneway-{size}-advanced-{way}"
            what = f"advanced, one-way {size.replace('-', ' ')} {words}"
            yield from _against_node(rows, scenario, what, limit)
            if size == "64-object":
                yield from _against_node_26(rows, scenario, what)


def _against_node_26(rows: Rows, scenario: str, what: str) -> Iterator[Verdict]:
    base = _row(rows, scenario, "node26-node26")
    for end in PYTHON:
        for pair in (f"node-{end}", f"{end}-node", f"node-{end}+many", f"{end}-node+many"):
            row = _row(rows, scenario, pair)
            if row and base:
                role = "child" if pair.startswith("node") else "parent"
                name = f"{what}, {ENDS[end].title} {role} of Node{_call(pair)}"
                yield from at_least(1, name, "× two Nodes 26", row.rate / base.rate)


def _against_bun(rows: Rows) -> Iterator[Verdict]:
    for way, words in WAYS.items():
        bun = _row(rows, f"oneway-64-{way}", "bun-bun")
        for pair in BOTH_PYTHON:
            row = _row(rows, f"oneway-64-{way}", pair)
            if row and bun:
                name = f"one-way 64 B {words}, {ENDS[pair.split('-')[0]].title} at both ends{_call(pair)}"
                by_cpu = max(bun.cpu) / max(row.cpu)
                yield from at_least(1, name, "× Bun↔Bun", row.rate / bun.rate, by_cpu=by_cpu)


def _round_trips(rows: Rows) -> Iterator[Verdict]:
    bare = inverse(_times(rows, "roundtrip-64", "node-raw"))
    for end, limit in (("py", 1.0), ("aio", 1.3), ("uv", 1.3)):
        row = _row(rows, "roundtrip-64", f"node-{end}")
        if row:
            name = f"round trip 64 B, {ENDS[end].title} child of Node, time"
            by_cpu = inverse(row.cpu_times)
            yield from at_most(limit, name, "× Node child", inverse(row.times), by_cpu=by_cpu, bare=bare)


def _large(rows: Rows) -> Iterator[Verdict]:
    for size, name in (("64k", "64 KiB"), ("1m", "1 MiB")):
        for way, words in WAYS.items():
            yield from _against_node(rows, f"oneway-{size}-{way}", f"one-way {name} {words}", 1.5)


def _handles(rows: Rows) -> Iterator[Verdict]:
    for kind in ("server", "socket"):
        yield from _against_node(rows, f"handles-{kind}", f"hand-overs of a {kind}", 1.0)


def _linear(rows: Rows) -> Iterator[Verdict]:
    for way, words in WAYS.items():
        for pair in ("py-py", "aio-aio"):
            half, whole = (_row(rows, f"oneway-{size}-{way}", pair) for size in ("32m", "64m"))
            if half and whole:
                name = f"64 MiB against 32 MiB, {pair} {words}"
                by_cpu = whole.cpu_both / half.cpu_both
                yield from at_most(2.2, f"{name}, time", "×", half.rate / whole.rate, by_cpu=by_cpu)
                for place, end in enumerate(("parent", "child")):
                    grown = (whole.peak[place] - whole.before[place]) / SIZES["64m"]
                    yield from at_most(4, f"{name}, memory of the {end}", "× the message", grown)


def _floor(rows: Rows) -> Iterator[Verdict]:
    """Judge against a bare socket that joins messages of the same JSON, and the blocking `send` also against a call for each."""
    for scenario, found in rows.items():
        for pair in BOTH_PYTHON:
            floors = ["json-json", "each-each"] if pair == "py-py" else ["json-json"]
            for floor in floors:
                if scenario.startswith("oneway") and pair in found and floor in found:
                    name = f"CPU of both ends, {scenario}, {pair} against {floor}"
                    ratio = found[pair].cpu_both / found[floor].cpu_both
                    yield from at_most(1.5, name, "× the floor's", ratio)


def _start(rows: Rows, imports: Mapping[str, Import]) -> Iterator[Verdict]:
    if imports:
        ours, empty = imports["nodechannel"], imports["empty"]
        name = "`import nodechannel` over an empty interpreter"
        by_cpu = 1000 * (ours.cpu - empty.cpu)
        yield from at_most(30, name, "ms", 1000 * (ours.seconds - empty.seconds), by_cpu=by_cpu)
    row = _row(rows, "start", "node-py")
    if row:
        name = "first message of a Python child of Node, time"
        yield from at_most(1, name, "× Node child", inverse(row.times), by_cpu=inverse(row.cpu_times))


def _tapped(rows: Rows) -> Iterator[Verdict]:
    """Judge the tap in front of a Node child against the same child without it."""
    plain, tapped = (_row(rows, "roundtrip-64", pair) for pair in ("node-node", "node-tap"))
    if plain and tapped:
        more = 1e6 / tapped.rate - 1e6 / plain.rate
        yield from at_most(40, "round trip 64 B behind the tap, time added", "µs", more)
    for scenario, limit, words in (
        *((f"oneway-{size}-{way}", 0.9, f"one-way {size}") for size in ("64", "1m") for way in WAYS),
        *((f"handles-{kind}", 0.6, f"hand-overs of a {kind}") for kind in ("server", "socket")),
    ):
        way = scenario.rpartition("-")[2]
        name = f"{words} {WAYS.get(way, '')} behind the tap".replace("  ", " ")
        yield from at_least(limit, name, "× Node↔Node", _times(rows, scenario, "node-tap"))
