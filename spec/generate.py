"""Texts of `spec/` that are made from something else: tables of measured runs, of messages, of states; the traceability matrix.

A generated part of a chapter stands between `<!-- generated: NAME WORDS -->` and `<!-- end -->`.
"""

from __future__ import annotations

import ast
import json
import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

_REGION = re.compile(r"(<!-- generated: ([^\n]+) -->\n).*?(<!-- end -->)", re.DOTALL)
_RULE_ID = re.compile(r"[A-Z]{3}-\d{3}")


def fill(text: str, root: Path, profiles: dict[str, list[str]]) -> str:
    """Return the text of a chapter with every generated part made anew. Raises `KeyError` for an unknown name."""
    makers: dict[str, Callable[..., str]] = {
        "measured": measured_table,
        "runtimes": runtimes_table,
        "older": older_table,
        "violations": violations_table,
        "messages": message_table,
        "types": type_table,
        "states": state_diagram,
        "profiles": lambda _: profile_table(profiles),
    }

    def make(found: re.Match[str]) -> str:
        name, *words = found[2].split()
        return f"{found[1]}\n{makers[name](root, *words)}\n{found[3]}"

    return _REGION.sub(make, text)


def _table(head: list[str], rows: list[list[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "".join(f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in line)} |\n" for line in lines)


def _read(root: Path, path: str) -> Any:
    return json.loads((root / path).read_text("utf-8"))


# ---- measured runs ---------------------------------------------------------------------------------------------


def measured_table(root: Path, area: str) -> str:
    """One row for each measured behaviour of an area; runtimes that agree in each of them share a column.

    `=` repeats the cell to the left.
    """
    data = _read(root, "spec/measured.json")
    chosen = [row for row in data["rows"] if row["area"] == area]
    columns: list[tuple[list[str], list[str]]] = []
    for name in data["runtimes"]:
        cells = [row["cells"][name] for row in chosen]
        if columns and columns[-1][1] == cells and name.startswith("Node "):
            columns[-1][0].append(name)
        else:
            columns.append(([name], cells))
    head = ["", *(_span(names) for names, _ in columns)]
    return _table(head, _rows(chosen, [cells for _, cells in columns]))


def _span(names: list[str]) -> str:
    last = names[-1].removeprefix("Node ")
    return (
        names[0] if len(names) == 1 else f"{names[0]} to {last}" if len(names) > 2 else f"{names[0]}, {last}"
    )


def _rows(chosen: list[dict[str, Any]], columns: list[list[str]]) -> list[list[str]]:
    rows = []
    for number, row in enumerate(chosen):
        cells = [column[number] for column in columns]
        shown = ["=" if at and cell == cells[at - 1] else cell for at, cell in enumerate(cells)]
        rows.append([row["question"], *shown])
    return rows


def older_table(root: Path) -> str:
    """The few rows that were measured on Node before 12 too."""
    data = _read(root, "spec/measured.json")
    chosen = [row for row in data["rows"] if "older" in row]
    names = list(data["older"])
    return _table(["", *names], _rows(chosen, [[row["older"][name] for row in chosen] for name in names]))


def runtimes_table(root: Path) -> str:
    """Which versions were measured, when and where."""
    data = _read(root, "spec/measured.json")
    rows = [[name, version] for name, version in (data["older"] | data["runtimes"]).items()]
    return f"Measured on {data['date']} on {data['system']}.\n\n" + _table(["runtime", "version"], rows)


def grouped(cells: dict[str, str]) -> str:
    """Return the cells of a row as a sentence: majors of Node that agree stand together."""
    groups: dict[str, list[str]] = {}
    for name, cell in cells.items():
        groups.setdefault(cell, []).append(name)
    majors = sorted(int(name.removeprefix("Node ")) for name in cells if name.startswith("Node "))
    return "; ".join(f"{_names(group, majors)}: {cell}" for cell, group in groups.items())


def _names(group: list[str], majors: list[int]) -> str:
    """Return names of runtimes with runs of majors of Node as `12 to 16`; every major is `Node` alone."""
    mine = sorted(int(name.removeprefix("Node ")) for name in group if name.startswith("Node "))
    others = [name for name in group if not name.startswith("Node ")]
    if not mine:
        return ", ".join(others)
    if mine == majors:
        return ", ".join(["Node", *others])
    runs: list[list[int]] = []
    for major in mine:
        if runs and majors.index(major) == majors.index(runs[-1][-1]) + 1:
            runs[-1].append(major)
        else:
            runs.append([major])
    shown = [
        f"{run[0]} to {run[-1]}" if len(run) > 2 else ", ".join(str(major) for major in run) for run in runs
    ]
    return ", ".join([f"Node {', '.join(shown)}", *others])


def violations_table(root: Path, area: str) -> str:
    """For each violation of an area: who breaks which rule, what a receiver is asked to do, what runtimes do."""
    measured = {row["id"]: row for row in _read(root, "spec/measured.json")["rows"]}
    rows = [
        [
            entry["violation"],
            ", ".join(entry["sender"]),
            ", ".join(entry["receiver"]),
            grouped(measured[entry["measured"]]["cells"]),
        ]
        for entry in _read(root, "spec/violations.json")
        if entry["measured"].startswith(area.lower())
    ]
    return _table(["violation", "rules that it breaks", "rules for the receiver", "runtimes"], rows)


# ---- messages --------------------------------------------------------------------------------------------------

MESSAGES = {
    "handle": ("handle", "handle-ack", "handle-nack"),
    "cluster": (
        "cluster-online",
        "cluster-query-server",
        "cluster-listening",
        "cluster-newconn",
        "cluster-close",
        "cluster-disconnect",
        "cluster-exited-after-disconnect",
        "cluster-reply",
    ),
    "socket": ("socket-get-count", "socket-count", "socket-notify-close", "socket-all-closed"),
}


def message_table(root: Path, group: str) -> str:
    """The messages of a group with their members, from the schemas."""
    rows = []
    for name in MESSAGES[group]:
        schema = _read(root, f"schemas/wire/{name}.json")
        # What tells the message from others: `cmd`, for those of a cluster `act`, and for their answers `ack`.
        mark = next(name for name in ("cmd", "act", "ack") if name in schema["properties"])
        for member, shape in schema["properties"].items():
            if member == mark:
                word = shape.get("const", schema["title"].lower())
                rows.append(
                    [f"`{word}`" if "const" in shape else word, f"`{mark}`", "always", schema["description"]]
                )
            else:
                need = "always" if member in schema["required"] else "sometimes"
                rows.append(["", f"`{member}`", need, _shape(shape)])
    return _table(["message", "member", "present", "meaning"], rows)


def _shape(shape: dict[str, Any]) -> str:
    kinds = shape.get("type", [])
    names = " or ".join([kinds] if isinstance(kinds, str) else kinds)
    values = ", ".join("null" if value is None else f"`{value}`" for value in shape.get("enum", []))
    article = "An" if names[:1] in "aeiou" else "A"
    parts = [
        str(shape.get("description", "")),
        f"One of {values}." if values else f"{article} {names}." if names else "",
    ]
    return " ".join(part for part in parts if part)


def type_table(root: Path) -> str:
    """The types of handles, from the schema of the envelope."""
    schema = _read(root, "schemas/wire/handle.json")
    return _table(
        ["`type`", "descriptor"],
        [[f"`{name}`", text] for name, text in schema["properties"]["type"]["x-descriptors"].items()],
    )


# ---- states ----------------------------------------------------------------------------------------------------


def transitions(root: Path, table: str) -> list[tuple[str, str, str]]:
    """Return state, input and next state of each move in a transition table of the reference."""
    tree = ast.parse((root / "pyref" / "nodechannel" / "_core" / "state.py").read_text("utf-8"))
    moves = []
    for node in tree.body:
        target = node.targets[0] if isinstance(node, ast.Assign) else getattr(node, "target", None)
        value = getattr(node, "value", None)
        if not (isinstance(target, ast.Name) and target.id == table and isinstance(value, ast.Dict)):
            continue
        for key, to in zip(value.keys, value.values, strict=True):
            if not (isinstance(key, ast.Tuple) and isinstance(to, ast.Attribute)):
                raise TypeError(f"{table}: not a transition: {ast.unparse(key) if key else to}")
            start, move = key.elts
            if not (isinstance(start, ast.Attribute) and isinstance(move, ast.Attribute)):
                raise TypeError(f"{table}: not a transition: {ast.unparse(key)}")
            moves.append((start.attr, move.attr, to.attr))
    return moves


def state_diagram(root: Path, table: str) -> str:
    """A Mermaid diagram of a transition table of the reference."""
    found = transitions(root, table)
    moves: dict[tuple[str, str], list[str]] = {}
    for start, move, to in found:
        moves.setdefault((start, to), []).append(move.lower().replace("_", " "))
    lines = [f"    {start} --> {to}: {', '.join(names)}" for (start, to), names in moves.items()]
    return "\n".join(["```mermaid", "stateDiagram-v2", f"    [*] --> {found[0][0]}", *lines, "```"]) + "\n"


# ---- profiles --------------------------------------------------------------------------------------------------

PROFILES = {
    "echo child": ("child", 0, "json"),
    "child": ("child", 1, "json"),
    "child with handles": ("child", 2, "json"),
    "parent": ("parent", 1, "json"),
    "parent with handles": ("parent", 2, "json"),
    "worker": ("worker", 0, "json"),
    "primary": ("primary", 0, "json"),
    "advanced child": ("child", 1, "advanced"),
    "advanced parent": ("parent", 1, "advanced"),
    "advanced primary": ("primary", 0, "advanced"),
}
"""Name to role, rung and mode."""


# Whom the rules bind that are none of a role.
OTHERS = {
    "child": ("A parent ",),
    "parent": ("A child ",),
    "worker": ("A parent ", "A primary "),
    "primary": ("A child ", "A worker "),
}


def profiles_of(cases: list[dict[str, Any]], texts: dict[str, str]) -> dict[str, list[str]]:
    """Return the rules that each profile adds to the one before it of the same role; a rule of the other role is none."""
    found: dict[str, list[str]] = {}
    seen: dict[str, set[str]] = {}
    for name, (role, rung, mode) in PROFILES.items():
        before = seen.setdefault(role, set())
        rules = {
            rule
            for case in cases
            if case.get("mode", "json") == mode
            and role in case["roles"]
            and case["rung"] <= rung
            and (rung > 1 or not case.get("needs"))
            for rule in case["rules"]
            if not texts[rule].startswith(OTHERS[role])
        }
        found[name] = sorted(rules - before)
        before |= rules
    return found


def profile_table(profiles: dict[str, list[str]]) -> str:
    """The profiles and the rules that are shown of each."""
    return _table(
        ["profile", "rules that it adds"], [[name, ", ".join(rules)] for name, rules in profiles.items()]
    )


# ---- traceability ----------------------------------------------------------------------------------------------


def places(path: Path, root: Path) -> list[tuple[str, str]]:
    """Pairs of a rule and the place in a Python file that cites it: file and the function or class around the line.

    Places are named and not numbered, so that the matrix changes only when a citation does.
    """
    text = path.read_text("utf-8")
    spans: list[tuple[int, int, str]] = []

    def visit(node: ast.AST, prefix: str) -> None:
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
                name = f"{prefix}{child.name}"
                first = min([child.lineno, *(one.lineno for one in child.decorator_list)])
                spans.append((first, child.end_lineno or child.lineno, name))
                visit(child, f"{name}.")

    visit(ast.parse(text), "")
    where = path.relative_to(root).as_posix()
    found = []
    for number, line in enumerate(text.splitlines(), 1):
        for group in re.findall(r"\[([A-Z]{3}-\d{3}(?:, [A-Z]{3}-\d{3})*)\]", line):
            around = [name for first, last, name in spans if first <= number <= last]
            found += [
                (rule, f"{where} {around[-1]}" if around else where) for rule in _RULE_ID.findall(group)
            ]
    return found


def marked_tests(root: Path) -> list[tuple[str, str]]:
    """Pairs of a rule and a test that is marked with it."""
    found = []
    for path in sorted((root / "tests").rglob("test_*.py")):
        where = path.relative_to(root / "tests").as_posix()
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                continue
            for mark in node.decorator_list:
                if isinstance(mark, ast.Call) and ast.unparse(mark.func).endswith("mark.rule"):
                    found += [
                        (rule.value, f"{where} {node.name}")
                        for rule in mark.args
                        if isinstance(rule, ast.Constant) and isinstance(rule.value, str)
                    ]
    return found


def matrix(
    rules: dict[str, dict[str, Any]],
    code: dict[str, list[str]],
    tests: dict[str, list[str]],
    elsewhere: dict[str, str],
) -> str:
    """Return the text of `traceability.md`."""
    rows = []
    for id_, rule in rules.items():
        cases = ", ".join(rule["cases"]) or f"*not tested:* {rule['not_tested']}"
        places_ = ", ".join(
            f"`{place.removeprefix('pyref/nodechannel/')}`" for place in dict.fromkeys(code.get(id_, []))
        )
        rows.append(
            [
                id_,
                rule["level"],
                cases,
                places_ or f"*none:* {elsewhere.get(id_, '')}",
                ", ".join(f"`{test}`" for test in dict.fromkeys(tests.get(id_, []))),
            ]
        )
    return (
        "# Traceability\n\n"
        "Generated by `build.py`: each rule with the cases that show it, the places of the reference that obey it, and the tests that are\n"
        "marked with it. A rule without a case or without a place has its reason there.\n\n"
        + _table(
            ["rule", "level", "cases", "reference (below `pyref/nodechannel/`)", "tests (below `tests/`)"],
            rows,
        )
    )
