"""Reads the rules of `spec/`, says what is wrong with them, and writes what is made from them.

    python spec/build.py              write requirements.json, fingerprints.json, traceability.md, the generated parts of chapters
    python spec/build.py --check      write nothing; exit 1 when a committed file is out of date
    python spec/build.py --stamp ID   the named cases (or all cases of the named rules) were looked at after a rule had changed

Either way nothing is written and the exit status is 1 when a lint fails.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import re
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
for _place in (str(ROOT), str(ROOT / "conformance")):
    if _place not in sys.path:  # when started as a script
        sys.path.insert(0, _place)

from spec import generate, statements  # noqa: E402 (needs the path)

from channelkit.catalogue.expansion import entries  # noqa: E402 (needs the path)

# Longest first, so that "MUST NOT" is one keyword and not two.
KEYWORDS = (
    "MUST NOT",
    "MUST",
    "SHALL NOT",
    "SHALL",
    "SHOULD NOT",
    "SHOULD",
    "NOT RECOMMENDED",
    "RECOMMENDED",
    "REQUIRED",
    "MAY",
    "OPTIONAL",
)
# The keywords that a rule may use. The others of RFC 2119 say the same in a second way.
LEVELS = {"MUST": "MUST", "MUST NOT": "MUST", "SHOULD": "SHOULD", "SHOULD NOT": "SHOULD", "MAY": "MAY"}
STRENGTH = {"INFO": 0, "MAY": 1, "SHOULD": 2, "MUST": 3}
# Annexes about what cannot be measured here, and about findings that each name their case.
UNMEASURED = {"annex-b-windows.md", "annex-d-found.md"}
# Chapters whose statements about runtimes have no rows: the measuring program does not speak their carrier.
PENDING = {"95-stdio.md", "96-node-ipc.md", "97-redis.md", "98-rsmq.md"}
PARTIES = ("sender", "receiver", "parent", "child", "endpoint", "primary", "worker", "server", "client")

_KEYWORD = re.compile(r"\b(?:" + "|".join(KEYWORDS) + r")\b")
_HEADING = re.compile(r"^# \d+ .*\(([A-Z]{3})\)$", re.MULTILINE)
_RULE = re.compile(r"^\*\*\[([A-Z]{3}-\d{3})\]\*\* (.+)$")
_RETIRED = re.compile(r"^\*Retired\.\* (.+)$")
_FENCE = re.compile(r"^```.*?^```$", re.MULTILINE | re.DOTALL)
_GENERATED = re.compile(r"<!-- generated: .*?<!-- end -->", re.DOTALL)
_CODE = re.compile(r"`[^`]*`")
_MARKER = re.compile(r"mark\.rule\(([^)]*)\)")
_CITATION = re.compile(r"\[([A-Z]{3}-\d{3}(?:, [A-Z]{3}-\d{3})*)\]")
# What may cite a rule in a comment. Case files name rules in a field of their own.
_CITING = {".py", ".sh", ".cjs", ".mjs", ".js", ".c", ".h", ".go", ".rs", ".rb", ".pl", ".md", ".toml"}


@dataclass
class Rule:
    """One identified requirement of the prose."""

    id: str
    chapter: str
    text: str
    intent: str | None = None
    not_tested: str | None = None
    retired: str | None = None

    @property
    def fingerprint(self) -> str:
        """Changes when the text does."""
        return hashlib.sha256(self.text.encode()).hexdigest()[:8]

    @property
    def keywords(self) -> list[str]:
        """The capital keywords of the text, outside code."""
        return _KEYWORD.findall(_CODE.sub("", self.text))

    @property
    def level(self) -> str:
        """`MUST`, `SHOULD` or `MAY`; a prohibition has the level of its keyword."""
        return next((LEVELS[word] for word in self.keywords if word in LEVELS), "INFO")


@dataclass
class Spec:
    """All that is read from the tree: rules, the cases that show them, what was committed, who cites.

    Attributes:
        stamps: for each case the fingerprints of its rules when somebody last looked at it.
        code: where the reference cites each rule.
        elsewhere: why no line of the reference obeys a rule.
        tests: which tests are marked with each rule.
        statements: the sentences that name a runtime.
        measured: what was seen of runtimes.
    """

    rules: list[Rule] = field(default_factory=list)
    areas: dict[str, str] = field(default_factory=dict)
    cases: list[dict[str, Any]] = field(default_factory=list)
    committed: dict[str, Any] = field(default_factory=dict)
    citations: list[tuple[str, str]] = field(default_factory=list)
    stamps: dict[str, dict[str, str]] = field(default_factory=dict)
    code: dict[str, list[str]] = field(default_factory=dict)
    elsewhere: dict[str, str] = field(default_factory=dict)
    tests: dict[str, list[str]] = field(default_factory=dict)
    statements: list[statements.Statement] = field(default_factory=list)
    measured: dict[str, Any] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)

    def add_chapter(self, name: str, text: str) -> None:
        """Read one chapter; a file without a number is prose without rules and without an area."""
        heading = _HEADING.search(text)
        if heading is not None:
            self.areas[name] = heading[1]
        elif name[0].isdigit():
            self.problems.append(f"{name}: the first heading is not of the form `# 20 Framing (FRM)`")
        if name not in UNMEASURED | PENDING:
            self.statements += statements.read(name, text)
        text = statements.strip(text)
        rule: Rule | None = None
        for paragraph in re.split(r"\n\s*\n", _FENCE.sub("", _GENERATED.sub("", text))):
            flat = " ".join(paragraph.split())
            found = _RULE.match(flat)
            if found is not None:
                rule = self._rule(name, found[1], found[2])
            elif flat.startswith("**["):
                self.problems.append(f"{name}: not the form of a rule: {flat[:60]}")
            elif flat.startswith("*Intent:*") and rule is not None and rule.intent is None:
                rule.intent = flat.removeprefix("*Intent:*").strip()
                self._no_keywords(name, flat)
            elif flat.startswith("*Not tested:*") and rule is not None and rule.not_tested is None:
                rule.not_tested = flat.removeprefix("*Not tested:*").strip()
                self._no_keywords(name, flat)
            elif flat.startswith(("*Intent:*", "*Not tested:*")):
                self.problems.append(f"{name}: belongs to no rule: {flat[:60]}")
            else:
                rule = None
                self._no_keywords(name, flat)

    def _rule(self, chapter: str, rule_id: str, text: str) -> Rule:
        retired = _RETIRED.match(text)
        rule = Rule(rule_id, chapter, text, retired=retired[1] if retired else None)
        self.rules.append(rule)
        return rule

    def _no_keywords(self, name: str, flat: str) -> None:
        for word in _KEYWORD.findall(_CODE.sub("", flat)):
            self.problems.append(f"{name}: {word} outside a rule: {flat[:60]}")

    def lint(self) -> list[str]:
        """Everything that is wrong, in the order of the checks; empty when all is well."""
        problems = [*self.problems]
        by_id: dict[str, Rule] = {}
        for rule in self.rules:
            if rule.id in by_id:
                problems.append(f"{rule.id}: used twice")
            by_id[rule.id] = rule
            area = self.areas.get(rule.chapter)
            if area is None or not rule.id.startswith(f"{area}-"):
                problems.append(f"{rule.id}: stands in {rule.chapter}, whose area is {area}")
            if rule.retired is None:
                problems += _lint_rule(rule)
        live = {id_ for id_, rule in by_id.items() if rule.retired is None}
        problems += _lint_cases(self.cases, by_id, live)
        shown = {id_ for case in self.cases for id_ in case["rules"]}
        for id_ in sorted(live):
            if id_ in shown and by_id[id_].not_tested is not None:
                problems.append(f"{id_}: has a case and says that it is not tested")
            if id_ not in shown and by_id[id_].not_tested is None:
                problems.append(f"{id_}: has neither a case nor a reason why it is not tested")
        problems += [
            f"{id_}: was published and has vanished; leave a tombstone `**[{id_}]** *Retired.* reason`"
            for id_ in sorted(
                {*self.committed.get("rules", {}), *self.committed.get("retired", {})} - {*by_id}
            )
        ]
        problems += [
            f"{id_}: was retired and is in use again"
            for id_ in sorted(live & {*self.committed.get("retired", {})})
        ]
        problems += [
            f"{where}: cites {id_}, which is no rule" for where, id_ in self.citations if id_ not in live
        ]
        problems += self._lint_stamps(by_id)
        problems += statements.lint(self.statements, {row["id"] for row in self.measured.get("rows", [])})
        return problems

    def _lint_stamps(self, by_id: dict[str, Rule]) -> list[str]:
        return [
            f"case {case['id']}: the text of {id_} has changed; see whether the case still shows it, "
            f"then run `python spec/build.py --stamp {case['id']}`"
            for case in self.cases
            for id_ in case["rules"]
            if id_ in by_id
            and self.stamps.get(case["id"], {}).get(id_, by_id[id_].fingerprint) != by_id[id_].fingerprint
        ]

    def lint_reference(self) -> list[str]:
        """Return the rules of which nothing says how the reference keeps them."""
        live = sorted(rule.id for rule in self.rules if rule.retired is None)
        problems = [
            f"{id_}: no line of pyref/ cites it, and spec/elsewhere.json has no reason"
            for id_ in live
            if id_ not in self.code and id_ not in self.elsewhere
        ]
        problems += [
            f"{id_}: cited in pyref/ and excused in spec/elsewhere.json"
            for id_ in live
            if id_ in self.code and id_ in self.elsewhere
        ]
        return problems + [
            f"spec/elsewhere.json: {id_} is no rule" for id_ in self.elsewhere if id_ not in live
        ]

    def stamp(self, names: list[str]) -> list[str]:
        """Forget the stamps of the named cases or of the cases of the named rules; return the names that are neither."""
        unknown = []
        for name in names:
            meant = [case["id"] for case in self.cases if name in (case["id"], *case["rules"])]
            for id_ in meant:
                if name == id_:
                    self.stamps.pop(id_, None)
                else:
                    self.stamps.get(id_, {}).pop(name, None)
            if not meant:
                unknown.append(name)
        return unknown

    def render_stamps(self) -> str:
        """Return the text of `fingerprints.json`."""
        current = {rule.id: rule.fingerprint for rule in self.rules}
        stamps = {case["id"]: {id_: current[id_] for id_ in sorted(case["rules"])} for case in self.cases}
        lines = [f"  {json.dumps(case)}: {json.dumps(stamps[case])}" for case in sorted(stamps)]
        return "{\n" + ",\n".join(lines) + "\n}\n"

    def render_evidence(self) -> str:
        """Return the text of `evidence.md`."""
        return statements.render(self.statements, self.measured, generate.grouped)

    def render_matrix(self) -> str:
        """Return the text of `traceability.md`."""
        return generate.matrix(json.loads(self.render())["rules"], self.code, self.tests, self.elsewhere)

    def render(self) -> str:
        """Return the text of `requirements.json`."""
        shown: dict[str, list[str]] = {}
        for case in self.cases:
            for id_ in case["rules"]:
                shown.setdefault(id_, []).append(case["id"])
        rules = {
            rule.id: {
                "level": rule.level,
                "text": rule.text,
                "intent": rule.intent,
                "chapter": rule.chapter,
                "not_tested": rule.not_tested,
                "cases": sorted(shown.get(rule.id, [])),
            }
            for rule in sorted(self.rules, key=lambda rule: rule.id)
            if rule.retired is None
        }
        retired = {
            rule.id: {"reason": rule.retired, "chapter": rule.chapter}
            for rule in sorted(self.rules, key=lambda rule: rule.id)
            if rule.retired is not None
        }
        return json.dumps({"rules": rules, "retired": retired}, indent=2, ensure_ascii=False) + "\n"


def _lint_rule(rule: Rule) -> list[str]:
    problems = []
    if len(rule.keywords) != 1:
        problems.append(f"{rule.id}: {len(rule.keywords)} keywords instead of one")
    problems += [f"{rule.id}: {word} is not used here" for word in rule.keywords if word not in LEVELS]
    if not re.match(rf"An? (?:{'|'.join(PARTIES)})\b", rule.text):
        problems.append(f"{rule.id}: does not begin with the bound party ({', '.join(PARTIES)})")
    if not rule.text.endswith("."):
        problems.append(f"{rule.id}: does not end with a full stop")
    if not rule.intent:
        problems.append(f"{rule.id}: has no intent")
    if rule.not_tested == "":
        problems.append(f"{rule.id}: gives no reason why it is not tested")
    return problems


def _lint_cases(cases: list[dict[str, Any]], by_id: dict[str, Rule], live: set[str]) -> list[str]:
    problems = []
    seen: set[str] = set()
    for case in cases:
        if case["id"] in seen:
            problems.append(f"case {case['id']}: used twice")
        seen.add(case["id"])
        if not case["rules"]:
            problems.append(f"case {case['id']}: shows no rule")
        unknown = [id_ for id_ in case["rules"] if id_ not in live]
        problems += [f"case {case['id']}: names {id_}, which is no rule" for id_ in unknown]
        known = [by_id[id_].level for id_ in case["rules"] if id_ in live]
        if known and STRENGTH[case["level"]] > max(STRENGTH[level] for level in known):
            problems.append(f"case {case['id']}: is of level {case['level']}, and none of its rules is")
    return problems


def find_citations(root: Path) -> list[tuple[str, str]]:
    """Pairs of place and id for each `[FRM-003]` in the reference and the kit, and for each `rule` marker of a test."""
    found = []
    for path in sorted((root / "tests").rglob("test_*.py")):
        for arguments in _MARKER.findall(path.read_text("utf-8")):
            found += [(f"{path.relative_to(root)}", id_) for id_ in re.findall(r"[A-Z]{3}-\d{3}", arguments)]
    for folder in ("pyref", "conformance", "node-interop"):
        for path in sorted((root / folder).rglob("*")):
            if path.suffix not in _CITING or not path.is_file() or "node_modules" in path.parts:
                continue
            for number, line in enumerate(path.read_text("utf-8").splitlines(), 1):
                for group in _CITATION.findall(line):
                    found += [(f"{path.relative_to(root)}:{number}", id_) for id_ in group.split(", ")]
    return found


def _measured(root: Path) -> dict[str, Any]:
    """Return the rows of both records: of Linux, and of Windows under Wine."""
    files = (_optional(root / "spec" / name) for name in ("measured.json", "measured-windows.json"))
    return {"rows": [row for file in files for row in file.get("rows", [])]}


def _grouped(pairs: list[tuple[str, str]]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for id_, where in pairs:
        found.setdefault(id_, []).append(where)
    return found


def _optional(path: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(path.read_text("utf-8")) if path.exists() else {}
    return found


# Files that are generated as a whole.
GENERATED = {"traceability.md", "evidence.md"}


def prose(root: Path) -> list[Path]:
    """The chapters and annexes, without what is generated as a whole."""
    return [path for path in sorted((root / "spec").glob("*.md")) if path.name not in GENERATED]


def read(root: Path) -> Spec:
    """Read the prose, the cases, the committed index and the citations below `root`."""
    spec = Spec(
        citations=find_citations(root),
        stamps=_optional(root / "spec" / "fingerprints.json"),
        elsewhere=_optional(root / "spec" / "elsewhere.json"),
        measured=_measured(root),
        tests=_grouped(generate.marked_tests(root)),
        code=_grouped(
            [pair for path in sorted((root / "pyref").rglob("*.py")) for pair in generate.places(path, root)]
        ),
    )
    for path in prose(root):
        spec.add_chapter(path.name, path.read_text("utf-8"))
    for path in sorted((root / "conformance" / "cases").glob("*.json")):
        if path.name != "flags.json":
            spec.cases += entries(json.loads(path.read_text("utf-8")))
    committed = root / "spec" / "requirements.json"
    if committed.exists():
        spec.committed = json.loads(committed.read_text("utf-8"))
    return spec


def outputs(spec: Spec, root: Path) -> dict[Path, str]:
    """Return the text of every generated file and of every file with generated parts."""
    folder = root / "spec"
    profiles = generate.profiles_of(spec.cases, {rule.id: rule.text for rule in spec.rules})
    return {
        folder / "requirements.json": spec.render(),
        folder / "fingerprints.json": spec.render_stamps(),
        folder / "traceability.md": spec.render_matrix(),
        folder / "evidence.md": spec.render_evidence(),
        **{path: generate.fill(path.read_text("utf-8"), root, profiles) for path in prose(root)},
    }


def main(argv: list[str] | None = None, root: Path = ROOT) -> int:
    """Run the command line; return the exit status."""
    parser = argparse.ArgumentParser(description="extracts and checks the requirements of spec/")
    parser.add_argument(
        "--check", action="store_true", help="write nothing, compare with the committed files"
    )
    parser.add_argument(
        "--stamp", nargs="+", default=[], metavar="ID", help="cases or rules that were looked at"
    )
    options = parser.parse_args(argv)
    spec = read(root)
    problems = [
        f"--stamp: {name} is neither a case nor the rule of one" for name in spec.stamp(options.stamp)
    ]
    problems += spec.lint() + spec.lint_reference()
    texts = {} if problems else outputs(spec, root)
    stale = [path for path, text in texts.items() if not path.exists() or path.read_text("utf-8") != text]
    if options.check:
        problems += [
            f"{path.relative_to(root)} is out of date; run `python spec/build.py` and commit the result"
            for path in stale
        ]
    for problem in problems:
        print(problem, file=sys.stderr)
    if problems:
        return 1
    for path in stale:
        path.write_text(texts[path], "utf-8")
    live = [rule for rule in spec.rules if rule.retired is None]
    tested = sum(rule.not_tested is None for rule in live)
    print(f"{len(live)} rules, {tested} of them shown by {len(spec.cases)} cases")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
