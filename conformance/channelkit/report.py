"""``results.json``: everything that a run showed, and the page made from it."""

import argparse
import json
import platform
import shlex
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TextIO

from channelkit import CONTRACT, __version__, junit, markdown, page
from channelkit.cases import Case
from channelkit.execute import CaseResult
from channelkit.resources import rules
from channelkit.runtimes import find_node
from channelkit.subjects import Description
from channelkit.verdict import FAIL, INCONCLUSIVE, KNOWN, VERDICTS, counts_against

FORMAT = 1
"""Version of the format of ``results.json``."""


Output = tuple[str, Path]
"""A format, or ``dir`` for a directory with several, and its place."""


def as_json(content: dict[str, Any]) -> str:
    """The report as it is."""
    return json.dumps(content, indent=1) + "\n"


FORMATS: dict[str, Callable[[dict[str, Any]], str]] = {
    "json": as_json,
    "junit": junit.render,
    "md": markdown.render,
    "html": page.render,
}
_DIRECTORY = {"results.json": "json", "index.html": "html"}


def output(text: str) -> Output:
    """An output from the command line: ``FORMAT=PATH`` or a directory."""
    kind, equals, path = text.partition("=")
    return (kind, Path(path)) if equals and kind in FORMATS else ("dir", Path(text))


def add_report_option(parser: argparse.ArgumentParser) -> None:
    """Declares ``--report``."""
    parser.add_argument(
        "--report",
        type=output,
        action="append",
        default=[],
        metavar="[FORMAT=]PATH",
        help=f"{', '.join(FORMATS)}; without a format, results.json and index.html in that directory (repeatable)",
    )


@dataclass(slots=True)
class Report:
    """Collects results. With an output directory, each is written to ``results.jsonl`` there as soon as it is known."""

    subjects: Sequence[Description]
    cases: Sequence[Case]
    outputs: Sequence[Output] = ()
    """Where it is written, and in which formats."""
    absent: dict[str, str] = field(default_factory=dict)
    """Subjects that are not here, and why."""
    results: list[dict[str, Any]] = field(default_factory=list)
    started: float = field(default_factory=time.time)
    _hello: dict[str, dict[str, Any]] = field(default_factory=dict)
    _lines: TextIO | None = None

    def add(self, result: CaseResult) -> dict[str, Any]:
        """Takes one result and returns it as it stands in the report."""
        description = next(one for one in self.subjects if one.name == result.subject)
        entry = as_entry(result, reproduce(description, result))
        if entry["verdict"] == KNOWN:
            entry["signature"] = description.known[result.case.id].outcome
        if result.hello:
            self._hello[result.subject] = result.hello
        self.results.append(entry)
        directory = next((path for kind, path in self.outputs if kind == "dir"), None)
        if directory is not None:
            if self._lines is None:
                directory.mkdir(parents=True, exist_ok=True)
                self._lines = (directory / "results.jsonl").open("w", encoding="utf-8")
            self._lines.write(json.dumps(entry) + "\n")
            self._lines.flush()
        return entry

    def content(self, *, complete: bool) -> dict[str, Any]:
        """The report as one value; ``complete`` says whether every case was run."""
        order = {case.id: number for number, case in enumerate(self.cases)}
        names = {one.name: number for number, one in enumerate(self.subjects)}
        self.results.sort(key=lambda entry: (names[entry["subject"]], order[entry["case"]]))
        node = find_node()
        texts = rules()
        return {
            "format": FORMAT,
            "kit": __version__,
            "contract": CONTRACT,
            "started": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(self.started)),
            "seconds": round(time.time() - self.started, 2),
            "complete": complete,
            "runtimes": {"python": platform.python_version(), "node": node.version if node else None},
            "system": f"{platform.system()} {platform.release()} {platform.machine()}",
            "subjects": [self._subject(one) for one in self.subjects],
            "requirements": {rule: texts.get(rule, "") for rule in _rules_of(self.cases)},
            "cases": [
                {
                    "id": case.id,
                    "title": case.title,
                    "level": case.level,
                    "rules": list(case.rules),
                    "guards": case.guards,
                }
                for case in self.cases
            ],
            **({"absent": self.absent} if self.absent else {}),
            "results": self.results,
        }

    def _subject(self, one: Description) -> dict[str, Any]:
        found = Counter(entry["verdict"] for entry in self.results if entry["subject"] == one.name)
        hello = self._hello.get(one.name, {})
        return {
            "name": one.name,
            "role": one.role,
            "rung": one.rung,
            "command": shlex.join(one.command),
            "implementation": {key: hello[key] for key in ("name", "version", "language") if key in hello},
            "counts": {verdict: found[verdict] for verdict in VERDICTS if found[verdict]},
            "conformant": not any(
                counts_against(entry["verdict"], entry["level"])
                for entry in self.results
                if entry["subject"] == one.name
            ),
        }

    def write(self, *, complete: bool) -> None:
        """Writes all outputs. Raises :class:`OSError`."""
        self.close()
        content = self.content(complete=complete) if self.outputs else {}
        for kind, path in self.outputs:
            files = {path / name: one for name, one in _DIRECTORY.items()} if kind == "dir" else {path: kind}
            for target, one in files.items():
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_text(FORMATS[one](content), encoding="utf-8")

    def close(self) -> None:
        """Closes the file of partial results."""
        if self._lines is not None:
            self._lines.close()
            self._lines = None

    @property
    def exit_status(self) -> int:
        """0 conformant, 1 not, 3 when the harness failed; failures of subjects come first only if all was judged."""
        if any(entry["verdict"] == INCONCLUSIVE for entry in self.results):
            return 3
        return int(any(counts_against(entry["verdict"], entry["level"]) for entry in self.results))


def _rules_of(cases: Sequence[Case]) -> list[str]:
    return sorted({rule for case in cases for rule in case.rules})


def reproduce(description: Description, result: CaseResult) -> str:
    """The command that runs the deciding variant of a result alone."""
    variant = result.judgement.seen.variant
    chosen = result.case.id if result.case.segment == "none" else f"{result.case.id}:{variant}"
    return f"channelkit run {description.reproduce} -k {shlex.quote(chosen)} --trace"


def as_entry(result: CaseResult, command: str) -> dict[str, Any]:
    """One result as it stands in ``results.json``."""
    seen = result.judgement.seen
    failed = result.judgement.verdict == FAIL
    return {
        "subject": result.subject,
        "case": result.case.id,
        "level": result.case.level,
        "rules": list(result.case.rules),
        "verdict": result.judgement.verdict,
        "outcome": seen.outcome,
        "ending": seen.ending,
        "signature": seen.signature(result.case) if failed else seen.outcome,
        "flag": result.judgement.flag,
        "variant": seen.variant,
        "text": seen.text,
        "variants": [
            {"variant": one.variant, "outcome": one.outcome, "ending": one.ending} for one in result.variants
        ],
        "strays": result.strays,
        "seconds": round(result.seconds, 3),
        "reproduce": command,
        "stderr": result.stderr,
        "transcript": result.transcript,
    }
