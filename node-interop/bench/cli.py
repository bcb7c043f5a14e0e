"""The command line of the benchmarks."""

from __future__ import annotations

import argparse
import datetime as dt
import os
import platform
import signal
import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import bench.imports
from bench import many, publish, tables, tapping
from bench.plan import PAIRS, SCENARIOS, Pair, Scenario
from bench.results import Measured, Results
from bench.rounds import Effort, Rounds
from bench.runtimes import find, versions
from bench.summary import rows

if TYPE_CHECKING:
    from collections.abc import Sequence

ROOT = Path(__file__).resolve().parents[2]
PUBLISHED = Path(__file__).parent / "published"
SHORT = ("oneway-64-up", "roundtrip-64", "handles-server", "start")
SHORT_EFFORT = Effort(rounds=1, seconds=0.005, warm_up=0)
SHORT_PAIRS = (
    "node-node",
    "node-py",
    "aio-node",
    "uv-uv",
    "py-py+many",
    "bun-bun",
    "pipe-pipe",
    "raw-raw",
    "json-json",
)
# The word for `--only` that means the imports.
IMPORTS = "imports"
IMPORT_ROUNDS = 15
# The word that means the table of carriers, and the part of their messages in a short run.
CARRIERS = "carriers"
SHORT_SCALE = 0.002
# The word that means the figures of the tap beside those of pairs.
TAP = "tap"
# The word that means many channels in one process.
MANY = "many"
# The word that means the codec of advanced mode without a channel.
CODECS = "codecs"


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
    parser.add_argument("--keep", action="store_true", help="keep the other scenarios of the last results")
    parser.add_argument(
        "--short", action="store_true", help="show that everything runs; the numbers mean nothing"
    )
    parser.add_argument("--offline", action="store_true", help="do not fetch Bun and Deno")
    parser.add_argument(
        "--publish", action="store_true", help="put the last results into the repository, measure nothing"
    )
    parser.add_argument("--output", type=Path, default=ROOT / "build" / "bench")
    return parser.parse_args()


def selection(options: argparse.Namespace) -> tuple[list[Scenario], list[Pair]]:
    """Return the scenarios and pairs to measure: all of them unless options restrict them."""
    only = options.only or (SHORT if options.short else [])
    scenarios = [one for one in SCENARIOS if not only or any(one.chosen(words) for words in only)]
    if not set(only) <= {
        IMPORTS,
        TAP,
        CARRIERS,
        CODECS,
        MANY,
        *(words for words in only for one in SCENARIOS if one.chosen(words)),
    }:
        raise SystemExit("words that no scenario has in its name: see --list")
    known = {pair.name for pair in PAIRS}
    for name in options.pairs:
        if name not in known:
            raise SystemExit(f"no pair is named {name}: see --list")
    names = options.pairs or (SHORT_PAIRS if options.short else known)
    return scenarios, [pair for pair in PAIRS if pair.name in names]


def main() -> None:
    """Run the command line."""
    signal.signal(signal.SIGTERM, lambda _number, _frame: sys.exit("ended"))  # so that no pair stays behind
    options = arguments()
    if options.publish:
        publish.publish(Results.read(options.output / "results.json"), PUBLISHED, ROOT / "README.md")
        return
    scenarios, pairs = selection(options)
    if options.list:
        print("scenarios:", *(one.name for one in scenarios), IMPORTS, TAP, CODECS, MANY, CARRIERS)
        print("pairs:", *(pair.name for pair in pairs))
        return
    run(scenarios, pairs, options)


def run(scenarios: Sequence[Scenario], pairs: Sequence[Pair], options: argparse.Namespace) -> None:
    """Measure, print and write."""
    effort = SHORT_EFFORT if options.short else Effort(options.rounds, options.seconds, options.warm_up)
    commands, absent = find({name for pair in pairs for name in pair.runtimes}, offline=options.offline)
    for name, why in absent.items():
        print(f"without {name}: {why}")
    pairs = [pair for pair in pairs if pair.runtimes <= commands.keys()]
    file = options.output / "results.json"
    results = Results(machine(), versions(commands), absent, asdict(effort))
    if options.keep and file.exists():
        before = Results.read(file)
        results.scenarios, results.imports = before.scenarios, before.imports
        results.runtimes = before.runtimes | results.runtimes
    for scenario in scenarios:
        rounds = Rounds(scenario, commands, options.output / "messages")
        series = rounds.measure([pair for pair in pairs if pair.can(scenario)], effort)
        measured = results.scenarios[scenario.name] = Measured(
            rows(series, in_turn=scenario.in_turn), rounds.failed
        )
        results.write(file, passes=True)  # now, in case the user ends a long run
        print(
            f"\n{scenario.name}: {tables.title(scenario)}\n\n{tables.scenario_text(scenario, measured)}",
            flush=True,
        )
    if IMPORTS in options.only or not (options.only or options.pairs):
        results.imports = bench.imports.measure(1 if options.short else IMPORT_ROUNDS)
        print(f"\n{tables.imports_text(results.imports)}")
    if TAP in options.only or not (options.only or options.pairs or options.short):
        print(f"\n{tables.verdicts_text([*tapping.verdicts()])}")
    if CODECS in options.only or not (options.only or options.pairs or options.short):
        from bench import codecs  # only this word needs v8serialize

        print(f"\n{tables.verdicts_text([*codecs.verdicts()])}")
    if MANY in options.only or not (options.only or options.pairs or options.short):
        print(f"\n{tables.verdicts_text([*many.verdicts()])}")
    if CARRIERS in options.only or not (options.only or options.pairs or options.short):
        from carrierbench.__main__ import table  # only this word needs Redis and npm packages

        print(f"\n{table(rounds=1, scale=SHORT_SCALE) if options.short else table()}")
    if results.verdicts:
        print(f"\n{tables.verdicts_text(results.verdicts)}")
    results.write(file, passes=True)
    publish.write(results, options.output)
    print(f"\n{options.output}")


def machine() -> dict[str, object]:
    """Return the circumstances that the numbers depend on."""
    return {
        "date": dt.datetime.now(dt.UTC).isoformat(timespec="seconds"),
        "system": f"{platform.system()} {platform.machine()}",
        "cpus": os.cpu_count(),
        "load": round(os.getloadavg()[0], 1),
    }
