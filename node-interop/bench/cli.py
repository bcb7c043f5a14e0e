"""The command line of the benchmarks."""

from __future__ import annotations

import argparse
import datetime as dt
import json
import os
import platform
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import bench.imports
from bench import tables
from bench.plan import PAIRS, SCENARIOS, Pair, Scenario
from bench.rounds import Effort, Rounds
from bench.runtimes import find, versions
from bench.summary import rows
from bench.targets import verdicts

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bench.running import Series
    from bench.targets import Verdict

ROOT = Path(__file__).resolve().parents[2]
TITLES = {pair.name: pair.title for pair in PAIRS}
SHORT = ("oneway-64-up", "roundtrip-64", "handles-server", "start")


def arguments() -> argparse.Namespace:
    """Read the command line."""
    effort = Effort()
    parser = argparse.ArgumentParser(prog="bench", description="measures pairs of processes on a channel")
    parser.add_argument("--list", action="store_true", help="show scenarios and pairs")
    parser.add_argument(
        "--only", nargs="+", default=[], metavar="WORDS", help="scenarios, such as oneway-64 or handles"
    )
    parser.add_argument("--pairs", nargs="+", default=[], metavar="NAME", help="pairs, such as node-py")
    parser.add_argument("--rounds", type=int, default=effort.rounds)
    parser.add_argument("--seconds", type=float, default=effort.seconds, help="length of one pass")
    parser.add_argument("--warm-up", type=int, default=effort.warm_up, help="rounds that do not count")
    parser.add_argument(
        "--short", action="store_true", help="show that everything runs; the numbers mean nothing"
    )
    parser.add_argument("--offline", action="store_true", help="do not fetch Bun and Deno")
    parser.add_argument("--output", type=Path, default=ROOT / "build" / "bench")
    return parser.parse_args()


def selection(options: argparse.Namespace) -> tuple[list[Scenario], list[Pair]]:
    """Return what to measure: everything unless options say otherwise."""
    only = options.only or (SHORT if options.short else [])
    scenarios = [one for one in SCENARIOS if not only or any(one.chosen(words) for words in only)]
    known = {pair.name for pair in PAIRS}
    for name in options.pairs:
        if name not in known:
            raise SystemExit(f"no pair is named {name}: see --list")
    if not scenarios:
        raise SystemExit("no scenario has these words in its name: see --list")
    return scenarios, [pair for pair in PAIRS if not options.pairs or pair.name in options.pairs]


def main() -> None:
    """Run the command line."""
    options = arguments()
    scenarios, pairs = selection(options)
    if options.list:
        print("scenarios:", *(one.name for one in scenarios))
        print("pairs:", *(pair.name for pair in pairs))
        return
    effort = Effort(options.rounds, options.seconds, options.warm_up)
    if options.short:
        effort = Effort(rounds=1, seconds=0.005, warm_up=0)
    run(scenarios, pairs, effort, options)


def run(
    scenarios: Sequence[Scenario], pairs: Sequence[Pair], effort: Effort, options: argparse.Namespace
) -> None:
    """Measure, print and write."""
    commands, absent = find({name for pair in pairs for name in pair.runtimes}, offline=options.offline)
    for name, why in absent.items():
        print(f"without {name}: {why}")
    pairs = [
        pair for pair in pairs if pair.runtimes <= commands.keys() and not (pair.many and not has_send_many())
    ]
    result: dict[str, object] = {"machine": machine(), "runtimes": versions(commands), "absent": absent}
    result["effort"] = asdict(effort)
    found: dict[str, dict[str, object]] = {}
    summary = {}
    for scenario in scenarios:
        rounds = Rounds(scenario, commands, options.output / "messages")
        series = rounds.measure([pair for pair in pairs if pair.can(scenario)], effort)
        summary[scenario.name] = rows(series)
        found[scenario.name] = as_json(scenario, series, rounds.failed)
        print(f"\n{scenario.name}: {tables.title(scenario)}\n")
        print(tables.scenario_table(scenario, summary[scenario.name], TITLES), flush=True)
        for name, why in rounds.failed.items():
            print(f"{name} failed: {why}")
    imports = {} if options.only or options.pairs else bench.imports.measure(effort.rounds)
    judged = verdicts(summary, imports)
    print_verdicts(judged)
    result["scenarios"] = found
    result["imports"] = {name: asdict(one) for name, one in imports.items()}
    result["targets"] = [asdict(one) for one in judged]
    options.output.mkdir(parents=True, exist_ok=True)
    path = options.output / "results.json"
    path.write_text(json.dumps(result, ensure_ascii=False, indent=1) + "\n")
    print(f"\n{path}")


def print_verdicts(judged: Sequence[Verdict]) -> None:
    """Print what is reached and what is not."""
    lines = [
        (one.measure, one.target, tables.number(one.value), "yes" if one.reached else "NO") for one in judged
    ]
    if lines:
        print(f"\n{tables.table(('measure', 'target', 'measured', 'reached'), lines)}")


def as_json(scenario: Scenario, series: dict[str, Series], failed: dict[str, str]) -> dict[str, object]:
    """Return everything that is known of a scenario, each pass included."""
    pairs = {name: row.to_json() | asdict(series[name]) for name, row in rows(series).items()}
    return {"title": tables.title(scenario), "pairs": pairs, "failed": failed}


def machine() -> dict[str, object]:
    """Return what the numbers depend on."""
    return {
        "date": dt.datetime.now(dt.UTC).isoformat(timespec="seconds"),
        "system": f"{platform.system()} {platform.machine()}",
        "cpus": os.cpu_count(),
        "load": round(os.getloadavg()[0], 1),
    }


def has_send_many() -> bool:
    """Whether the channel takes many messages in one call."""
    import nodechannel

    return hasattr(nodechannel.Channel, "send_many")
