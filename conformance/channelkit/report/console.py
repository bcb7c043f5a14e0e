"""What a run prints: failures in full, a verdict per requirement, a summary per subject."""

import re
from collections import Counter
from collections.abc import Callable, Iterable
from typing import Any

from channelkit.catalogue.verdict import (
    FAIL,
    FIXED,
    INCONCLUSIVE,
    KNOWN,
    LENIENT,
    PASS,
    UNSUPPORTED,
    VERDICTS,
)
from channelkit.wire.transcript import lines

Print = Callable[[str], None]

LETTERS = {
    PASS: "ok",
    LENIENT: "len",
    FAIL: "FAIL",
    UNSUPPORTED: "n/a",
    KNOWN: "known",
    FIXED: "FIXED",
    INCONCLUSIVE: "??",
}
"""How a verdict looks in a table."""

_STDERR_LINES = 8


def show_result(
    entry: dict[str, Any], requirements: dict[str, str], title: str, out: Print, *, trace: bool
) -> None:
    """Prints one result: always when it needs attention, with ``trace`` in any case."""
    verdict = entry["verdict"]
    if verdict not in (FAIL, FIXED, INCONCLUSIVE) and not trace:
        return
    ending = f", ending {entry['ending']}" if entry["ending"] else ""
    out(
        f"{verdict.upper()}  {entry['subject']}  {entry['case']}  ({entry['level']}, variant {entry['variant']})"
    )
    out(f"  {title}")
    for rule in entry["rules"]:
        out(f"  {rule}: {requirements.get(rule) or 'no text'}")
    out(f"  outcome {entry['outcome']}{ending}" + (f": {entry['text']}" if entry["text"] else ""))
    if verdict == FIXED:
        out("  it is listed as a known failure and does not fail: remove it from the list")
    if verdict != FIXED or trace:
        for line in lines(entry["transcript"]):
            out(f"    {line}")
        _show_stderr(entry["stderr"], out)
    out(f"  reproduce: {entry['reproduce']}")
    out("")


def _show_stderr(text: str, out: Print) -> None:
    shown = text.rstrip().splitlines()
    if len(shown) > _STDERR_LINES:
        out(f"    stderr (last {_STDERR_LINES} of {len(shown)} lines):")
    elif shown:
        out("    stderr:")
    for line in shown[-_STDERR_LINES:]:
        out(f"      | {line}")


def worst_verdict(verdicts: Iterable[str]) -> str | None:
    """The verdict of a requirement: the worst of its cases; None without any. What is declared absent counts last."""
    found = sorted(set(verdicts) - {UNSUPPORTED}, key=VERDICTS.index)
    return found[-1] if found else None


def requirement_table(content: dict[str, Any]) -> list[tuple[str, list[str]]]:
    """One row per requirement: its id and its verdict per subject, empty where no case was run."""
    cells: dict[tuple[str, str], list[str]] = {}
    for entry in content["results"]:
        for rule in entry["rules"]:
            cells.setdefault((rule, entry["subject"]), []).append(entry["verdict"])
    names = [one["name"] for one in content["subjects"]]
    table = []
    for rule in sorted({rule for case in content["cases"] for rule in case["rules"]}):
        row = []
        for name in names:
            verdicts = cells.get((rule, name), [])
            worst = worst_verdict(verdicts)
            row.append(worst or (UNSUPPORTED if verdicts else ""))
        table.append((rule, row))
    return table


def show_summary(content: dict[str, Any], out: Print) -> None:
    """Prints the table of requirements and a line per subject."""
    names = [one["name"] for one in content["subjects"]]
    table = requirement_table(content)
    widths = [max(len(name), 5) for name in names]
    first = max([len(rule) for rule, _row in table] + [len("requirement")])
    out(
        "requirement".ljust(first)
        + "".join(f"  {name.ljust(width)}" for name, width in zip(names, widths, strict=True))
    )
    for rule, row in table:
        cells = (LETTERS.get(cell, "") for cell in row)
        out(
            (
                rule.ljust(first)
                + "".join(f"  {cell.ljust(width)}" for cell, width in zip(cells, widths, strict=True))
            ).rstrip()
        )
    out("")
    for one in content["subjects"]:
        counts = (
            ", ".join(f"{number} {verdict}" for verdict, number in one["counts"].items()) or "no case applies"
        )
        kinds = Counter(
            entry["listed"].partition(":")[0]
            for entry in content["results"]
            if "listed" in entry and entry["subject"] == one["name"]
        )
        counts += "".join(f" ({number} {kind})" for kind, number in kinds.items() if kind != KNOWN)
        who = " ".join(one["implementation"].get(key, "") for key in ("name", "version")).strip()
        verdict = (
            "inconclusive"
            if INCONCLUSIVE in one["counts"]
            else "conformant"
            if one["conformant"]
            else "NOT conformant"
        )
        out(f"{one['name']}{f' ({who})' if who else ''}: {verdict}: {counts}")
    node = content["runtimes"]["node"]
    out(f"Node {node}" if node else "no Node was found")
    out(
        f"{len(content['results'])} results in {content['seconds']} s"
        + ("" if content["complete"] else ", interrupted")
    )


def pair_table(content: dict[str, Any]) -> tuple[list[str], list[tuple[str, list[list[int]]]]]:
    """Children, and for each parent the positions in ``pairs.results`` of what it did with each child."""
    results = content["pairs"]["results"]
    found: dict[tuple[str, str], list[int]] = {}
    for number, entry in enumerate(results):
        found.setdefault((entry["parent"], entry["child"]), []).append(number)
    parents = sorted({parent for parent, _child in found}, key=_natural)
    children = sorted({child for _parent, child in found}, key=_natural)
    return children, [(parent, [found.get((parent, child), []) for child in children]) for parent in parents]


def _natural(name: str) -> list[tuple[int, str]]:
    """Sorts ``node@8`` before ``node@12``."""
    return [(int(part), "") if part.isdecimal() else (-1, part) for part in re.split(r"(\d+)", name)]


def show_pairs(content: dict[str, Any], out: Print) -> None:
    """Prints a line per parent and child, with what went wrong."""
    results = content["pairs"]["results"]
    children, rows = pair_table(content)
    for parent, cells in rows:
        for child, numbers in zip(children, cells, strict=True):
            entries = [results[number] for number in numbers]
            wrong = [
                f"{one['trial']} {one['outcome']}"
                for one in entries
                if one["verdict"] in (FAIL, FIXED, INCONCLUSIVE)
            ]
            verdict = LETTERS[worst_verdict(one["verdict"] for one in entries) or UNSUPPORTED]
            out(f"{f'{parent} x {child}'.ljust(32)} {verdict}{': ' if wrong else ''}{', '.join(wrong)}")
