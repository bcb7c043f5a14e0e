"""``results.json``: all results of a run, and the page that is made from them."""

import argparse
import json
import os
import platform
import shlex
import stat
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, TextIO

from channelkit import CONTRACT, __version__
from channelkit.catalogue.cases import Case
from channelkit.catalogue.verdict import FAIL, INCONCLUSIVE, KNOWN, VERDICTS, counts_against
from channelkit.judge.execute import CaseResult
from channelkit.judge.preflight import Unfit
from channelkit.judge.subjects import Description
from channelkit.pairs.trials import Trial
from channelkit.report import junit, markdown, page
from channelkit.report.findings import fold
from channelkit.resources import rules
from channelkit.runtimes.node import find_node
from channelkit.wire.visible import visible

FORMAT = 1
"""Version of the format of ``results.json``."""
_NAME = 100
"""Characters that are kept of a name which a subject gives itself."""
_CAUSE = 500
"""Characters that are kept of a cause."""
_PAUSE, _SHARE = 5.0, 20
"""Least seconds between two writings of the results so far, and the least multiple of the time that a writing took."""


Output = tuple[str, Path]
"""A format, or ``dir`` for a directory with several, and its place."""


def as_json(content: dict[str, Any]) -> str:
    """The report as it is, with a line for each subject, case and result."""
    # `indent` would leave the encoder of the standard library that is written in C, and a matrix has 50 MB.
    members = (f"{json.dumps(key)}: {_listed(value)}" for key, value in content.items())
    return "{\n" + ",\n".join(members) + "\n}\n"


def _listed(value: object) -> str:
    return (
        "[\n" + ",\n".join(map(json.dumps, value)) + "\n]" if isinstance(value, list) else json.dumps(value)
    )


FORMATS: dict[str, Callable[[dict[str, Any]], str]] = {
    "json": as_json,
    "junit": junit.render,
    "md": markdown.render,
    "html": page.render,
}
_DIRECTORY = {"results.json": "json", "index.html": "html"}
_PARTIAL = ("json",)
"""Formats that are written while the run goes on."""


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
    """Collects results. With an output directory, each is written to ``results.jsonl`` there as soon as it is known.

    Every few seconds all that is known is written as JSON, so that a run that is killed leaves a whole file behind.
    """

    subjects: Sequence[Description]
    cases: Sequence[Case]
    outputs: Sequence[Output] = ()
    """Where it is written, and in which formats."""
    absent: dict[str, str] = field(default_factory=dict)
    """Subjects that are not here, and why."""
    unfit: dict[str, Unfit] = field(default_factory=dict)
    """Subjects with which no case can be run, and why."""
    trials: Sequence[Trial] = ()
    """The trials of pairs; empty when no pairs are run."""
    results: list[dict[str, Any]] = field(default_factory=list)
    failed: int = 0
    """Results that make a subject nonconformant."""
    pairs: list[dict[str, Any]] = field(default_factory=list)
    started: float = field(default_factory=time.time)
    _hello: dict[str, dict[str, Any]] = field(default_factory=dict)
    _lines: TextIO | None = None
    _next: float = field(default_factory=lambda: time.monotonic() + _PAUSE)

    def add(self, result: CaseResult) -> dict[str, Any]:
        """Takes a result and returns it as it stands in the report."""
        description = next(one for one in self.subjects if one.name == result.subject)
        entry = as_entry(result, reproduce(description, result))
        if entry["verdict"] == KNOWN:
            known = description.known[result.case.id]
            entry |= {"signature": known.outcome, "listed": f"{known.kind}: {known.reason}"}
        if result.hello:
            self._hello[result.subject] = result.hello
        self.results.append(entry)
        self.failed += counts_against(entry["verdict"], entry["level"])
        directory = next((path for kind, path in self.outputs if kind == "dir"), None)
        if directory is not None:
            if self._lines is None:
                directory.mkdir(parents=True, exist_ok=True)
                self._lines = _fresh(directory / "results.jsonl")
            self._lines.write(json.dumps(entry) + "\n")
            self._lines.flush()
        self._write_partial()
        return entry

    def add_pair(self, entries: Sequence[dict[str, Any]]) -> None:
        """Takes the results of a pair."""
        self.pairs.extend(entries)
        self._write_partial()

    def _write_partial(self) -> None:
        started = time.monotonic()
        if self.outputs and started >= self._next:
            self._write(self.content(complete=False), _PARTIAL)
            taken = time.monotonic() - started
            self._next = started + max(_PAUSE, _SHARE * taken)

    def content(self, *, complete: bool) -> dict[str, Any]:
        """The report as a value; ``complete`` says whether every case was run."""
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
            "requirements": {rule: texts.get(rule, "") for rule in self._rules()},
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
            "findings": fold(self.results),
            "results": self.results,
            **({"pairs": self._pairs()} if self.trials else {}),
        }

    def _pairs(self) -> dict[str, Any]:
        order = {trial.id: number for number, trial in enumerate(self.trials)}
        self.pairs.sort(key=lambda entry: order[entry["trial"]])
        return {
            "trials": [{"id": one.id, "title": one.title, "rules": list(one.rules)} for one in self.trials],
            "results": self.pairs,
        }

    def _subject(self, one: Description) -> dict[str, Any]:
        found = Counter(entry["verdict"] for entry in self.results if entry["subject"] == one.name)
        hello = self._hello.get(one.name, {})
        return {
            "name": one.name,
            "role": one.role,
            "rung": one.rung,
            "command": shlex.join(one.command),
            "implementation": {
                key: visible(str(hello[key])[:_NAME])
                for key in ("name", "version", "language")
                if key in hello
            },
            "counts": {verdict: found[verdict] for verdict in VERDICTS if found[verdict]},
            "conformant": one.name not in self.unfit
            and not any(
                counts_against(entry["verdict"], entry["level"])
                for entry in self.results
                if entry["subject"] == one.name
            ),
            **({"unfit": asdict(self.unfit[one.name])} if one.name in self.unfit else {}),
        }

    def write(self, *, complete: bool) -> None:
        """Writes all outputs. Raises :class:`OSError`."""
        self.close()
        if self.outputs:
            self._write(self.content(complete=complete), tuple(FORMATS))

    def _write(self, content: dict[str, Any], formats: Sequence[str]) -> None:
        for kind, path in self.outputs:
            if kind in formats:
                _write_to(path, FORMATS[kind](content))
            for name, one in _DIRECTORY.items() if kind == "dir" else ():
                if one in formats:
                    _replace(path / name, FORMATS[one](content))

    def close(self) -> None:
        """Closes the file of partial results."""
        if self._lines is not None:
            self._lines.close()
            self._lines = None

    @property
    def exit_status(self) -> int:
        """0 conformant, 1 not, 3 when the harness failed; failures of subjects come first only if all was judged."""
        if any(entry["verdict"] == INCONCLUSIVE for entry in (*self.results, *self.pairs)):
            return 3
        return int(
            bool(self.unfit)
            or any(counts_against(entry["verdict"], entry["level"]) for entry in self.results)
            or any(counts_against(entry["verdict"], "MUST") for entry in self.pairs)
        )

    def _rules(self) -> list[str]:
        named = [one.rules for one in self.cases] + [one.rules for one in self.trials]
        return sorted({rule for rules in named for rule in rules})


