"""The command line: ``channelkit COMMAND``."""

import argparse
import contextlib
import io
import json
import signal
import sys
import traceback
from collections.abc import Iterator, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import TypeAlias

from channelkit import __version__
from channelkit.catalogue.cases import Case, select
from channelkit.catalogue.loading import load, shipped
from channelkit.catalogue.members import LEVELS
from channelkit.cli import doctor, fmt, matrix, pack, promote, replay, since
from channelkit.cli import init as initcli
from channelkit.cli import known as knowncli
from channelkit.cli import lint as lintcli
from channelkit.cli import look as lookcli
from channelkit.cli import pair as paircli
from channelkit.cli import runtimes as runtimescli
from channelkit.cli import tap as tapcli
from channelkit.errors import KitError, UsageError
from channelkit.judge.profiles import PROFILES
from channelkit.judge.runner import Options, default_jobs, look_at, pairs, run
from channelkit.judge.subjects import HANDLES, Description, from_command, from_path
from channelkit.limits import Limits
from channelkit.process.attach import PATIENCE
from channelkit.report.console import show_again, show_result, show_summary, show_unfit
from channelkit.report.findings import TOLD, cause_of, count
from channelkit.report.results import Report, add_report_option
from channelkit.report.terminal import Terminal
from channelkit.resources import case_files, flags, rules
from channelkit.runtimes.node import find_node
from channelkit.schema import close_to
from channelkit.wire.visible import visible

_Actions: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"

CONFORMANT, NOT_CONFORMANT, USAGE, HARNESS = 0, 1, 2, 3
"""Exit statuses."""


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the command line and returns the exit status."""
    _never_fail_to_print()
    arguments = parser().parse_args(argv)
    with _no_buffered_loss():
        try:
            return int(arguments.action(arguments))
        except UsageError as error:
            print(f"channelkit: {error}", file=sys.stderr)
            return USAGE
        except KitError as error:
            print(f"channelkit: {error}", file=sys.stderr)
            return HARNESS
        except KeyboardInterrupt:
            print("channelkit: interrupted", file=sys.stderr)
            return HARNESS
        except BrokenPipeError:
            # The reader of the output is gone. Without stdout, Python writes no error about it at exit.
            sys.stdout = None
            return HARNESS
        except Exception:  # a fault of the kit is no verdict about a subject
            traceback.print_exc()
            return HARNESS


def _never_fail_to_print() -> None:
    """A character that the encoding of the terminal lacks is printed as an escape."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


@contextlib.contextmanager
def _no_buffered_loss() -> Iterator[None]:
    """Makes SIGTERM unwind like Ctrl-C, so that a cancelled run leaves no process behind."""

    def interrupt(_number: int, _frame: object) -> None:
        raise KeyboardInterrupt

    try:
        previous = signal.signal(signal.SIGTERM, interrupt)
    except ValueError:  # not the main thread
        yield
        return
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, previous)


def parser() -> argparse.ArgumentParser:
    """Returns the parser of the command line."""
    found = argparse.ArgumentParser("channelkit", description="Judges an end of a NODE_CHANNEL_FD channel.")
    found.add_argument("--version", action="version", version=__version__)
    actions = found.add_subparsers(required=True, metavar="COMMAND")
    _add_run(_command(actions, "run", "run cases against subjects"))
    listing = _command(actions, "list", "list the cases")
    _add_selection(listing)
    listing.set_defaults(action=list_cases)
    showing = _command(actions, "show", "print a case")
    showing.add_argument("id", help="the id of the case")
    _add_catalogue(showing)
    showing.set_defaults(action=show_case)
    explaining = _command(actions, "explain", "print a requirement, or a flag, and the cases that show it")
    explaining.add_argument("rule", help="a requirement such as FRM-003, or a flag of a lenient outcome")
    _add_catalogue(explaining)
    explaining.set_defaults(action=explain)
    runtimescli.add(_command(actions, "runtimes", "list, fetch or verify the pinned runtimes"))
    matrix.add(_command(actions, "matrix", "run every fetched runtime in both roles, side by side"))
    tapcli.add(_command(actions, "tap", "record the channel of a program"))
    lintcli.add(_command(actions, "lint", "say which rules recordings show to be broken"))
    lookcli.add(_command(actions, "look", "show a recording: a page, lines, a trace"))
    paircli.add(_command(actions, "pair", "run a real implementation as the parent of a real implementation"))
    examining = _command(actions, "doctor", "look whether an adapter keeps the contract at all")
    _add_subjects(examining)
    doctor.add(examining, _subjects)
    replaying = _command(actions, "replay", "run a case several times, each time in a new process")
    _add_subjects(replaying)
    replay.add(replaying, _subjects)
    promote.add(_command(actions, "promote", "add a case that a fuzzer found to the catalogue"))
    fmt.add(_command(actions, "fmt", "bring case files into their canonical form"))
    initcli.add_init(_command(actions, "init-adapter", "write an echo child to start from"))
    initcli.add_copy(_command(actions, "copy", "copy cases, schemas and rules to a directory"))
    since.add(_command(actions, "since", "say which release of a runtime changed its behaviour under a rule"))
    pack.add(_command(actions, "pack", "write a folder to file upstream for each known deviation"))
    knowncli.add(_command(actions, "known", "make known-failures lists from a report"))
    return found


