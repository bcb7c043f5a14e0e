"""The output of a run: failures in full, a verdict per requirement, a summary per subject."""

import re
from collections import Counter
from collections.abc import Iterable
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
from channelkit.report.findings import TOLD, count, headline, shortened
from channelkit.report.terminal import Terminal
from channelkit.wire.transcript import lines

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
NEWLINE = "\n"


def show_result(
    entry: dict[str, Any], requirements: dict[str, str], title: str, out: Terminal, *, trace: bool
) -> None:
    """Prints a result if it needs attention; with ``trace`` prints every result."""
    verdict = entry["verdict"]
    if verdict not in TOLD and not trace:
        return
    ending = f", ending {entry['ending']}" if entry["ending"] else ""
    out.say(f"{_head(entry, out)}  ({entry['level']}, variant {entry['variant']})")
    out.say(f"  {title}")
    for rule in entry["rules"]:
        out.say(f"  {rule}: {requirements.get(rule) or 'no text'}")
    if verdict in TOLD and entry["expected"]:
        out.say(f"  expected: {entry['expected']}")
    out.say(f"  came:     {entry['text'] or entry['outcome']} (outcome {entry['outcome']}{ending})")
    if verdict == FIXED:
        out.say("  it is listed as a known failure and does not fail: remove it from the list")
    if verdict != FIXED or trace:
        for line in lines(entry["transcript"], whole=trace):
            out.say(f"    {line}")
        _show_stderr(entry["stderr"], out)
    out.say(f"  reproduce: {entry['reproduce']}")
    out.say()


def show_again(entry: dict[str, Any], first: str, out: Terminal) -> None:
    """Prints a line for a result that has the same cause as an earlier result."""
    out.say(f"{_head(entry, out)}  same cause as {first}")


def _head(entry: dict[str, Any], out: Terminal) -> str:
    return f"{out.paint(entry['verdict'].upper(), entry['verdict'])}  {entry['subject']}  {entry['case']}"


def show_unfit(name: str, unfit: dict[str, str], out: Terminal) -> None:
    """Prints why no case can be run with a subject."""
    out.say(f"{out.paint('NOT JUDGED', FAIL)}  {name}: {unfit['text']}")
    _show_stderr(unfit["stderr"], out)
    out.say()


def _show_stderr(text: str, out: Terminal) -> None:
    shown = text.rstrip().splitlines()
    if len(shown) > _STDERR_LINES:
        out.say(f"    stderr (last {_STDERR_LINES} of {len(shown)} lines):")
    elif shown:
        out.say("    stderr:")
    for line in shown[-_STDERR_LINES:]:
        out.say(f"      | {line}")


def worst_verdict(verdicts: Iterable[str]) -> str | None:
    """The verdict of a requirement: the worst of its cases, None without cases. Unsupported cases do not count."""
    found = sorted(set(verdicts) - {UNSUPPORTED}, key=VERDICTS.index)
    return found[-1] if found else None


def requirement_table(content: dict[str, Any]) -> list[tuple[str, list[str]]]:
    """A row per requirement: its id and its verdict per subject, empty where no case was run."""
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


def show_summary(content: dict[str, Any], out: Terminal) -> None:
    """Prints the table of requirements, the findings and a line per subject."""
    names = [one["name"] for one in content["subjects"]]
    table = requirement_table(content)
    widths = [max(len(name), 5) for name in names]
    first = max([len(rule) for rule, _row in table] + [len("requirement")])
    heads = "".join(f"  {name.ljust(width)}" for name, width in zip(names, widths, strict=True))
    out.say("requirement".ljust(first) + heads)
    for rule, row in table:
        cells = [
            out.paint(LETTERS.get(cell, "").ljust(width), cell)
            for cell, width in zip(row, widths, strict=True)
        ]
        out.say((rule.ljust(first) + "".join(f"  {cell}" for cell in cells)).rstrip())
    out.say()
    _show_findings(content["findings"], out)
    _show_second_runs(content["results"], out)
    for one in content["subjects"]:
        out.say(_line_of(one, content, out))
    node = content["runtimes"]["node"]
    out.say(f"Node {node}" if node else "no Node was found")
    interrupted = "" if content["complete"] else ", interrupted"
    out.say(f"{count(len(content['results']), 'result')} in {content['seconds']} s{interrupted}")


def _show_findings(findings: list[dict[str, Any]], out: Terminal) -> None:
    """The faults that several cases show, and the number of all faults."""
    for finding in findings:
        out.say(f"{out.paint('finding', finding['verdict'])}  {finding['subject']}: {headline(finding)}")
        if finding["expected"]:
            out.say(f"  expected: {finding['expected']}")
        out.say(f"  came:     {finding['came'].rpartition(NEWLINE)[2]}")
        out.say(f"  cases:    {shortened(finding['cases'])}")
    if findings:
        out.say()


def _show_second_runs(results: list[dict[str, Any]], out: Terminal) -> None:
    """The cases that ran out of time once and not twice: the machine stood still, or the subject is silent now and then."""
    again: dict[str, list[str]] = {}
    for entry in results:
        if "first" in entry and entry["verdict"] not in TOLD:
            again.setdefault(entry["subject"], []).append(f"{entry['case']} ({entry['first']} at first)")
    for subject, cases in again.items():
        out.say(f"second run  {subject}: {count(len(cases), 'case')}: {shortened(cases)}")
    if again:
        out.say()


def _line_of(one: dict[str, Any], content: dict[str, Any], out: Terminal) -> str:
    """The verdict on a subject."""
    counts = (
        ", ".join(f"{number} {verdict}" for verdict, number in one["counts"].items()) or "no case applies"
    )
    mine = [entry for entry in content["results"] if entry["subject"] == one["name"]]
    kinds = Counter(entry["listed"].partition(":")[0] for entry in mine if "listed" in entry)
    counts += "".join(f" ({number} {kind})" for kind, number in kinds.items() if kind != KNOWN)
    who = " ".join(one["implementation"].get(key, "") for key in ("name", "version")).strip()
    head = f"{one['name']}{f' ({who})' if who else ''}"
    if "unfit" in one:
        return f"{head}: {out.paint('NOT judged', FAIL)}: {one['unfit']['text']}"
    if INCONCLUSIVE in one["counts"]:
        return f"{head}: {out.paint('inconclusive', INCONCLUSIVE)}: {counts}"
    words, verdict = ("conformant", PASS) if one["conformant"] else ("NOT conformant", FAIL)
    found = sum(finding["subject"] == one["name"] for finding in content["findings"])
    return f"{head}: {out.paint(words, verdict)}: {counts}" + (
        f"; {count(found, 'finding')}" if found else ""
    )


def pair_table(content: dict[str, Any]) -> tuple[list[str], list[tuple[str, list[list[int]]]]]:
    """The children, and for each parent the positions in ``pairs.results`` of its trials with each child."""
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


def show_pairs(content: dict[str, Any], out: Terminal) -> None:
    """Prints a line per parent and child, with the trials that failed."""
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
            out.say(f"{f'{parent} x {child}'.ljust(32)} {verdict}{': ' if wrong else ''}{', '.join(wrong)}")
