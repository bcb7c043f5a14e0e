"""What we want to reach, and whether it is reached."""

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


@dataclass(frozen=True)
class Verdict:
    """One target.

    Attributes:
        measure: what was measured.
        target: the words of the target.
        value: what came out.
        reached: whether that, rounded as it is shown, is enough.
    """

    measure: str
    target: str
    value: float
    reached: bool


def at_least(measure: str, limit: float, value: float | None, unit: str = "×") -> Iterator[Verdict]:
    """Yield the verdict on something that should be large; none when it was not measured."""
    if value is not None:
        yield Verdict(measure, f"≥ {limit:g} {unit}", value, round(value, 2) >= limit)


def at_most(measure: str, limit: float, value: float | None, unit: str = "×") -> Iterator[Verdict]:
    """Yield the verdict on something that should be small; none when it was not measured."""
    if value is not None:
        yield Verdict(measure, f"≤ {limit:g} {unit}", value, round(value, 2) <= limit)


def verdicts(rows: Rows, imports: Mapping[str, Import]) -> list[Verdict]:
    """Return the verdict on everything that was measured."""
    return [
        *_small(rows),
        *_against_bun(rows),
        *_round_trips(rows),
        *_large(rows),
        *_handles(rows),
        *_linear(rows),
        *_floor(rows),
        *_start(rows, imports),
    ]


def _row(rows: Rows, scenario: str, pair: str) -> Row | None:
    return rows.get(scenario, {}).get(pair)


def _with_node(*ends: str) -> Iterator[tuple[str, str]]:
    """Yield the pairs of Node and a Python end, with what a table calls them."""
    for end in ends:
        for many in ("", "+many"):
            call = ", send_many" if many else ""
            yield f"node-{end}{many}", f"{ENDS[end].title} child of Node{call}"
            yield f"{end}-node{many}", f"{ENDS[end].title} parent of Node{call}"


def _against_node(rows: Rows, scenario: str, what: str, limit: float) -> Iterator[Verdict]:
    for pair, who in _with_node("py", "aio", "uv"):
        row = _row(rows, scenario, pair)
        if row:
            yield from at_least(f"{what}, {who}", limit, row.times, "× Node↔Node")


def _small(rows: Rows) -> Iterator[Verdict]:
    for way, words in WAYS.items():
        yield from _against_node(rows, f"oneway-64-{way}", f"one-way 64 B {words}", 1.8)


def _against_bun(rows: Rows) -> Iterator[Verdict]:
    for way, words in WAYS.items():
        bun = _row(rows, f"oneway-64-{way}", "bun-bun")
        for end in ("py", "aio", "uv"):
            for many in ("", "+many"):
                row = _row(rows, f"oneway-64-{way}", f"{end}-{end}{many}")
                if row and bun:
                    name = f"one-way 64 B {words}, {ENDS[end].title}↔Python{', send_many' if many else ''}"
                    yield from at_least(name, 1, row.rate / bun.rate, "× Bun↔Bun")


def _round_trips(rows: Rows) -> Iterator[Verdict]:
    for end, limit in (("py", 1.0), ("aio", 1.3), ("uv", 1.3)):
        row = _row(rows, "roundtrip-64", f"node-{end}")
        if row and row.times:
            name = f"round trip 64 B, {ENDS[end].title} child of Node, time"
            yield from at_most(name, limit, 1 / row.times, "× Node child")


def _large(rows: Rows) -> Iterator[Verdict]:
    for size in ("64k", "1m"):
        for way, words in WAYS.items():
            what = f"one-way {size[:-1]} {size[-1].upper()}iB {words}"
            yield from _against_node(rows, f"oneway-{size}-{way}", what, 1.5)


def _handles(rows: Rows) -> Iterator[Verdict]:
    for kind in ("server", "socket"):
        yield from _against_node(rows, f"handles-{kind}", f"hand-overs of a {kind}", 1.0)


def _linear(rows: Rows) -> Iterator[Verdict]:
    for way, words in WAYS.items():
        for pair in ("py-py", "aio-aio"):
            half, whole = (_row(rows, f"oneway-{size}-{way}", pair) for size in ("32m", "64m"))
            if half and whole:
                name = f"64 MiB against 32 MiB, {pair} {words}"
                yield from at_most(f"{name}, time", 2.2, half.rate / whole.rate)
                for number, end in enumerate(("parent", "child")):
                    grown = whole.peak[number] - whole.before[number]
                    yield from at_most(
                        f"{name}, memory of the {end}", 4, grown / SIZES["64m"], "× the message"
                    )


def _floor(rows: Rows) -> Iterator[Verdict]:
    for scenario, found in rows.items():
        floor = found.get("json-json")
        if floor and scenario.startswith("oneway"):
            for pair in ("py-py", "py-py+many", "aio-aio", "aio-aio+many", "uv-uv", "uv-uv+many"):
                row = found.get(pair)
                if row:
                    name = f"CPU of both ends, {scenario}, {pair}"
                    yield from at_most(name, 1.5, row.cpu_both / floor.cpu_both, "× the floor's")


def _start(rows: Rows, imports: Mapping[str, Import]) -> Iterator[Verdict]:
    if imports:
        more = imports["nodechannel"].seconds - imports["empty"].seconds
        yield from at_most("`import nodechannel` over an empty interpreter", 30, more * 1000, "ms")
    row = _row(rows, "start", "node-py")
    if row and row.times:
        yield from at_most("first message of a Python child of Node, time", 1, 1 / row.times, "× Node child")
