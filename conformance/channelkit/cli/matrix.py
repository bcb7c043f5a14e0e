"""``channelkit matrix``: every pinned runtime in both roles, the reference and the sample adapters, side by side."""

import argparse
import contextlib
import difflib
import json
import os
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TypeVar

from channelkit.catalogue.cases import Case, select
from channelkit.catalogue.loading import shipped
from channelkit.catalogue.othermode import MODE
from channelkit.errors import UsageError
from channelkit.judge.known import read as read_known
from channelkit.judge.runner import Options, pairs, run
from channelkit.judge.subjects import Description, from_path
from channelkit.limits import Limits
from channelkit.pairs import pairing
from channelkit.pairs.trials import TRIALS
from channelkit.report.committed import differences
from channelkit.report.console import show_pairs
from channelkit.report.markdown import render
from channelkit.report.results import Report, add_report_option
from channelkit.report.terminal import Terminal
from channelkit.resources import find
from channelkit.runtimes.pinned import Runtime, runtimes
from channelkit.wire.modes import JSON_LINES

T = TypeVar("T")
_PROGRESS = 5.0
"""Seconds between two lines of progress."""
_ROLES = (("child", 2), ("parent", 3), ("worker", 0), ("primary", 0))
_ECHO = (("child", 0),)
_CHAPTER = "adv"


def add(parser: argparse.ArgumentParser) -> None:
    """Declares the arguments."""
    parser.add_argument(
        "-k", dest="pattern", metavar="PATTERN", help="only the cases that fit PATTERN, as for `run`"
    )
    parser.add_argument("--runtime", action="append", metavar="NAME", help="only these runtimes (repeatable)")
    parser.add_argument(
        "--only-runtimes", action="store_true", help="leave out the reference and the sample adapters"
    )
    parser.add_argument(
        "--jobs",
        type=int,
        default=8 * (os.cpu_count() or 1),
        metavar="N",
        help="parallel processes; as many more may wait for known failures (default %(default)s)",
    )
    parser.add_argument("--time-scale", type=float, default=1.0, metavar="F", help="multiplies every limit")
    parser.add_argument("--no-pairs", action="store_true", help="leave out parent by child, as -k does")
    parser.add_argument(
        "--check", type=Path, metavar="FILE", help="fail when this Markdown file differs from the result"
    )
    parser.add_argument(
        "--of",
        type=Path,
        metavar="RESULTS",
        help="with --check: start no run, and compare the results.json of an earlier run, as far as it goes",
    )
    add_report_option(parser)
    parser.set_defaults(action=act)


def subjects(names: Sequence[str] | None, *, others: bool) -> list[Description]:
    """The subjects: the runtimes (only ``names``, if given) and, with ``others``, all of ``subjects/`` except Node."""
    if names:
        unknown = set(names) - {one.name for one in runtimes()}
        if unknown:
            raise UsageError(f"no runtime is named {', '.join(sorted(unknown))}: see `channelkit runtimes`")
    chosen = [one for one in runtimes() if (one.name in names if names else not one.historical)]
    found = [
        _as_subject(one, role, rung) for one in chosen for role, rung in (_ROLES if one.driven else _ECHO)
    ]
    found += [
        _as_subject(one, role, rung, MODE)
        for one in chosen
        if one.driven and not one.historical
        for role, rung in _ROLES
        if rung
    ]
    if others:
        found += [one for one in from_path(find("subjects")) if not one.name.startswith("node-")]
    return found


def _as_subject(runtime: Runtime, role: str, rung: int, mode: str = JSON_LINES.mode) -> Description:
    advanced = mode == MODE
    name = f"{runtime.name}-{f'{mode}-' if advanced else ''}{role}"
    words = ("run", "-A") if runtime.name == "deno" else ()
    command = (
        str(runtime.path),
        *words,
        str(find(_program(role, rung))),
        *(("--advanced",) if advanced else ()),
    )
    try:
        known = read_known(find(f"known/matrix/{name}.txt"))
    except UsageError:
        known = {}
    problem = "" if runtime.is_there else runtime.state
    reproduce = _reproduce(runtime, role, rung, words, mode)
    return Description(name, role, rung, command, reproduce, known, problem=problem, mode=mode)