def _command(actions: _Actions, name: str, does: str) -> argparse.ArgumentParser:
    """The parser of a command; ``does`` stands in the list of commands and above the command's own options."""
    return actions.add_parser(name, help=does, description=f"{does[0].upper()}{does[1:]}.")


def _add_catalogue(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--cases",
        type=Path,
        metavar="DIR",
        help="a catalogue of cases: a directory or a file (default: the kit's own)",
    )


def _add_selection(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "-k",
        dest="pattern",
        metavar="PATTERN",
        help="an id, ID:VARIANT, a glob, a part of an id, a requirement",
    )
    parser.add_argument("--level", choices=LEVELS, help="only cases of this level or of a stricter level")
    _add_catalogue(parser)


def _add_subjects(parser: argparse.ArgumentParser) -> None:
    who = parser.add_mutually_exclusive_group(required=True)
    who.add_argument("--child", metavar="CMD", help="a program that is started with a channel")
    who.add_argument("--parent", metavar="CMD", help="a driven adapter that starts the kit's puppet child")
    who.add_argument("--worker", metavar="CMD", help="a worker of a cluster")
    who.add_argument(
        "--primary", metavar="CMD", help="a primary of a cluster, which starts the kit's puppet child"
    )
    who.add_argument("--codec", metavar="CMD", help="a codec as a filter: CMD decode, CMD encode")
    who.add_argument(
        "--subjects", type=Path, metavar="DIR", help="a directory of subject descriptions, or a description"
    )
    parser.add_argument(
        "--rung",
        type=int,
        choices=(0, 1, 2),
        help="the abilities of --child: 0 echo, 1 driven, 2 handles (default 0)",
    )
    parser.add_argument(
        "--handles",
        type=_capabilities,
        nargs="?",
        const=HANDLES,
        default=(),
        metavar="CAPABILITIES",
        help="the echo child of --child takes handles of every type, or of a list such as receive:net.Socket,socket-lists",
    )
    parser.add_argument(
        "--time-scale",
        type=_positive,
        default=1.0,
        metavar="F",
        help="a factor for every limit of time (default %(default)s)",
    )
    parser.add_argument(
        "--known", type=Path, metavar="FILE", help="known failures: lines `case-id outcome  # reason`"
    )


def _add_run(parser: argparse.ArgumentParser) -> None:
    _add_subjects(parser)
    _add_selection(parser)
    parser.add_argument(
        "--jobs",
        type=_positive_int,
        default=default_jobs(),
        metavar="N",
        help="parallel processes (default %(default)s)",
    )
    parser.add_argument("--isolate", action="store_true", help="give every case a process of its own")
    parser.add_argument("--trace", action="store_true", help="print every transcript")
    parser.add_argument(
        "--profile", choices=PROFILES, help="only the cases that a profile of the spec includes"
    )
    parser.add_argument(
        "--validate",
        action="store_true",
        help="check every line to and from a driven adapter against the contract",
    )
    parser.add_argument(
        "--attach",
        action="store_true",
        help="stop each process before it starts, print its number and wait for Enter; all limits of time grow",
    )
    add_report_option(parser)
    parser.set_defaults(action=run_cases)


def _capabilities(text: str) -> tuple[str, ...]:
    return tuple(filter(None, text.split(",")))


def _positive_int(text: str) -> int:
    number = int(text)
    if number < 1:
        raise ValueError
    return number


def _positive(text: str) -> float:
    number = float(text)
    if not 0 < number < 1e6:
        raise ValueError
    return number


# ---- actions -------------------------------------------------------------------------------------------------


def _catalogue(arguments: argparse.Namespace) -> list[Case]:
    folder: Path | None = arguments.cases
    if folder is None:
        return shipped()
    return load(case_files(folder) if folder.is_dir() else [folder])


def run_cases(arguments: argparse.Namespace) -> int:
    """``run``: returns the exit status."""
    cases = select(_catalogue(arguments), arguments.pattern, arguments.level)
    subjects = [
        replace(one, validate=arguments.validate, attach=arguments.attach) for one in _subjects(arguments)
    ]
    if arguments.profile:
        profile = PROFILES[arguments.profile]
        if arguments.subjects is None:
            subjects = [replace(one, mode=profile.mode) for one in subjects]  # a description says its own
        cases, subjects = profile.select(cases, subjects)
    work = pairs(subjects, cases)
    if not work:
        raise UsageError("no case applies: look at `channelkit list`, -k, --level, --profile and --rung")
    options = _options(arguments)
    terminal = Terminal()
    asked = {case.id for case, _subject in work}
    shown = [case for case in cases if case.id in asked]
    report = Report(subjects, shown, arguments.report)
    node = find_node()
    told = f"Node: {f'{node.version} ({node.path})' if node else 'none'}"
    terminal.say(f"{count(len(work), 'result')} to come; {told}")
    complete = False
    try:
        report.unfit = look_at(subjects, options)
        fit = [one for one in work if one[1].name not in report.unfit]
        _show_results(fit, options, report, terminal, trace=arguments.trace)
        complete = True
    finally:
        report.close()
        report.write(complete=complete)
        terminal.clear()
        show_summary(report.content(complete=complete), terminal)
    return report.exit_status


