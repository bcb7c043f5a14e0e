"""A rule of the spec on the site: an address of its own, its cases, its verdicts, and the lines of the reference that obey the rule."""

from __future__ import annotations

import json
import re
from html import escape
from typing import TYPE_CHECKING, Any, NamedTuple

from docsite.links import relative

if TYPE_CHECKING:
    from pathlib import Path

_RULE = re.compile(
    r"^\*\*\[(?P<id>[A-Z]{3}-\d{3})\]\*\*(?P<text>.*?)(?=\n\n(?!\*(?:Intent|Not tested|None))|\Z)",
    re.MULTILINE | re.DOTALL,
)
_CODE = re.compile(r"`([^`]+)`")
_KEPT = re.compile(r"(\*\*\[[A-Z]{3}-\d{3}\]\*\*|`[^`]*`|<[^>]+>|\[[^\]]*\]\([^)]*\)|^#.*$)", re.MULTILINE)
"""Parts of a text in which no link is made: code, tags, links, headings."""
_MENTION = re.compile(r"(?<![\w-])([A-Z]{3}-\d{3})(?![\w-])")


class Evidence(NamedTuple):
    """The evidence for a rule: each cell as it stands in the repository's tables."""

    cases: list[str]
    places: str
    verdicts: dict[str, str]


def read_rules(root: Path) -> dict[str, dict[str, Any]]:
    """Return each rule of the spec as the build of the spec has found it."""
    return dict(json.loads((root / "spec/requirements.json").read_text("utf-8"))["rules"])


def read_evidence(root: Path) -> dict[str, Evidence]:
    """Read the evidence for each rule from the tables that the build of the spec and the kit write."""
    rules = read_rules(root)
    places = {cells[0]: cells[3] for cells in _rows((root / "spec/traceability.md").read_text("utf-8"))}
    head, *rows = _rows(_section((root / "conformance/MATRIX.md").read_text("utf-8"), "Rules"))
    verdicts = {
        row[0]: {name: cell for name, cell in zip(head[1:], row[1:], strict=True) if cell} for row in rows
    }
    return {
        name: Evidence(rule["cases"], places.get(name, ""), verdicts.get(name, {}))
        for name, rule in rules.items()
    }


def _section(text: str, title: str) -> str:
    return text.partition(f"\n## {title}\n")[2].partition("\n## ")[0]


def _rows(text: str) -> list[list[str]]:
    lines = [line for line in text.splitlines() if line.startswith("|") and not line.startswith("| ---")]
    return [[cell.strip() for cell in line.strip("|").split(" |")] for line in lines]


def with_evidence(text: str, evidence: dict[str, Evidence]) -> str:
    """Return the text of a chapter in which each rule has its address and its evidence."""
    return _RULE.sub(lambda found: _rule(found["id"], found["text"], evidence), text)


def with_links(text: str, here: str, homes: dict[str, str]) -> str:
    """Return the text of the page at `here` in which each mention of a rule is a link to that rule, whose page `homes` names."""

    def link(found: re.Match[str]) -> str:
        home = homes.get(found[1])
        if home is None:
            return found[0]
        way = "" if home == here else relative(home, f"{here}/") + "/"
        return f'<a href="{way}#{found[1]}">{found[1]}</a>'

    # Every second part is a match of the pattern.
    parts = _KEPT.split(text)
    return "".join(part if place % 2 else _MENTION.sub(link, part) for place, part in enumerate(parts))


def _rule(name: str, text: str, evidence: dict[str, Evidence]) -> str:
    anchor = f'<a class="rule" id="{name}" href="#{name}">{name}</a>'
    return f"{anchor}{text}\n\n{_details(evidence[name])}" if name in evidence else f"{anchor}{text}"


def _details(evidence: Evidence) -> str:
    rows = []
    if evidence.cases:
        rows.append(("cases", ", ".join(f"<code>{escape(case)}</code>" for case in evidence.cases)))
    if evidence.verdicts:
        rows.append(("verdicts", ", ".join(_verdict(*one) for one in evidence.verdicts.items())))
    if evidence.places:
        rows.append(("reference", _CODE.sub(r"<code>\1</code>", escape(evidence.places, quote=False))))
    if not rows:
        return ""
    cells = "".join(f"<tr><th>{name}</th><td>{cell}</td></tr>" for name, cell in rows)
    summary = f"{len(evidence.cases)} cases" if len(evidence.cases) != 1 else "1 case"
    return f'<details class="evidence"><summary>{summary}, verdicts, reference</summary><table>{cells}</table></details>'


def _verdict(runtime: str, cell: str) -> str:
    words = escape(cell.replace("*", ""))
    return f'{escape(runtime)} <span class="verdict-{"no" if "no" in cell.lower() else "ok"}">{words}</span>'
