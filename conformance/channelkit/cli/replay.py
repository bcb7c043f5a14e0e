"""``channelkit replay``: runs a case, or the parent's side of a recording, again and again, each time in a process of its own."""

import argparse
import tempfile
import threading
from collections.abc import Callable, Sequence
from pathlib import Path

from channelkit.catalogue.cases import Case
from channelkit.catalogue.loading import load, shipped
from channelkit.cli.promote import case_of_recording
from channelkit.errors import UsageError
from channelkit.judge.execute import execute
from channelkit.judge.runner import pairs
from channelkit.judge.subjects import Description
from channelkit.limits import Limits
from channelkit.report.console import show_result
from channelkit.report.results import Report
from channelkit.report.terminal import Terminal
from channelkit.resources import rules
from channelkit.tap.record import SUFFIX

TIMES = 3
"""Runs by default. An outcome that repeats so often is no accident of the machine."""


def add(
    parser: argparse.ArgumentParser, chosen: Callable[[argparse.Namespace], Sequence[Description]]
) -> None:
    """Declares the arguments; ``chosen`` makes subjects of the arguments that it knows."""
    parser.add_argument("what", metavar="FILE|CASE-ID", help="a case file, a recording, or the id of a case")
    parser.add_argument("--times", type=int, default=TIMES, metavar="N", help="runs (default %(default)s)")
    parser.add_argument("--trace", action="store_true", help="print every transcript")
    parser.set_defaults(action=lambda arguments: act(arguments, chosen(arguments)))


def named(what: str) -> list[Case]:
    """The cases of a file, or the case with this id. Raises :class:`UsageError` when ``what`` is neither."""
    if Path(what).is_file() and Path(what).suffix == SUFFIX:
        with tempfile.TemporaryDirectory() as folder:
            return load([case_of_recording(Path(what), Path(folder))])
    if Path(what).is_file():
        return load([Path(what)])
    found = [case for case in shipped() if case.id == what]
    if not found:
        raise UsageError(f"{what} is neither a file nor the id of a case")
    return found


def act(arguments: argparse.Namespace, subjects: Sequence[Description]) -> int:
    """Runs the cases; 1 when a run failed, 3 when a run was inconclusive."""
    cases = named(arguments.what)
    work = pairs(subjects, cases)
    if not work:
        raise UsageError(f"{arguments.what} does not apply to any of these subjects")
    report = Report(list(subjects), cases, [])
    limits = Limits(arguments.time_scale)
    texts = rules()
    try:
        for case, one in work:
            for number in range(1, arguments.times + 1):
                entry = report.add(execute(case, one, limits, threading.Event()))
                print(
                    f"{one.name}  {case.id}  run {number}: {entry['verdict']}, {entry['outcome']}", flush=True
                )
                show_result(entry, texts, case.title, Terminal(), trace=arguments.trace)
    finally:
        report.close()
    return report.exit_status