def _write_to(target: Path, text: str) -> None:
    """Writes to the place that the user named: a file, or a terminal or pipe that is there already."""
    try:
        kind = target.stat().st_mode
    except OSError:
        kind = stat.S_IFREG
    if stat.S_ISREG(kind) and not target.is_relative_to("/dev"):  # /dev/stdout may lead to a file
        _replace(target.resolve(), text)
        return
    # The open of a named pipe would wait for a reader without end.
    descriptor = os.open(target, os.O_WRONLY | os.O_NONBLOCK)
    os.set_blocking(descriptor, True)
    with open(descriptor, "w", encoding="utf-8") as stream:  # noqa: PTH123 (a descriptor)
        stream.write(text)


def _fresh(target: Path) -> TextIO:
    """A new file with this name. A link with this name is not followed, because a subject can make a link while it runs."""
    target.unlink(missing_ok=True)
    return target.open("x", encoding="utf-8")


def _replace(target: Path, text: str) -> None:
    """Writes a file in a single step: a reader finds the whole old text or the whole new text. A link with this name is not followed."""
    target.parent.mkdir(parents=True, exist_ok=True)
    descriptor, scratch = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.")
    try:
        os.fchmod(descriptor, 0o644)
        with open(descriptor, "w", encoding="utf-8") as stream:  # noqa: PTH123 (a descriptor)
            stream.write(text)
        Path(scratch).replace(target)
    except BaseException:
        Path(scratch).unlink(missing_ok=True)
        raise


def reproduce(description: Description, result: CaseResult) -> str:
    """The command that runs the deciding variant of a result alone."""
    variant = result.judgement.seen.variant
    chosen = result.case.id if result.case.segment == "none" else f"{result.case.id}:{variant}"
    return f"channelkit run {description.reproduce} -k {shlex.quote(chosen)} --trace"


def as_entry(result: CaseResult, command: str) -> dict[str, Any]:
    """A result as it stands in ``results.json``."""
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
        "text": visible(seen.text, lines=True),
        "expected": visible(seen.expected),
        "cause": visible(seen.cause[:_CAUSE], lines=True),
        "variants": [
            {"variant": one.variant, "outcome": one.outcome, "ending": one.ending} for one in result.variants
        ],
        "strays": result.strays,
        **({"first": result.first} if result.first else {}),
        "seconds": round(result.seconds, 3),
        "reproduce": command,
        "stderr": result.stderr,
        "transcript": result.transcript,
    }
