"""``channelkit since RULE``: which release of a runtime changed its behaviour under a rule, from the committed ``MATRIX.md``."""

import argparse
import re
from collections.abc import Iterable, Sequence
from itertools import groupby

from channelkit.catalogue.cases import Case
from channelkit.catalogue.loading import shipped
from channelkit.errors import UsageError
from channelkit.report.committed import Cells, cells
from channelkit.resources import find, rules

_RELEASE = re.compile(r"^(?P<runtime>[a-z]+)@(?P<major>\d+)$")
_WORDS = {
    "ok": "conforms",
    "len": "is lenient",
    "n/a": "is declared absent",
    "**no**": "deviates",
    "**NO**": "deviates",
    "": "is not judged",
}


def add(parser: argparse.ArgumentParser) -> None:
    """Declares the arguments."""
    parser.add_argument("rule", help="a requirement of the spec, or the id of a case")
    parser.set_defaults(action=act)


def act(arguments: argparse.Namespace) -> int:
    """Prints a line for each case and runtime. A case that no release changed has a line without a release."""
    cases = [case for case in shipped() if arguments.rule in (case.id, *case.rules)]
    if not cases:
        raise UsageError(f"no case shows {arguments.rule}")
    told = _told(cases, cells(find("MATRIX.md").read_text(encoding="utf-8")))
    if not told:
        raise UsageError(f"MATRIX.md has no case of {arguments.rule} yet; `make matrix` writes it")
    print(f"{arguments.rule}: {rules().get(arguments.rule, cases[0].title)}")
    print(*told, sep="\n")
    return 0


def _told(cases: Iterable[Case], found: Cells) -> list[str]:
    columns = sorted({column for _row, column in found if _RELEASE.match(column)}, key=_order)
    lines = []
    for case in cases:
        for runtime, names in groupby(columns, key=lambda name: _order(name)[0]):
            marks = [(name, found[case.id, name]) for name in names if (case.id, name) in found]
            if marks:
                lines.append(f"  {case.id}: {runtime} {history(marks)}")
    return lines


def history(marks: Sequence[tuple[str, str]]) -> str:
    """A row of releases in words, oldest first: each stretch of equal marks with its first and last release."""
    parts = []
    for mark, group in groupby(marks, key=lambda one: one[1]):
        majors = [name.partition("@")[2] for name, _mark in group]
        span = majors[0] if len(majors) == 1 else f"{majors[0]} to {majors[-1]}"
        parts.append(f"{span} {_words(mark)}")
    return "; ".join(parts)


def _words(mark: str) -> str:
    """A mark in words. Of two marks, the first is for the runtime as a child, the second for the runtime as a parent."""
    first, slash, second = mark.partition(" / ")
    if not slash:
        return _WORDS.get(mark, mark)
    return (
        f"{_WORDS.get(first, first)} as child or worker and {_WORDS.get(second, second)} as parent or primary"
    )


def _order(name: str) -> tuple[str, int]:
    match = _RELEASE.match(name)
    return (match["runtime"], int(match["major"])) if match else (name, 0)
