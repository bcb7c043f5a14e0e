"""The transition tables as the spec draws them: the model of the machine, and the measure of its coverage."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections import Counter

CHAPTER = Path(__file__).resolve().parents[2] / "spec" / "60-lifecycle.md"
_DRAWING = re.compile(r"<!-- generated: states (\w+) -->(.*?)<!-- end -->", re.DOTALL)
_ARROW = re.compile(r"^\s*(\w+) --> (\w+): (.+)$", re.MULTILINE)

Table = dict[tuple[str, str], str]


def read() -> dict[str, Table]:
    """Return the tables by name: state and input to the next state."""
    text = CHAPTER.read_text("utf-8")
    return {
        name: {
            (before, word.strip().upper().replace(" ", "_")): after
            for before, after, words in _ARROW.findall(drawing)
            for word in words.split(",")
        }
        for name, drawing in _DRAWING.findall(text)
    }


TABLES = read()


class Automaton:
    """A walk through a table."""

    def __init__(self, table: str, state: str, covered: Counter[tuple[str, str, str]]) -> None:
        self.state = state
        self._name = table
        self._covered = covered

    def can(self, what: str) -> bool:
        """Whether the table has a way out for this input."""
        return (self.state, what) in TABLES[self._name]

    def move(self, what: str) -> None:
        """Follow an input; an illegal input is a fault of the machine or of the reference."""
        assert self.can(what), f"{what} in the state {self.state} is in no table"
        self._covered[self._name, self.state, what] += 1
        self.state = TABLES[self._name][self.state, what]


ALL = frozenset((name, before, what) for name, table in TABLES.items() for before, what in table)
"""Every transition of every table."""