def _program(role: str, rung: int) -> str:
    if rung == 0:
        return f"adapters/node/{'echo' if role == 'child' else role}.cjs"
    return "node-interop/adapter.cjs"


def _reproduce(runtime: Runtime, role: str, rung: int, words: Sequence[str], mode: str) -> str:
    command = " ".join([str(runtime.path), *words, _program(role, rung)])
    more = f" --rung {rung}" if role == "child" else ""
    if mode == MODE:
        return f"--{role} '{command} --advanced'{more} --profile advanced-{role}"
    return f"--{role} '{command}'{more}"


def _asked(case: Case, subject: Description) -> bool:
    """Whether the matrix asks it. In the mode ``advanced`` a runtime gets chapter 35; `make conformance` asks Node all chapters."""
    of_runtime = subject.name.partition(f"-{MODE}-")[0] in {one.name for one in runtimes()}
    return subject.mode != MODE or not of_runtime or case.topic == _CHAPTER


def act(arguments: argparse.Namespace) -> int:
    """Runs it; 1 when a subject deviates in a way that no list knows or the committed file differs."""
    if arguments.of is not None:
        return _check(arguments.check, arguments.of)
    cases = select(shipped(), arguments.pattern, None)
    everything = subjects(arguments.runtime, others=not (arguments.only_runtimes or arguments.runtime))
    present = [one for one in everything if not one.problem]
    absent = {one.name: one.problem for one in everything if one.problem}
    for name, why in absent.items():
        print(f"absent: {name}: {why}", flush=True)
    work = [(case, one) for case, one in pairs(present, cases) if _asked(case, one)]
    if not work:
        raise UsageError("no subject is here: `channelkit runtimes fetch` brings the runtimes")
    pairs_too = not (arguments.no_pairs or arguments.pattern)
    report = Report(present, cases, arguments.report, absent=absent, trials=TRIALS if pairs_too else ())
    limits = Limits(arguments.time_scale)
    complete = False
    try:
        with contextlib.closing(run(work, Options(arguments.jobs, limits))) as results:
            for done in _counted(results, len(work), "results"):
                report.add(done)
        if pairs_too:
            _run_pairs(present, report, limits, arguments.jobs)
        complete = True
    finally:
        report.close()
        report.write(complete=complete)
    content = report.content(complete=True)
    for one in content["subjects"]:
        print(
            f"{one['name'].ljust(22)} {', '.join(f'{number} {verdict}' for verdict, number in one['counts'].items())}"
        )
    if pairs_too:
        show_pairs(content, Terminal())
    status = report.exit_status
    if arguments.check is not None:
        status = max(status, _compare(arguments.check, render(content)))
    return status


def _check(committed: Path | None, results: Path) -> int:
    """Prints the differences between an earlier run and the committed file."""
    if committed is None:
        raise UsageError("--of needs --check FILE, the file to compare with")
    try:
        content = json.loads(results.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise UsageError(f"{results}: {error}") from error
    found = differences(committed, content)
    print(*found, *(["`make matrix` writes it anew; say why in the commit"] if found else []), sep="\n")
    return int(bool(found))


def _run_pairs(present: Sequence[Description], report: Report, limits: Limits, jobs: int) -> None:
    """Every participant as the parent of every participant."""
    found = pairing.participants([one for one in present if one.mode == JSON_LINES.mode])
    known = read_known(pairing.known_file())
    with contextlib.closing(
        pairing.run(found, TRIALS, limits, max(1, jobs * 3 // 4), known, wire=True)
    ) as results:
        for done in _counted(results, pairing.count(found), "pairs"):
            report.add_pair(done)


def _counted(results: Iterator[T], number: int, what: str) -> Iterator[T]:
    started = latest = time.monotonic()
    for count, result in enumerate(results, 1):
        yield result
        if time.monotonic() - latest > _PROGRESS or count == number:
            latest = time.monotonic()
            print(f"{count} of {number} {what}, {latest - started:.0f} s", flush=True)


def _compare(path: Path, found: str) -> int:
    try:
        committed = path.read_text(encoding="utf-8")
    except OSError as error:
        raise UsageError(f"{path}: {error.strerror}") from error
    lines = list(
        difflib.unified_diff(committed.splitlines(), found.splitlines(), str(path), "found", n=0, lineterm="")
    )
    for line in lines:
        print(line)
    return int(bool(lines))
