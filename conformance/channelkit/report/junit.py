"""A report as JUnit XML, which continuous integration systems show."""

from typing import Any
from xml.sax.saxutils import escape, quoteattr

from channelkit.catalogue.verdict import FAIL, FIXED, INCONCLUSIVE, KNOWN, UNSUPPORTED
from channelkit.report.findings import headline
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
    first = {
        (finding["subject"], case): finding
        for finding in content["findings"]
        for case in finding["cases"][1:]
    }
    suites = [_of_subject(content, one, first) for one in content["subjects"]]
    pairs = content.get("pairs", {"results": []})["results"]
    if pairs:
        suites.append(_suite("pairs", content["started"], [(_of_pair(entry), None) for entry in pairs]))
    head = f'<testsuites name="channelkit" time="{content["seconds"]}">'
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{head}\n{"".join(suites)}</testsuites>\n'


def _of_subject(
    content: dict[str, Any], one: dict[str, Any], first: dict[tuple[str, str], dict[str, Any]]
) -> str:
    """The suite of a subject. A case of a finding that another case tells of is brief."""
    entries = [entry for entry in content["results"] if entry["subject"] == one["name"]]
    told = [(entry, first.get((entry["subject"], entry["case"]))) for entry in entries]
    if "unfit" in one:
        told.append((_of_unfit(one), None))
    return _suite(one["name"], content["started"], told)


def _of_unfit(one: dict[str, Any]) -> dict[str, Any]:
    """Why no case could be run with a subject, as if it were a case."""
    why = {"outcome": "unfit", "text": one["unfit"]["text"], "expected": "an answer to the first message"}
    stderr = [{"ms": 0.0, "kind": "note", "text": line} for line in one["unfit"]["stderr"].splitlines()]
    again = f"channelkit doctor --{one['role']} {one['command']!r}"
    more = {
        "subject": one["name"],
        "case": "answers at all",
        "verdict": FAIL,
        "level": "MUST",
        "seconds": 0.0,
    }
    return {**why, **more, "transcript": stderr, "reproduce": again}


def _of_pair(entry: dict[str, Any]) -> dict[str, Any]:
    """A trial of a pair as if it were a case of a subject."""
    who = f"{entry['parent']}/{entry['child']}"
    return {**entry, "subject": who, "case": entry["trial"], "expected": "", "level": "MUST"}


def _suite(name: str, started: str, told: list[tuple[dict[str, Any], dict[str, Any] | None]]) -> str:
    entries = [entry for entry, _finding in told]
    count = {
        kind: sum(_element(entry) == kind for entry in entries) for kind in ("failure", "error", "skipped")
    }
    numbers = f'tests="{len(entries)}" failures="{count["failure"]}" errors="{count["error"]}" skipped="{count["skipped"]}"'
    seconds = round(sum(entry["seconds"] for entry in entries), 3)
    when = f'time="{seconds}" timestamp={quoteattr(started)}'
    cases = "".join(_case(entry, finding) for entry, finding in told)
    return f"<testsuite name={quoteattr(name)} {numbers} {when}>\n{cases}</testsuite>\n"


def _element(entry: dict[str, Any]) -> str | None:
    if entry["verdict"] == FAIL and entry["level"] == "INFO":
        return None
    return _ELEMENT.get(entry["verdict"])


def _case(entry: dict[str, Any], finding: dict[str, Any] | None) -> str:
    head = f'<testcase classname={quoteattr(entry["subject"])} name={quoteattr(entry["case"])} time="{entry["seconds"]}"'
    element = _element(entry)
    if element is None:
        return f"{head}/>\n"
    message = quoteattr(
        _clean(f"{entry.get('listed') or entry['verdict']}: {entry['outcome']}: {entry['text']}")
    )
    if element == "skipped":
        return f"{head}><skipped message={message}/></testcase>\n"
    again = f"reproduce: {entry['reproduce']}"
    if finding is not None:
        told = f"same cause as {finding['cases'][0]} ({headline(finding)})\n{again}"
    else:
        told = "\n".join([*_expected(entry), *lines(entry["transcript"]), again])
    return f"{head}><{element} message={message}>{escape(_clean(told))}</{element}></testcase>\n"


def _expected(entry: dict[str, Any]) -> list[str]:
    return [f"expected: {entry['expected']}", f"came: {entry['text']}"] if entry["expected"] else []


def _clean(text: str) -> str:
    """Without the characters that XML cannot hold."""
    return "".join(
        one
        if one in "\n\t" or (one >= " " and not "\ud800" <= one <= "\udfff" and one not in "\ufffe\uffff")
        else "\ufffd"
        for one in text
    )
