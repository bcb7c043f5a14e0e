"""The report as an HTML page that stands alone: it needs no network, no server and no further file."""

import base64
import gzip
import html
import json
import re
from collections import Counter
from collections.abc import Sequence
from typing import Any

from channelkit.catalogue.verdict import FAIL, FIXED, INCONCLUSIVE, KNOWN, LENIENT, PASS, UNSUPPORTED
from channelkit.report.console import LETTERS, pair_table, requirement_table, worst_verdict
from channelkit.report.findings import TOLD, count, headline
from channelkit.resources import PACKAGE

_MANY, _HEAD = 1500, 10
"""In a report with more results, a passed case keeps so many entries of its transcript."""
_HOLDS = {PASS: "hold", LENIENT: "hold", KNOWN: "known", FAIL: "new", FIXED: "new", INCONCLUSIVE: "new"}
"""The meaning of a verdict for a rule; a rule whose capability is absent is not counted."""
_COLUMNS = 6
"""Subjects beyond which heads of columns stand upright."""


def render(content: dict[str, Any]) -> str:
    """The page for the content of ``results.json``."""
    node = content["runtimes"]["node"]
    facts = f"{content['started']} · {content['seconds']} s · Node {node or 'absent'} · Python {content['runtimes']['python']}"
    partial = (
        "" if content["complete"] else "<p><strong>The run was interrupted: results are missing.</strong></p>"
    )
    many = len(content["subjects"]) > _COLUMNS
    classes = f"{'several' * (len(content['subjects']) > 1)} {'many' * many}".strip()
    return f"""<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>Conformance of NODE_CHANNEL_FD channels</title><style>{_file("page.css")}</style></head><body class="{classes}">
<h1>Conformance of NODE_CHANNEL_FD channels</h1>
<p>channelkit {_text(content["kit"])} · {_text(facts)} · {_text(content["system"])}</p>{partial}
{_absent(content)}{_subjects(content, opened=not many)}
{_findings(content)}
<h2>Chapters</h2>{_chapters(content)}
{_legend()}
<p id="bar"><input id="filter" type="search" placeholder="filter rules and cases: words" aria-label="words">
<select id="verdict" aria-label="verdict"><option value="">any verdict</option>{_options()}</select></p>
<h2>Requirements</h2>{_requirements(content)}
<h2>Cases</h2>{_cases(content)}
{_pairs(content)}
<dialog id="detail"></dialog>
<script type="application/gzip" id="data">{_embedded(content)}</script>
<script type="module">{_file("page.js")}</script></body></html>
"""


def _file(name: str) -> str:
    return (PACKAGE / "report" / name).read_text(encoding="utf-8")


def _text(value: object) -> str:
    return html.escape(str(value))


def _prose(text: str) -> str:
    """A sentence in which backticks enclose code."""
    return re.sub("`([^`]+)`", r"<code>\1</code>", _text(text))


def _options() -> str:
    return "".join(f'<option value="{verdict}">{verdict}</option>' for verdict in LETTERS)


def _absent(content: dict[str, Any]) -> str:
    names = ", ".join(f"{name} ({why})" for name, why in content.get("absent", {}).items())
    return f"<p>Not judged, because absent: {_text(names)}</p>" if names else ""


def _embedded(content: dict[str, Any]) -> str:
    """JSON, packed and in base64. In a large report a passed case keeps the head of its transcript."""
    if len(content["results"]) > _MANY:
        content = {**content, "results": [_brief(one) for one in content["results"]]}
    if "pairs" in content:
        pairs = content["pairs"]
        content = {**content, "pairs": {**pairs, "results": [_brief_pair(one) for one in pairs["results"]]}}
    return base64.b64encode(gzip.compress(json.dumps(content).encode(), mtime=0)).decode()


def _brief(result: dict[str, Any]) -> dict[str, Any]:
    return {**result, "transcript": result["transcript"][:_HEAD]} if result["verdict"] == PASS else result


def _brief_pair(result: dict[str, Any]) -> dict[str, Any]:
    """The head of the transcript, and as much of the wire."""
    wire = [entry for entry in result["transcript"] if entry["kind"] in ("down", "up")][:_HEAD]
    head = _brief(result)
    more = [entry for entry in wire if entry not in head["transcript"]]
    return {**head, "transcript": [*head["transcript"], *more]}


def _legend() -> str:
    marks = "".join(
        f'<span class="{verdict}">{_text(mark)}</span>{verdict} ' for verdict, mark in LETTERS.items()
    )
    return f'<p id="legend">{marks}</p>'


def _table(head: list[str], rows: list[str], name: str, upright: Sequence[str] = ()) -> str:
    cells = "".join(f"<th>{_text(title)}</th>" for title in head)
    cells += "".join(f'<th class="up">{_text(title)}</th>' for title in upright)
    return f'<table id="{name}"><thead><tr>{cells}</tr></thead><tbody>{"".join(rows)}</tbody></table>'


def _subjects(content: dict[str, Any], *, opened: bool) -> str:
    rows = []
    for one in content["subjects"]:
        who = " ".join(one["implementation"].get(key, "") for key in ("name", "version"))
        counts = ", ".join(f"{number} {verdict}" for verdict, number in one["counts"].items())
        verdict = "not judged" if "unfit" in one else "conformant" if one["conformant"] else "not conformant"
        cells = (one["name"], who, f"{one['role']}, rung {one['rung']}", verdict, counts, one["command"])
        rows.append("<tr>" + "".join(f"<td>{_text(cell)}</td>" for cell in cells) + "</tr>")
    table = _table(["subject", "implementation", "role", "verdict", "results", "command"], rows, "subjects")
    summary = f"<summary>{count(len(rows), 'subject')}</summary>"
    return f"<details{' open' * opened}>{summary}{table}</details>"


