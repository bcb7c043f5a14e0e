"""Compares the results of a run with the committed ``MATRIX.md``, cell by cell, for the implementations of the run."""

import re
from pathlib import Path
from typing import Any

from channelkit.errors import UsageError
from channelkit.report.markdown import render
from channelkit.runtimes.pinned import runtimes

_TABLES = ("Rules", "Cases")
Cells = dict[tuple[str, str], str]
"""Row and column to the mark."""


def differences(path: Path, content: dict[str, Any]) -> list[str]:
    """The differences, a line each. A case that is not in the file yet makes no difference, also not in the rows of its rules.

    Raises :class:`UsageError` when the file has none of the implementations.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise UsageError(f"{path}: {error.strerror}") from error
    old, new = cells(text), cells(render(content))
    found = {column: _pinned(column, content) for _row, column in new}
    wanted = {column for _row, column in old} & set(found.values())
    if not wanted:
        raise UsageError(f"{path} has none of {', '.join(sorted(found.values()))}")
    renamed = {(row, found[column]): mark for (row, column), mark in new.items() if found[column] in wanted}
    committed = {(row, column): mark for (row, column), mark in old.items() if column in wanted}
    rows = {row for row, _column in old}
    rows -= {rule for case in content["cases"] if case["id"] not in rows for rule in case["rules"]}
    return [
        f"{row}, {column}: {committed.get((row, column), 'absent')} in {path.name}, {renamed.get((row, column), 'absent')} now"
        for row, column in sorted(committed.keys() | renamed.keys())
        if row in rows and committed.get((row, column)) != renamed.get((row, column))
    ]


def cells(text: str) -> Cells:
    """The marks of the tables of rules and cases by row and column."""
    found_cells: Cells = {}
    for section in _TABLES:
        found = re.search(rf"^## {section}\n\n(.*?)\n\n", text, re.MULTILINE | re.DOTALL)
        rows = [_split(line) for line in found[1].splitlines()] if found else []
        names = rows[0] if rows else []
        for row in rows[2:]:
            found_cells |= {
                (row[0], name): mark
                for name, mark in zip(names, row, strict=True)
                if name not in ("rule", "case", "level")
            }
    return found_cells


def _split(line: str) -> list[str]:
    return [cell.strip() for cell in line.strip("|").split("|")]


def _pinned(column: str, content: dict[str, Any]) -> str:
    """The column of the committed file. ``node`` means the pinned runtime of its major, if the versions are equal."""
    subject = next((one for one in content["subjects"] if one["name"].startswith(f"{column}-")), None)
    version = subject["implementation"].get("version") if subject and column == "node" else None
    exact = next(
        (one.name for one in runtimes() if one.name.startswith("node@") and one.version == version), None
    )
    return exact or column
