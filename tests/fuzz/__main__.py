"""``python -m fuzz pr | explore | honesty``: exit status 0 without a finding, 1 with findings."""

from __future__ import annotations

import argparse
import dataclasses
import itertools
import subprocess
import sys
import time
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from channelkit.cli.matrix import subjects as runtimes
from channelkit.judge.subjects import Description, from_path
from channelkit.runtimes.node import find_node
from fuzz import machine, profiles
from fuzz.defects import DEFECTS
from fuzz.inprocess import PROPERTIES
from fuzz.profiles import ROOT
from fuzz.repertoire import MESSAGE_KINDS
from fuzz.search import PlanSearch, Property, Search
from fuzz.texts import SPELLING_KINDS, VALUE_KINDS

if TYPE_CHECKING:
    from collections.abc import Sequence

FOUND = ROOT / "build" / "findings"
SLICE = 4.0
"""Seconds that a search has before the next search takes its turn."""
PR_EXAMPLES = {"plans": 25, "machine": 60, "scheduled": 30, "forks": 1, "": 100}
"""Examples of a search by the first part of its name."""
WRAPPER = ROOT / "tests" / "fuzz" / "defective.py"


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line."""
    parser = argparse.ArgumentParser("fuzz", description=__doc__)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    fixed = commands.add_parser("pr", help="a fixed number of examples, the same each time")
    fixed.set_defaults(action=pr)
    random = commands.add_parser("explore", help="random examples until the time is over")
    random.set_defaults(action=explore)
    for each in (fixed, random):
        each.add_argument(
            "--only", default="", metavar="TEXT", help="only searches with this text in their names"
        )
        each.add_argument("--found", type=Path, default=FOUND, metavar="DIR", help="where findings are saved")
    random.add_argument("--seconds", type=float, default=600.0)
    random.add_argument(
        "--defect", choices=sorted(DEFECTS), help="break the reference first, and search it alone"
    )
    random.add_argument("--database", type=Path, default=profiles.DATABASE, metavar="DIR")
    honest = commands.add_parser("honesty", help="is every seeded defect found in time?")
    honest.add_argument("--seconds", type=float, default=120.0)
    honest.add_argument("names", nargs="*", default=sorted(DEFECTS), metavar="DEFECT")
    honest.set_defaults(action=honesty)
    arguments = parser.parse_args(argv)
    return int(arguments.action(arguments))


# ---- the searches -----------------------------------------------------------------------------------------


def reference(defect: str | None) -> list[Description]:
    """The reference, in both roles and with both front ends; with a defect, a single role and front end."""
    everyone = from_path(ROOT / "conformance" / "subjects")
    found = [
        one
        for one in everyone
        if one.name.startswith("pyref-")
        and one.role in ("child", "parent")
        and one.rung > 1
        and one.mode == "json"
    ]
    if defect is None:
        return found
    return [
        dataclasses.replace(one, command=(one.command[0], str(WRAPPER), defect, *one.command[1:]))
        for one in found
        if one.name in ("pyref-sync-child", "pyref-asyncio-parent")
    ]


def searches(defect: str | None, only: str) -> list[Search]:
    """All searches that this machine can run; prints the names of absent runtimes."""
    found: list[Search] = [
        PlanSearch(f"plans/{one.name}", subjects=[one], strict=True) for one in reference(defect)
    ]
    found += [
        Property(name, make=make) for name, make in PROPERTIES.items() if name != "json-node" or find_node()
    ]
    if defect is None:
        found += _others()
    return [one for one in found if only in one.name]


def _others() -> list[Search]:
    everyone = [
        one for one in runtimes(None, others=False) if one.role in ("child", "parent") and one.mode == "json"
    ]
    present = [one for one in everyone if not one.problem]
    if absent := sorted({one.name.rpartition("-")[0] for one in everyone if one.problem}):
        print(f"absent: {', '.join(absent)}; `channelkit runtimes fetch` brings them", flush=True)
    found: list[Search] = [PlanSearch(f"plans/{one.name}", subjects=[one]) for one in present]
    for role in ("child", "parent"):
        nodes = [one for one in present if one.role == role and one.name.startswith("node@")]
        if len(nodes) > 1:
            found.append(PlanSearch(f"differences/node-{role}", subjects=nodes))
    return found


# ---- commands ---------------------------------------------------------------------------------------------


def pr(arguments: argparse.Namespace) -> int:
    """The same examples each time. The promoted cases are part of the catalogue, which `make conformance` runs."""
    chosen = [
        one
        for one in searches(None, arguments.only)
        if not one.name.startswith(("plans/bun", "plans/deno", "plans/node", "differences"))
    ]
    for one in chosen:
        number = next(count for name, count in PR_EXAMPLES.items() if one.name.startswith(name))
        started = time.monotonic()
        one.run(profiles.pr, number, seconds=600.0)
        print(f"{one.name}: {one.examples} examples, {time.monotonic() - started:.1f} s", flush=True)
    return conclude(chosen, arguments.found)


def explore(arguments: argparse.Namespace) -> int:
    """Random examples, each search in turn, until the time is over."""
    until = time.monotonic() + arguments.seconds
    if arguments.defect:
        DEFECTS[arguments.defect]()
    chosen = searches(arguments.defect, arguments.only)
    turns = itertools.cycle(chosen)
    while time.monotonic() < until and not all(one.findings for one in chosen):
        one = next(turns)
        if one.findings:
            continue
        # Each time Hypothesis first runs the examples that failed before, then goes on at random.
        profile = partial(profiles.explore, database=arguments.database / one.name.replace("/", "-"))
        one.run(profile, None, min(SLICE, until - time.monotonic()))
        if arguments.defect and one.findings:
            break
    return conclude(chosen, arguments.found)


def conclude(chosen: Sequence[Search], folder: Path) -> int:
    """Print the numbers of the search, save its findings."""
    with ExitStack() as stack:
        for one in chosen:
            if isinstance(one, PlanSearch):
                stack.callback(one.close)
        for one in chosen:
            print(
                f"{one.name}: {one.examples} new examples, {len(one.findings)} findings, {len(one.unconfirmed)} not confirmed"
            )
            for plan in one.unconfirmed:
                print(f"  not confirmed: {plan}"[:400])
        if any("machine" in one.name for one in chosen):
            print(f"state tables: {machine.report()}")
        kinds = frozenset(kind for one in chosen for kind in one.kinds)
        if kinds:
            wanted = MESSAGE_KINDS | VALUE_KINDS | SPELLING_KINDS
            print(
                f"kinds: {len(kinds & wanted)} of {len(wanted)}; never: {', '.join(sorted(wanted - kinds)) or 'none'}"
            )
        print(f"{sum(one.examples for one in chosen)} new examples ran")
        found = [finding for one in chosen for finding in one.findings]
        for finding in found:
            target = finding.save(folder)
            print(
                f"FOUND by {finding.search} after {finding.seconds:.1f} s: {finding.text[-1500:]}\n  saved: {target}"
            )
            if finding.plan:
                print(
                    f"  channelkit replay {target} --subjects …\n  channelkit promote {target} --id fuzz-… --title …"
                )
    return 1 if found else 0


def honesty(arguments: argparse.Namespace) -> int:
    """Each defect in a process of its own; a table of the seconds until it was found."""
    missed = []
    for name in arguments.names:
        started = time.monotonic()
        command = [
            sys.executable,
            "-m",
            "fuzz",
            "explore",
            "--defect",
            name,
            "--seconds",
            str(arguments.seconds),
        ]
        folders = [
            "--found",
            f"{ROOT}/build/honesty/{name}",
            "--database",
            f"{ROOT}/build/honesty/{name}/database",
        ]
        result = subprocess.run([*command, *folders], capture_output=True, text=True, check=False)
        found = [line for line in result.stdout.splitlines() if line.startswith("FOUND by ")]
        seconds = time.monotonic() - started
        if not found:
            missed.append(name)
            print(result.stdout[-2000:], result.stderr[-2000:], file=sys.stderr)
        print(
            f"| {name} | {seconds:.0f} | {found[0].split(':')[0].removeprefix('FOUND by ') if found else 'NOT FOUND'} |",
            flush=True,
        )
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
