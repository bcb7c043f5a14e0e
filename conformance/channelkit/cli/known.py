"""``channelkit known``: makes known-failures lists from a report."""

import argparse
import json
from pathlib import Path
from typing import Any

from channelkit.catalogue.verdict import FAIL, KNOWN
from channelkit.errors import UsageError
from channelkit.judge.known import STAYS, KnownFailure, read

STAYS_BEHIND = f" {STAYS}"
_NO_REASON = "reason not given yet"


def add(parser: argparse.ArgumentParser) -> None:
    """Declares the arguments."""
    parser.add_argument("results", type=Path, help="the results.json of a run")
    parser.add_argument(
        "--write",
        type=Path,
        metavar="DIR",
        help="write a file per subject to this directory; the reasons of an older file are kept",
    )
    parser.set_defaults(action=act)


def act(arguments: argparse.Namespace) -> int:
    """Prints or writes the lists."""
    try:
        content = json.loads(arguments.results.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise UsageError(f"{arguments.results}: {error}") from error
    for one in content["subjects"]:
        entries = [
            entry
            for entry in content["results"]
            if entry["subject"] == one["name"] and entry["verdict"] in (FAIL, KNOWN)
        ]
        target = arguments.write / f"{one['name']}.txt" if arguments.write else None
        text = listing(entries, target)
        if target is None:
            print(f"# {one['name']}\n{text}", end="")
        elif entries or target.exists():
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(text, encoding="utf-8")
    return 0


def listing(entries: list[dict[str, Any]], older: Path | None = None) -> str:
    """Lines ``case-id outcome  # reason`` for failures. The reasons, and the mark ``wontfix``, are taken from an older list."""
    known = read(older) if older and older.exists() else {}
    rows = []
    for entry in entries:
        old = known.get(entry["case"], KnownFailure("", _NO_REASON))
        rows.append((entry["case"], entry["signature"] + STAYS_BEHIND * old.stays, old.reason))
    first, second = (max((len(row[column]) for row in rows), default=0) for column in (0, 1))
    return "".join(
        f"{case.ljust(first)}  {outcome.ljust(second)}  # {reason}\n" for case, outcome, reason in rows
    )
