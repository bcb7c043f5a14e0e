"""The report as one HTML page that needs nothing else: no network, no server, no other file."""

import base64
import gzip
import html
import json
from collections.abc import Sequence
from typing import Any

from channelkit.catalogue.verdict import PASS, UNSUPPORTED
from channelkit.report.console import LETTERS, pair_table, requirement_table, worst_verdict
from channelkit.resources import PACKAGE

_MANY, _HEAD = 1500, 10
"""Results beyond which what passed keeps so many entries of its transcript."""
_COLUMNS = 6
"""Subjects beyond which heads of columns stand upright."""


def render(content: dict[str, Any]) -> str:
    """The page for the content of ``results.json``."""
    node = content["runtimes"]["node"]
    facts = f"{content['started']} · {content['seconds']} s · Node {node or 'absent'} · Python {content['runtimes']['python']}"
    partial = (
        "" if content["complete"] else "<p><strong>The run was interrupted: results are missing.</strong></p>"
    )
    many = ' class="many"' if len(content["subjects"]) > _COLUMNS else ""
    return f"""<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>Conformance of NODE_CHANNEL_FD channels</title><style>{_file("page.css")}</style></head><body{many}>
<h1>Conformance of NODE_CHANNEL_FD channels</h1>
<p>channelkit {_text(content["kit"])} · {_text(facts)} · {_text(content["system"])}</p>{partial}
{_absent(content)}<details{"" if many else " open"}><summary>{len(content["subjects"])} subjects</summary>{_subjects(content)}</details>
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


def _options() -> str:
    return "".join(f'<option value="{verdict}">{verdict}</option>' for verdict in LETTERS)


def _absent(content: dict[str, Any]) -> str:
    names = ", ".join(f"{name} ({why})" for name, why in content.get("absent", {}).items())
    return f"<p>Not judged, because absent: {_text(names)}</p>" if names else ""


def _embedded(content: dict[str, Any]) -> str:
    """JSON, packed and in base64. In a large report what passed keeps the head of its transcript."""
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


def _subjects(content: dict[str, Any]) -> str:
    rows = []
    for one in content["subjects"]:
        who = " ".join(one["implementation"].get(key, "") for key in ("name", "version"))
        counts = ", ".join(f"{number} {verdict}" for verdict, number in one["counts"].items())
        verdict = "conformant" if one["conformant"] else "not conformant"
        cells = (one["name"], who, f"{one['role']}, rung {one['rung']}", verdict, counts, one["command"])
        rows.append("<tr>" + "".join(f"<td>{_text(cell)}</td>" for cell in cells) + "</tr>")
    return _table(["subject", "implementation", "role", "verdict", "results", "command"], rows, "subjects")


def _requirements(content: dict[str, Any]) -> str:
    names = [one["name"] for one in content["subjects"]]
    rows = []
    for rule, row in requirement_table(content):
        cells = "".join(_button(cell, rule=rule, subject=name) for name, cell in zip(names, row, strict=True))
        rows.append(f"<tr><th>{_text(rule)}</th><td>{_text(content['requirements'][rule])}</td>{cells}</tr>")
    return _table(["id", "requirement"], rows, "requirements", names)


def _cases(content: dict[str, Any]) -> str:
    names = [one["name"] for one in content["subjects"]]
    numbers = {(entry["case"], entry["subject"]): number for number, entry in enumerate(content["results"])}
    rows = []
    for case in content["cases"]:
        cells = "".join(_cell(content, numbers.get((case["id"], name))) for name in names)
        rows.append(
            f"<tr><th>{_text(case['id'])}</th><td>{_text(case['title'])}</td><td>{case['level']}</td>{cells}</tr>"
        )
    return _table(["id", "case", "level"], rows, "cases", names)


def _cell(content: dict[str, Any], number: int | None) -> str:
    return _button("" if number is None else content["results"][number]["verdict"], result=number)


def _button(verdict: str, **opens: object) -> str:
    """A cell that opens what the script finds under these names; an empty one when there is no verdict."""
    if not verdict:
        return "<td></td>"
    names = " ".join(f'data-{name}="{_text(value)}"' for name, value in opens.items())
    return f'<td class="v {verdict}"><button {names}>{_text(LETTERS[verdict])}</button></td>'


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
                parent=parent,
                child=child,
            )
            for child, numbers in zip(children, row, strict=True)
        )
        rows.append(f"<tr><th>{_text(parent)}</th>{cells}</tr>")
    return "<h2>Parent by child</h2>" + _table(["parent / child"], rows, "pairs", children)
