"""``channelkit pair PARENT CHILD``: a real implementation as the parent of a real implementation."""

import argparse
import contextlib
import shlex
import shutil
from dataclasses import replace

from channelkit.catalogue.othermode import MODE
from channelkit.catalogue.verdict import FAIL, FIXED, INCONCLUSIVE
from channelkit.cli import matrix
from channelkit.errors import UsageError
from channelkit.judge.known import read
from channelkit.limits import Limits
from channelkit.pairs import pairing
from channelkit.pairs.pairing import Participant
from channelkit.process.session import Plan
from channelkit.report.console import LETTERS
from channelkit.runtimes.pinned import runtimes
from channelkit.wire.modes import JSON_LINES
from channelkit.wire.transcript import lines


def add(parser: argparse.ArgumentParser) -> None:
    """Declares the arguments."""
    parser.add_argument(
        "parent",
        help="a runtime of `channelkit runtimes`, a subject without its role (pyref-sync), or the command of a driven adapter; "
        "behind a name -advanced means that mode (node@20-advanced)",
    )
    parser.add_argument("child", help="the child, in the same words")
    parser.add_argument(
        "-k", dest="pattern", metavar="PATTERN", help="only trials whose name contains PATTERN"
    )
    parser.add_argument(
        "--trace",
        action="store_true",
        help="print the commands, replies and events of both adapters, and the bytes between them",
    )
    parser.add_argument("--time-scale", type=float, default=1.0, metavar="F", help="multiplies every limit")
    parser.set_defaults(action=act)


def act(arguments: argparse.Namespace) -> int:
    """Runs the trials; 1 when a trial fails and no list names the failure, 3 when the harness failed."""
    trials = pairing.select(arguments.pattern)
    if not trials:
        raise UsageError(f"no trial is named {arguments.pattern}")
    parent, child = _find(arguments.parent), _find(arguments.child)
    if parent.parent is None or child.child is None:
        raise UsageError(f"{parent.name} is no parent, or {child.name} no child")
    both = [
        Participant(parent.name, _in_mode(parent.parent, child.child), None),
        Participant(child.name, None, _in_mode(child.child, parent.parent)),
    ]
    if not pairing.count(both):
        raise UsageError(f"{parent.name} and {child.name} speak different serializations")
    status = 0
    with contextlib.closing(
        pairing.run(
            both,
            trials,
            Limits(arguments.time_scale),
            1,
            read(pairing.known_file()),
            wire=arguments.trace,
        )
    ) as results:
        for entry in (entry for entries in results for entry in entries):
            print(
                f"{LETTERS[entry['verdict']].ljust(6)} {entry['trial'].ljust(16)} {entry['outcome']}  {entry['text']}"
            )
            if arguments.trace or entry["verdict"] in (FAIL, FIXED, INCONCLUSIVE):
                print(*lines(entry["transcript"]), sep="\n")
            status = max(status, {FAIL: 1, FIXED: 1, INCONCLUSIVE: 3}.get(entry["verdict"], 0))
    return status


def _find(name: str) -> Participant:
    """An implementation by its name, or by the command of its adapter. Raises :class:`UsageError` when it is neither."""
    try:
        return _named(name)
    except UsageError as error:
        return _command(name, str(error))


def _command(text: str, otherwise: str) -> Participant:
    """The implementation that a command starts; its adapter has both roles, or says in its `hello` which it has."""
    try:
        argv = tuple(shlex.split(text))
    except ValueError as error:
        raise UsageError(f"{text}: {error}") from error
    if not argv or shutil.which(argv[0]) is None:
        raise UsageError(f"{otherwise}, and there is no program of that name")
    return Participant(text, Plan(argv, "parent", 3, mode=None), Plan(argv, "child", 2, mode=None))


def _in_mode(plan: Plan, other: Plan) -> Plan:
    """The plan of a command in the mode of the end that has a name, JSON where neither has."""
    return replace(plan, mode=plan.mode or other.mode or JSON_LINES.mode)


def _named(name: str) -> Participant:
    runtime = next((one for one in runtimes() if one.name == name.removesuffix(f"-{MODE}")), None)
    if runtime is not None and not runtime.is_there:
        raise UsageError(f"{name}: {runtime.state}; `channelkit runtimes fetch {runtime.name}`")
    subjects = matrix.subjects([runtime.name] if runtime else None, others=runtime is None)
    found = next((one for one in pairing.participants(subjects) if one.name == name), None)
    if found is None:
        raise UsageError(f"no driven implementation is named {name}")
    return found