def _findings(content: dict[str, Any]) -> str:
    """The failures that no list names, by cause, and why a subject was not judged. They stand on top, since readers look for them."""
    numbers = _numbers(content)
    items = [
        f"<li><strong>{_text(one['name'])}</strong> was not judged: {_text(one['unfit']['text'])}"
        f"<pre>{_text(one['unfit']['stderr'])}</pre></li>"
        for one in content["subjects"]
        if "unfit" in one
    ]
    for one in content["findings"]:
        cases = "".join(
            f'<button data-result="{numbers[case, one["subject"]]}">{_text(case)}</button> '
            for case in one["cases"]
        )
        expected = f"<br>Expected: {_text(one['expected'])}" if one["expected"] else ""
        came = one["came"].rpartition("\n")[2]
        items.append(
            f'<li><span class="{one["verdict"]}">{_text(one["verdict"])}</span> <strong>{_text(one["subject"])}</strong>: '
            f"{_text(headline(one))}{expected}<br>Came: {_text(came)}"
            f"<details><summary>{count(len(one['cases']), 'case')}</summary>{cases}</details></li>"
        )
    return f'<h2>{count(len(items), "finding")}</h2><ul id="findings">{"".join(items)}</ul>' if items else ""


def _chapters(content: dict[str, Any]) -> str:
    """The rules by chapter and subject: how many hold, how many are known not to hold, and how many fail anew."""
    names = [one["name"] for one in content["subjects"]]
    found: dict[str, list[Counter[str]]] = {}
    for rule, row in requirement_table(content):
        counters = found.setdefault(rule.partition("-")[0], [Counter() for _name in names])
        for counter, verdict in zip(counters, row, strict=True):
            counter[_HOLDS.get(verdict, "")] += 1
    rows = []
    for chapter, counters in found.items():
        cells = "".join(
            f'<td data-subject="{_text(name)}">{_summary(one)}</td>'
            for name, one in zip(names, counters, strict=True)
        )
        rows.append(f"<tr><th>{_text(chapter)}</th>{cells}</tr>")
    return _table(["chapter"], rows, "chapters", names)


def _summary(counter: Counter[str]) -> str:
    judged = sum(counter[kind] for kind in ("hold", "known", "new"))
    more = "".join(
        f', <span class="{verdict}">{counter[kind]} {kind}</span>'
        for kind, verdict in (("known", KNOWN), ("new", FAIL))
        if counter[kind]
    )
    return f"{counter['hold']} of {judged} hold{more}" if judged else ""


def _numbers(content: dict[str, Any]) -> dict[tuple[str, str], int]:
    """Case and subject to the position of the result."""
    return {(entry["case"], entry["subject"]): number for number, entry in enumerate(content["results"])}


def _requirements(content: dict[str, Any]) -> str:
    names = [one["name"] for one in content["subjects"]]
    rows = []
    for rule, row in requirement_table(content):
        cells = "".join(
            _button(cell, name, rule=rule, subject=name) for name, cell in zip(names, row, strict=True)
        )
        rows.append(f"<tr><th>{_text(rule)}</th><td>{_prose(content['requirements'][rule])}</td>{cells}</tr>")
    return _table(["id", "requirement"], rows, "requirements", names)


def _cases(content: dict[str, Any]) -> str:
    names = [one["name"] for one in content["subjects"]]
    numbers = _numbers(content)
    rows = []
    for case in sorted(content["cases"], key=lambda case: _worry(content, case, numbers)):
        cells = "".join(_cell(content, numbers.get((case["id"], name))) for name in names)
        rows.append(
            f"<tr><th>{_text(case['id'])}</th><td>{_prose(case['title'])}</td><td>{case['level']}</td>{cells}</tr>"
        )
    return _table(["id", "case", "level"], rows, "cases", names)


def _worry(content: dict[str, Any], case: dict[str, Any], numbers: dict[tuple[str, str], int]) -> bool:
    """False for a case that needs attention, so that it stands on top."""
    found = (numbers.get((case["id"], one["name"])) for one in content["subjects"])
    return not any(number is not None and content["results"][number]["verdict"] in TOLD for number in found)


def _cell(content: dict[str, Any], number: int | None) -> str:
    if number is None:
        return "<td></td>"
    result = content["results"][number]
    return _button(result["verdict"], result["subject"], result=number)


def _button(verdict: str, column: str, **opens: object) -> str:
    """A cell that opens the entry of these names in the script; an empty cell when there is no verdict."""
    if not verdict:
        return "<td></td>"
    names = " ".join(f'data-{name}="{_text(value)}"' for name, value in opens.items())
    return f'<td class="v {verdict}" data-subject="{_text(column)}"><button {names}>{_text(LETTERS[verdict])}</button></td>'


def _pairs(content: dict[str, Any]) -> str:
    if "pairs" not in content:
        return ""
    results = content["pairs"]["results"]
    children, table = pair_table(content)
    rows = []
    for parent, row in table:
        cells = "".join(
            _button(
                (worst_verdict(results[one]["verdict"] for one in numbers) or UNSUPPORTED) if numbers else "",
                child,
                parent=parent,
                child=child,
            )
            for child, numbers in zip(children, row, strict=True)
        )
        rows.append(f"<tr><th>{_text(parent)}</th>{cells}</tr>")
    return "<h2>Parent by child</h2>" + _table(["parent / child"], rows, "pairs", children)
