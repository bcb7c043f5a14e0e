"""Findings: failures of a subject that have the same cause are told once, with the number of their cases."""

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

from channelkit.catalogue.verdict import FAIL, FIXED, INCONCLUSIVE

TOLD = (FAIL, FIXED, INCONCLUSIVE)
"""Verdicts that need attention."""
_ENDINGS = {"hung": "LIF-002"}
"""The rule of an ending that is wrong after steps that were right."""
_CODE = re.compile(r'"(?:event|code)": ?"([^"]{1,60})"')
_PARTICULAR = re.compile(r"""[{\["'].*|b['"].*|\d+""", re.DOTALL)
_DESCRIPTOR = re.compile(r"\d+ -> [^\s,]+")
"""A descriptor and its file, as the text of a leak names them. The numbers differ in each process."""
_LAST_WORD = re.compile(r"([A-Za-z_][\w.]*(?:Error|Exception|Panic|panic\w*))\b")


def cause_of(entry: dict[str, Any]) -> str:
    """Equal for two results of a subject that show the same fault."""
    text: str = _DESCRIPTOR.sub("…", entry["cause"] or entry["text"])
    codes = " ".join(_CODE.findall(text)[:2])
    general = _PARTICULAR.sub("…", text.strip().rpartition("\n")[2]) if not entry["cause"] or codes else text
    how = f"{entry['verdict']} {entry['signature']}"
    if "died" in entry["signature"]:
        found = _LAST_WORD.findall(entry["stderr"][-2000:])
        return f"{how} {general} {found[-1] if found else ''}".strip()
    return f"{how} {general} {codes}".strip()


def fold(results: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """The findings, those with the most cases first; each names its cases in the order of the results."""
    groups: dict[tuple[str, str], list[dict[str, Any]]] = {}
    for entry in results:
        if entry["verdict"] in TOLD:
            groups.setdefault((entry["subject"], cause_of(entry)), []).append(entry)
    common = Counter(rule for entry in results for rule in entry["rules"])
    found = [_finding(entries, common) for entries in groups.values()]
    order = {name: number for number, name in enumerate(dict.fromkeys(entry["subject"] for entry in results))}
    return sorted(found, key=lambda one: (order[one["subject"]], -len(one["cases"]), one["cases"]))


def _finding(entries: Sequence[dict[str, Any]], common: Counter[str]) -> dict[str, Any]:
    first = entries[0]
    return {
        "subject": first["subject"],
        "verdict": first["verdict"],
        "signature": first["signature"],
        "rule": _rule(entries, common),
        "expected": first["expected"],
        "came": first["text"] or first["outcome"],
        "cases": [entry["case"] for entry in entries],
        "reproduce": first["reproduce"],
    }


def _rule(entries: Sequence[dict[str, Any]], common: Counter[str]) -> str:
    """The rule that most of the cases name. Among several, the rule that the fewest cases outside of the finding name."""
    if len(entries) > 1 and "/" in entries[0]["signature"] and entries[0]["ending"] in _ENDINGS:
        return _ENDINGS[entries[0]["ending"]]
    named: Counter[str] = Counter(rule for entry in entries for rule in entry["rules"])
    return min(named, key=lambda rule: (-named[rule], common[rule], rule))


def headline(finding: dict[str, Any]) -> str:
    """A line for people."""
    return f"{count(len(finding['cases']), 'case')}, {finding['rule']}, {finding['signature']}"


def count(number: int, what: str) -> str:
    """A number and its noun: ``1 case``, ``2 cases``."""
    return f"{number} {what}{'' if number == 1 else 's'}"


def shortened(names: Iterable[str], most: int = 8) -> str:
    """A list for a line. A long list ends with the number of names left out."""
    found = list(names)
    more = f" and {len(found) - most} more" if len(found) > most else ""
    return ", ".join(found[:most]) + more
