"""The rows of the table: each question, and the function that finds its answer."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from measure.peer import Peer

# Starts the measured runtime: `Peer` without its first argument.
Start = Callable[..., Peer]


@dataclass(frozen=True)
class Observation:
    """A row: its id, the area of the spec that it belongs to, its question, and the function that finds the answer."""

    id: str
    area: str
    question: str
    measure: Callable[[Start], str]
    older: bool = False  # measured on Node before 12 too


ALL: list[Observation] = []


def observe(
    id_: str, area: str, question: str, *, older: bool = False
) -> Callable[[Callable[[Start], str]], Callable[[Start], str]]:
    """Register a function as a row."""

    def register(measure: Callable[[Start], str]) -> Callable[[Start], str]:
        row(id_, area, question, measure, older=older)
        return measure

    return register


def row(id_: str, area: str, question: str, measure: Callable[[Start], str], *, older: bool = False) -> None:
    """Register a row whose answer is found in a way of `ways.py`."""
    ALL.append(Observation(id_, area, question, measure, older))
