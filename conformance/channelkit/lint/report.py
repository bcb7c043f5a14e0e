"""Violations of recordings as text, JSON, JUnit XML and SARIF."""

import json
import xml.etree.ElementTree as ET
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from channelkit import __version__
from channelkit.lint.deaths import deaths
from channelkit.lint.violation import Violation
from channelkit.tap.reading import Damage
from channelkit.wire.visible import visible

SHOWN = 100
"""Bytes of a line of text."""
_SARIF = "https://json.schemastore.org/sarif-2.1.0.json"
_LEVELS = {"MUST": "error", "SHOULD": "warning", "MAY": "note"}


@dataclass(frozen=True, slots=True)
class Linted:
    """A recording and its violations."""

    path: Path
    violations: Sequence[Violation]
    damage: Damage | None = None


def paragraph(found: Violation) -> str:
    """A violation for a person: rule, observation, sentence, place, bytes, and the runtimes that die of it."""
    lines = [
        f"{found.rule} {found.level}  {found.who}: {visible(found.text)}",
        f"    {found.sentence}",
        f"    at {found.time / 1e6:.6f} s, entry {found.entry}, byte {found.offset} from the {found.who}",
    ]
    if found.data:
        text = visible(found.data[:SHOWN].decode(errors="backslashreplace"))
        more = f" … {len(found.data)} bytes" if len(found.data) > SHOWN else ""
        lines.append(f"    {text}{more}")
    lines.extend(f"    {one}" for one in deaths().get(found.rule, ()))
    return "\n".join(lines)


def as_text(all_linted: Iterable[Linted]) -> str:
    """Paragraphs, and a line of numbers."""
    parts = list[str]()
    total = 0
    for one in all_linted:
        parts.extend(f"{one.path}\n{paragraph(found)}" for found in one.violations)
        total += len(one.violations)
    return "\n".join([*parts, f"{total} violation{'s' * (total != 1)}"])


def as_json(all_linted: Iterable[Linted]) -> str:
    """An object with every recording."""
    content = [
        {
            "recording": str(one.path),
            "damage": asdict(one.damage) if one.damage else None,
            "violations": [
                {**found.members(), "runtimes": [str(death) for death in deaths().get(found.rule, ())]}
                for found in one.violations
            ],
        }
        for one in all_linted
    ]
    return json.dumps({"channelkit": __version__, "recordings": content}, indent=1)


def as_junit(all_linted: Iterable[Linted]) -> str:
    """A test suite for each recording, a failed test for each rule that is broken in it."""
    root = ET.Element("testsuites", name="channelkit lint")
    for one in all_linted:
        rules: dict[str, list[Violation]] = {}
        for found in one.violations:
            rules.setdefault(found.rule, []).append(found)
        suite = ET.SubElement(
            root, "testsuite", name=str(one.path), tests=str(len(rules) or 1), failures=str(len(rules))
        )
        if one.damage and not one.damage.cut:
            suite.set("errors", "1")
            suite.set("tests", str(len(rules) + 1))
            case = ET.SubElement(suite, "testcase", name="the recording is whole", classname=one.path.name)
            ET.SubElement(case, "error", message=one.damage.told(one.path))
        elif not rules:
            ET.SubElement(suite, "testcase", name="no violation", classname=one.path.name)
        for rule, violations in rules.items():
            case = ET.SubElement(suite, "testcase", name=rule, classname=one.path.name)
            failure = ET.SubElement(
                case, "failure", message=visible(violations[0].text), type=violations[0].level
            )
            failure.text = "\n".join(map(paragraph, violations[:20]))
    return ET.tostring(root, encoding="unicode")


def as_sarif(all_linted: Iterable[Linted]) -> str:
    """SARIF 2.1.0; the place of a violation is a range of bytes."""
    linted = list(all_linted)
    rules = {found.rule: found for one in linted for found in one.violations}
    results: list[dict[str, Any]] = [_result(one.path, found) for one in linted for found in one.violations]
    driver = {
        "name": "channelkit lint",
        "version": __version__,
        "rules": [
            {"id": rule, "shortDescription": {"text": found.sentence}} for rule, found in rules.items()
        ],
    }
    run = {"tool": {"driver": driver}, "invocations": [_invocation(linted)], "results": results}
    return json.dumps({"$schema": _SARIF, "version": "2.1.0", "runs": [run]}, indent=1)


def _invocation(linted: Sequence[Linted]) -> dict[str, Any]:
    """Whether all recordings were read to their ends."""
    damages = [(one.path, one.damage) for one in linted if one.damage]
    return {
        "executionSuccessful": all(damage.cut for _path, damage in damages),
        "toolExecutionNotifications": [
            {"level": "note" if damage.cut else "error", "message": {"text": damage.told(path)}}
            for path, damage in damages
        ],
    }


def _result(path: Path, found: Violation) -> dict[str, Any]:
    return {
        "ruleId": found.rule,
        "level": _LEVELS[found.level],
        "message": {"text": f"{found.who}: {found.text}"},
        "locations": [
            {
                "physicalLocation": {
                    "artifactLocation": {"uri": path.as_posix()},
                    "region": {"byteOffset": found.offset, "byteLength": len(found.data)},
                }
            }
        ],
        "properties": {"entry": found.entry, "time": found.time, "way": found.way},
    }


FORMATS = {"text": as_text, "json": as_json, "junit": as_junit, "sarif": as_sarif}
"""Names of formats."""
