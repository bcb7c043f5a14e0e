"""A report as Markdown: the implementations, rule by rule and case by case, and every deviation with its outcome.

The text changes from run to run only when a verdict changes, so that it can be committed and compared.
"""

import re
from typing import Any

from channelkit.catalogue.members import ROLES
from channelkit.catalogue.verdict import FAIL, FIXED, INCONCLUSIVE, KNOWN, LENIENT, PASS, UNSUPPORTED
from channelkit.report.console import NEWLINE, pair_table, requirement_table, worst_verdict
from channelkit.report.findings import count, headline, shortened

MARKS = {
    PASS: "ok",
    LENIENT: "len",
    UNSUPPORTED: "n/a",
    KNOWN: "**no**",
    FIXED: "**fixed**",
    FAIL: "**NO**",
    INCONCLUSIVE: "**??**",
}
LEGEND = (
    "`ok` conforms; `len` allowed, a better behaviour is recommended; **no** does not conform, and is listed as known; **NO** does not "
    "conform, and is not listed; `n/a` declared absent; empty: does not apply. Two marks: as a child / as a parent, "
    "or as a worker / as a primary."
)


def render(content: dict[str, Any]) -> str:
    """The text of the report."""
    parts = [
        "# Conformance of implementations of the channel",
        "",
        LEGEND,
        "",
        *_subjects(content),
        *_absent(content),
        *([] if content["complete"] else ["**The run was interrupted: results are missing.**", ""]),
        *_findings(content),
        "## Rules",
        "",
        *_rules(content),
        "## Cases",
        "",
        *_cases(content),
        "## Deviations",
        "",
        *_deviations(content),
        *(_pairs(content) if "pairs" in content else []),
    ]
    return "\n".join(parts).rstrip() + "\n"


def _plain(text: str) -> str:
    """Text that a subject chose, without its meaning as Markdown or HTML."""
    return re.sub(r"([\\`*_{}\[\]<>#|~&!])", r"\\\1", text)


def _table(head: list[str], rows: list[list[str]]) -> list[str]:
    lines = [head, ["---"] * len(head), *rows]
    return [*("|" + "|".join(f" {cell} " if cell else " " for cell in cells) + "|" for cells in lines), ""]


def _subjects(content: dict[str, Any]) -> list[str]:
    rows = []
    for one in content["subjects"]:
        who = _plain(" ".join(one["implementation"].get(key, "") for key in ("name", "version")).strip())
        counts = ", ".join(f"{number} {verdict}" for verdict, number in one["counts"].items())
        verdict = _verdict(one)
        rows.append([one["name"], who, f"{one['role']}, rung {one['rung']}", verdict, counts])
    return _table(["subject", "implementation", "role", "verdict", "results"], rows)


def _verdict(one: dict[str, Any]) -> str:
    """A subject with known deviations does not conform, even where none of them is new."""
    known = one["counts"].get(KNOWN, 0)
    if "unfit" in one:
        return f"**not judged**: {_plain(one['unfit']['text'])}"
    if not one["conformant"]:
        return "**not conformant**"
    return f"not conformant: {count(known, 'known deviation')}" if known else "conformant"


def _findings(content: dict[str, Any]) -> list[str]:
    """The failures that no list names, a line for each cause; empty when there are none."""
    lines = []
    for one in content["findings"]:
        said = f"expected {_plain(one['expected'])}; came {_plain(one['came'].rpartition(NEWLINE)[2])}"
        lines.append(f"- **{one['subject']}**: {headline(one)}: {said} ({shortened(one['cases'])})")
    return ["## Findings", "", *lines, ""] if lines else []


def _absent(content: dict[str, Any]) -> list[str]:
    found = content.get("absent", {})
    return (
        [f"Not judged, because absent: {', '.join(f'{name} ({why})' for name, why in found.items())}.", ""]
        if found
        else []
    )


def _groups(content: dict[str, Any]) -> dict[str, list[int]]:
    """Implementation to the positions of its subjects, child before parent."""
    groups: dict[str, list[int]] = {}
    for number, one in enumerate(content["subjects"]):
        suffix = f"-{one['role']}" if one["role"] in ROLES else ""
        groups.setdefault(one["name"].removesuffix(suffix), []).append(number)
    return groups


def _cells(verdicts: list[str], groups: dict[str, list[int]]) -> list[str]:
    """The marks of a row, a cell per implementation."""
    row = []
    for numbers in groups.values():
        marks = [MARKS[verdicts[number]] for number in numbers if verdicts[number]]
        row.append(" / ".join(marks) if len(set(marks)) > 1 else "".join(marks[:1]))
    return row


def _rules(content: dict[str, Any]) -> list[str]:
    groups = _groups(content)
    rows = [[rule, *_cells(row, groups)] for rule, row in requirement_table(content)]
    return _table(["rule", *groups], _judged(rows, 1))


def _cases(content: dict[str, Any]) -> list[str]:
    groups = _groups(content)
    found = {(entry["case"], entry["subject"]): entry["verdict"] for entry in content["results"]}
    names = [one["name"] for one in content["subjects"]]
    rows = [
        [case["id"], case["level"], *_cells([found.get((case["id"], name), "") for name in names], groups)]
        for case in content["cases"]
    ]
    return _table(["case", "level", *groups], _judged(rows, 2))


def _judged(rows: list[list[str]], names: int) -> list[list[str]]:
    """The rows with a mark: cases of a wire that no subject speaks, and their rules, have none."""
    return [row for row in rows if any(row[names:])]


def _deviations(content: dict[str, Any]) -> list[str]:
    lines = []
    for one in content["subjects"]:
        wrong = [
            entry
            for entry in content["results"]
            if entry["subject"] == one["name"] and entry["verdict"] in (KNOWN, FAIL, INCONCLUSIVE)
        ]
        if wrong:
            listed = ", ".join(f"{entry['case']} ({entry['signature']})" for entry in wrong)
            lines += [f"- **{one['name']}**: {listed}"]
    return lines or ["None."]


def _pairs(content: dict[str, Any]) -> list[str]:
    """Parent by child: the worst verdict of all trials, and the trials that failed."""
    results = content["pairs"]["results"]
    children, rows = pair_table(content)
    cells = [
        [
            parent,
            *(
                MARKS[worst_verdict(results[one]["verdict"] for one in numbers) or UNSUPPORTED]
                for numbers in row
            ),
        ]
        for parent, row in rows
    ]
    trials = [
        f"- `{one['id']}`: {one['title']} ({', '.join(one['rules'])})" for one in content["pairs"]["trials"]
    ]
    return [
        "",
        "## Parent by child",
        "",
        *_table(["parent / child", *children], cells),
        *trials,
        "",
        *_wrong_pairs(results),
    ]


def _wrong_pairs(results: list[dict[str, Any]]) -> list[str]:
    """The pairs in which each trial fails."""
    found: dict[tuple[str, str], list[str]] = {}
    for one in results:
        if one["verdict"] in (KNOWN, FAIL, INCONCLUSIVE, FIXED):
            found.setdefault((one["trial"], one["signature"]), []).append(f"{one['parent']}/{one['child']}")
    return [
        f"- {trial} ({outcome}): {', '.join(sorted(pairs))}" for (trial, outcome), pairs in found.items()
    ] or ["Every trial of every pair goes well."]