def _show_results(
    work: Sequence[tuple[Case, Description]], options: Options, report: Report, out: Terminal, *, trace: bool
) -> None:
    """Runs, and prints each result that needs attention: in full when its cause is new, else in a line."""
    texts, first = rules(), dict[tuple[str, str], str]()
    titles = {case.id: case.title for case, _subject in work}
    for name, unfit in report.unfit.items():
        show_unfit(name, asdict(unfit), out)
    with contextlib.closing(run(work, options)) as results:
        for number, result in enumerate(results, 1):
            entry = report.add(result)
            known = first.setdefault((entry["subject"], cause_of(entry)), entry["case"])
            if trace or entry["verdict"] not in TOLD or known == entry["case"]:
                show_result(entry, texts, titles[entry["case"]], out, trace=trace)
            else:
                show_again(entry, known, out)
            out.progress(f"{number} of {len(work)}, {report.failed} failed")


def _options(arguments: argparse.Namespace) -> Options:
    variant = (arguments.pattern or "").partition(":")[2] or None
    if arguments.attach:  # in order, each in a process of its own
        return Options(1, Limits(arguments.time_scale * PATIENCE), variant, isolate=True)
    return Options(arguments.jobs, Limits(arguments.time_scale), variant, arguments.isolate)


def _subjects(arguments: argparse.Namespace) -> list[Description]:
    if arguments.subjects is not None:
        if arguments.rung is not None or arguments.known is not None:
            raise UsageError("--rung and --known belong to a command line; a description has its own")
        return from_path(arguments.subjects)
    if arguments.rung is not None and arguments.child is None:
        raise UsageError("--rung belongs to --child; a parent is driven, a codec is not")
    if arguments.codec is not None:
        return [from_command(arguments.codec, "codec", 0, arguments.known)]
    if arguments.parent is not None:
        return [from_command(arguments.parent, "parent", 3, arguments.known)]
    for role in ("worker", "primary"):
        command = getattr(arguments, role, None)
        if command is not None:
            return [from_command(command, role, 0, arguments.known)]
    profile = PROFILES.get(getattr(arguments, "profile", None) or "")
    reached = profile.rung if profile is not None and profile.role == "child" else 0
    rung = reached if arguments.rung is None else arguments.rung
    if arguments.handles and rung != 0:
        raise UsageError("--handles belongs to an echo child; an adapter declares its own in its `hello`")
    return [from_command(arguments.child, "child", rung, arguments.known, arguments.handles)]


def list_cases(arguments: argparse.Namespace) -> int:
    """``list``: a line per case."""
    cases = select(_catalogue(arguments), arguments.pattern, arguments.level)
    width = max((len(case.id) for case in cases), default=0)
    for case in cases:
        print(
            f"{case.id.ljust(width)}  {case.level.ljust(6)}  rung {case.rung}  {'/'.join(case.roles).ljust(12)}  {case.title}"
        )
    return CONFORMANT


def show_case(arguments: argparse.Namespace) -> int:
    """``show``: the case as data, its segmentations and its rules."""
    cases = {case.id: case for case in _catalogue(arguments)}
    case = cases.get(arguments.id)
    if case is None:
        raise UsageError(f"no case has the id {arguments.id}{close_to(arguments.id, cases)}")
    texts = rules()
    print(f"{case.id}: {case.title}\n{case.level}, rung {case.rung}, roles {', '.join(case.roles)}")
    for rule in case.rules:
        print(f"{rule}: {texts.get(rule) or 'no text'}")
    if case.guards:
        print(f"guards against: {case.guards}")
    if case.needs:
        print(f"needs: {', '.join(case.needs)}")
    print(f"variants: {', '.join(case.variants)}")
    for step in case.folded or case.steps:
        print(f"  {visible(json.dumps(step, ensure_ascii=False))}")
    print(f"outcomes: {json.dumps(case.outcomes)}\nending: {', '.join(case.ending)}")
    return CONFORMANT


def explain(arguments: argparse.Namespace) -> int:
    """``explain``: the sentence of a requirement or the meaning of a flag, and the cases."""
    texts = rules()
    meanings = flags()
    name = arguments.rule
    cases = [
        case
        for case in _catalogue(arguments)
        if name in case.rules
        or any(isinstance(outcome, dict) and outcome["flag"] == name for outcome in case.outcomes.values())
    ]
    if name not in texts and name not in meanings and not cases:
        raise UsageError(f"no requirement and no flag is named {name}{close_to(name, (*texts, *meanings))}")
    print(f"{name}: {texts.get(name) or meanings.get(name) or 'no text'}")
    for case in cases:
        print(f"  {case.id}  {case.level}  {case.title}")
    return CONFORMANT
