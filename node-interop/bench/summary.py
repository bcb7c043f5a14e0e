"""From passes to medians, and to ratios within the same round."""

from __future__ import annotations

from dataclasses import dataclass
from statistics import median
from typing import TYPE_CHECKING

from bench.plan import BASE

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from bench.running import Series


@dataclass(frozen=True)
class Row:
    """A pair in a scenario.

    Attributes:
        rate: messages, round trips, handles or children in a second; median of the passes.
        times: the rate as a multiple of Node↔Node's in the same round, median; None without Node↔Node.
        cpu: microseconds of processor time of a message at the parent and at the child, which is seconds of a million; medians.
        cpu_times: Node↔Node's processor time as a multiple of this pair's in the same round, median: of the busier end where both
            work at the same time, of both together where one waits for the other.
        before, peak: bytes of resident memory at the parent and at the child, before the first message and at most; 0 when not known.
        count: messages of a pass.
        seconds: of each pass; empty in published results.
    """

    rate: float
    times: float | None
    cpu: tuple[float, float]
    cpu_times: float | None
    before: tuple[int, int]
    peak: tuple[int, int]
    count: int
    seconds: tuple[float, ...] = ()

    @property
    def cpu_both(self) -> float:
        """Microseconds of processor time of a message at both ends."""
        return self.cpu[0] + self.cpu[1]


def rows(series: Mapping[str, Series], *, in_turn: bool) -> dict[str, Row]:
    """Return the row of each pair of a scenario, in which the ends work in turn or at the same time."""
    base = series.get(BASE)
    return {name: _row(one, base, sum if in_turn else max) for name, one in series.items() if one.passes}


def _row(one: Series, base: Series | None, of_both: Callable[[tuple[float, float]], float]) -> Row:
    ends = [tuple(1e6 * cpu / one.count for cpu in taken.cpu) for taken in one.passes]
    return Row(
        rate=median(_rates(one)),
        times=_median_ratio(_rates(one), _rates(base)) if base else None,
        cpu=(median(end[0] for end in ends), median(end[1] for end in ends)),
        cpu_times=_median_ratio(_cpu(base, of_both), _cpu(one, of_both)) if base else None,
        before=one.before,
        peak=one.peak,
        count=one.count,
        seconds=tuple(taken.seconds for taken in one.passes),
    )


def _rates(one: Series) -> list[float]:
    return [one.count / taken.seconds for taken in one.passes]


def _cpu(one: Series, of_both: Callable[[tuple[float, float]], float]) -> list[float]:
    return [of_both(taken.cpu) / one.count for taken in one.passes]


def _median_ratio(dividends: list[float], divisors: list[float]) -> float | None:
    ratios = [dividend / divisor for dividend, divisor in zip(dividends, divisors, strict=False) if divisor]
    return median(ratios) if ratios else None
