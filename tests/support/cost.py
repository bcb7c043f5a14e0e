"""How a cost grows, as a ratio of two that are measured in turn."""

from __future__ import annotations

import statistics
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

# Twice as much may cost this much more; a quadratic cost would be four times as much. The larger load may have to fetch its memory anew in
# each round, while the smaller one finds its own: that alone has made 2.7.
LIMIT = 3.0


def ratio(small: Callable[[], float], large: Callable[[], float], rounds: int) -> float:
    """Return how many times the cost of `small` the cost of `large` is; stop measuring once it is small enough."""
    costs: list[list[float]] = [[], []]
    found = float("inf")
    for _ in range(rounds):
        for known, measure in zip(costs, (small, large), strict=True):
            known.append(measure())
        # Medians, not minima: once in many rounds the smaller load finds its memory where it left it.
        less, more = map(statistics.median, costs)
        found = more / less
        if found <= LIMIT:
            break
    return found
