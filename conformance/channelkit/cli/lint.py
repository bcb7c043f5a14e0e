"""``channelkit lint``: the rules that recordings show to be broken, and the writers who broke them."""

import argparse
import sys
from pathlib import Path

from channelkit.cli.damaged import DAMAGED, told
from channelkit.errors import UsageError
from channelkit.lint.linter import lint
from channelkit.lint.report import FORMATS, Linted
from channelkit.lint.table import SEEN, UNSEEN
from channelkit.resources import levels, rules
from channelkit.tap.reading import opened, recordings

_LEVELS = ("MUST", "SHOULD", "MAY")


def add(parser: argparse.ArgumentParser) -> None:
    """Declares the arguments."""
    parser.add_argument(
        "recordings", type=Path, nargs="*", metavar="FILE|DIR", help="recordings of `channelkit tap`"
    )
    parser.add_argument(
        "--fail-on",
        choices=("MUST", "SHOULD", "never"),
        default="MUST",
        help="the least level that is an exit status of 1 (default %(default)s)",
    )
    parser.add_argument("--format", choices=sorted(FORMATS), default="text", help="default %(default)s")
    parser.add_argument("--only", metavar="RULES", help="rules, or beginnings of them, with commas between")
    parser.add_argument(
        "--rules", action="store_true", help="list every rule, and how a recording shows it or why none does"
    )
    parser.set_defaults(action=act)


def act(arguments: argparse.Namespace) -> int:
    """Prints the report; 1 when a rule of the level is broken, 2 when a recording is damaged."""
    if arguments.rules:
        print("\n".join(table()))
        return 0
    only = tuple(filter(None, (arguments.only or "").split(",")))
    linted, unread = _read(recordings(arguments.recordings), only)
    if not linted:
        return unread
    print(FORMATS[arguments.format](linted), flush=True)
    damaged = max(unread, *(told(one.path, one.damage) for one in linted))
    broken = any(_counts(found.level, arguments.fail_on) for one in linted for found in one.violations)
    return damaged or int(broken)


def _read(paths: list[Path], only: tuple[str, ...]) -> tuple[list[Linted], int]:
    """The recordings that can be read, and the exit status for the others, each of which is named."""
    linted, unread = [], 0
    for path in paths:
        try:
            linted.append(_linted(path, only))
        except UsageError as error:
            print(f"channelkit: {error}", file=sys.stderr)
            unread = DAMAGED
    return linted, unread


def _linted(path: Path, only: tuple[str, ...]) -> Linted:
    with opened(path) as tail:
        found = list(lint(tail.header, tail.entries()))
        return Linted(path, [one for one in found if not only or one.rule.startswith(only)], tail.damage)


def _counts(level: str, least: str) -> bool:
    return least != "never" and _LEVELS.index(level) <= _LEVELS.index(least)


def table() -> list[str]:
    """A line for each rule."""
    return [
        f"{rule}  {levels().get(rule, ''):6}  {SEEN.get(rule) or f'not seen: {UNSEEN[rule]}'}"
        for rule in rules()
    ]
