"""A report as JUnit XML, which continuous integration systems show."""

from typing import Any
from xml.sax.saxutils import escape, quoteattr

from channelkit.catalogue.verdict import FAIL, FIXED, INCONCLUSIVE, KNOWN, UNSUPPORTED
from channelkit.wire.transcript import lines

_ELEMENT = {
    FAIL: "failure",
    FIXED: "failure",
    INCONCLUSIVE: "error",
    UNSUPPORTED: "skipped",
    KNOWN: "skipped",
}


def render(content: dict[str, Any]) -> str:
    """The XML text: a suite per subject."""
    suites = "".join(
        _suite(one["name"], [entry for entry in content["results"] if entry["subject"] == one["name"]])
        for one in content["subjects"]
    )
    pairs = content.get("pairs", {"results": []})["results"]
    if pairs:
        suites += _suite("pairs", [_of_pair(entry) for entry in pairs])
    return f'<?xml version="1.0" encoding="UTF-8"?>\n<testsuites name="channelkit">\n{suites}</testsuites>\n'


def _of_pair(entry: dict[str, Any]) -> dict[str, Any]:
    """A trial of a pair as if it were a case of a subject."""
    return {**entry, "subject": f"{entry['parent']}/{entry['child']}", "case": entry["trial"]}


def _suite(name: str, entries: list[dict[str, Any]]) -> str:
    count = {
        kind: sum(_element(entry) == kind for entry in entries) for kind in ("failure", "error", "skipped")
    }
    numbers = f'tests="{len(entries)}" failures="{count["failure"]}" errors="{count["error"]}" skipped="{count["skipped"]}"'
    cases = "".join(map(_case, entries))
    return f"<testsuite name={quoteattr(name)} {numbers}>\n{cases}</testsuite>\n"


def _element(entry: dict[str, Any]) -> str | None:
    if entry["verdict"] == FAIL and entry["level"] == "INFO":
        return None
    return _ELEMENT.get(entry["verdict"])


def _case(entry: dict[str, Any]) -> str:
    head = f'<testcase classname={quoteattr(entry["subject"])} name={quoteattr(entry["case"])} time="{entry["seconds"]}"'
    element = _element(entry)
    if element is None:
        return f"{head}/>\n"
    message = quoteattr(
        _clean(f"{entry.get('listed') or entry['verdict']}: {entry['outcome']}: {entry['text']}")
    )
    if element == "skipped":
        return f"{head}><skipped message={message}/></testcase>\n"
    told = "\n".join([*lines(entry["transcript"]), f"reproduce: {entry['reproduce']}"])
    return f"{head}><{element} message={message}>{escape(_clean(told))}</{element}></testcase>\n"


def _clean(text: str) -> str:
    """Without the characters that XML cannot hold."""
    return "".join(
        one
        if one in "\n\t" or (one >= " " and not "\ud800" <= one <= "\udfff" and one not in "\ufffe\uffff")
        else "\ufffd"
        for one in text
    )
