"""Many channels in one process: their round trips beside those of a bare event loop, and the memory of each."""

from __future__ import annotations

import contextlib
import statistics
from typing import TYPE_CHECKING

from bench.alone import Alone
from bench.targets import Verdict, at_most

if TYPE_CHECKING:
    from collections.abc import Iterator

# How many pairs of channels there are at once, and how many times the bare loop's processor time their round trips may take.
LIMITS = {10: 1.6, 1000: 1.6, 5000: 1.8}
KIB = 1024
ROUNDS = 9
ROUND_TRIPS = 5000
HOW = {"awaited": "a task for each end", "called": "callbacks"}


def verdicts() -> Iterator[Verdict]:
    """Measure, and judge; what the limit of descriptors does not allow is left out."""
    for pairs, limit in LIMITS.items():
        with contextlib.ExitStack() as clean_up:
            works = {how: clean_up.enter_context(Alone(f"{how}-{pairs}")) for how in (*HOW, "bare")}
            if any(one.absent for one in works.values()):
                continue
            rounds = [{how: one.cost(ROUND_TRIPS) for how, one in works.items()} for _ in range(ROUNDS)]
            memory = works["awaited"].memory
        for how, words in HOW.items():
            ratio = statistics.median(one[how] / one["bare"] for one in rounds)
            name = f"round trips over {pairs} pairs in one process, {words}, processor time"
            yield from at_most(limit, name, "× a bare loop", ratio)
        if pairs > 10 and memory is not None:
            yield from at_most(4, f"memory of each of {2 * pairs} channels with a task", "KiB", memory / KIB)
