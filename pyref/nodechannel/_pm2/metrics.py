"""Metrics with the meaning that @pm2/io gives them."""

from __future__ import annotations

import heapq
import math
import random
import statistics
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any, TypeAlias

TYPE_CHECKING = False
Value: TypeAlias = int | float | str | bool | None

# Seconds between two moments at which a meter looks at its counter.
TICK = 5.0

# Values that a histogram keeps, and how much it prefers new ones.
SAMPLE = 1028
DECAY = 0.015

# Characters of a text that PM2 is to show, and the largest integer that JavaScript has exactly.
LONGEST_TEXT = 1000
SAFE = 2**53 - 1

_QUANTILES = {"median": 0.5, "p75": 0.75, "p95": 0.95, "p99": 0.99, "p999": 0.999}
MEASUREMENTS = ("min", "max", "sum", "count", "variance", "mean", "ema", *_QUANTILES)


class Gauge:
    """A value that the program sets."""

    def __init__(self) -> None:
        self._value: Value = None

    def set(self, value: Value) -> None:
        """Set the value; None hides the metric until the next value."""
        self._value = value

    def value(self) -> Value:
        """Return the last value."""
        return self._value


class Counter:
    """A number that goes up and down."""

    def __init__(self) -> None:
        self._count: float | None = None

    def inc(self, n: float = 1) -> None:
        """Add to it."""
        self._count = (self._count or 0) + n

    def dec(self, n: float = 1) -> None:
        """Subtract from it."""
        self.inc(-n)

    def reset(self, n: float = 0) -> None:
        """Set it."""
        self._count = n

    def value(self) -> Value:
        """Return the number; None before the first change."""
        return self._count


class Meter:
    """How often a thing happens, as an average that forgets: events in `samples` seconds, over about `timeframe` seconds."""

    def __init__(
        self, samples: float = 1, timeframe: float = 60, now: Callable[[], float] = time.monotonic
    ) -> None:
        self._samples = samples
        self._alpha = 1 - math.exp(-TICK / timeframe)
        self._now = now
        self._ticked = now()
        self._count = 0.0
        self._rate = 0.0
        self._used = False

    def mark(self, n: float = 1) -> None:
        """Count events."""
        self._catch_up()
        self._used = True
        self._count += n

    def value(self) -> Value:
        """Return the average; None before the first event."""
        self._catch_up()
        return round(self._rate * self._samples, 2) if self._used else None

    def _catch_up(self) -> None:
        ticks = int((self._now() - self._ticked) / TICK)
        if ticks:
            self._ticked += ticks * TICK
            self._rate += self._alpha * (self._count / TICK - self._rate)
            # The counter stood still in the other ticks.
            self._rate *= (1 - self._alpha) ** (ticks - 1)
            self._count = 0.0


class Histogram:
    """The distribution of many values; `measurement` names the shown figure, a member of `MEASUREMENTS`.

    Quantiles come from a sample that prefers new values. Raises `ValueError` for another measurement.
    """

    def __init__(self, measurement: str = "mean", now: Callable[[], float] = time.monotonic) -> None:
        if measurement not in MEASUREMENTS:
            raise ValueError(f"measurement={measurement!r} is none of {', '.join(MEASUREMENTS)}")
        self._measurement = measurement
        self._now = now
        self._start = now()
        # The value with the lowest priority first.
        self._sample: list[tuple[float, float]] = []
        self._count = 0
        self._sum = self._m = self._s = self._ema = 0.0
        self._min = math.inf
        self._max = -math.inf

    def update(self, value: float) -> None:
        """Add a value."""
        self._count += 1
        self._sum += value
        self._min, self._max = min(self._min, value), max(self._max, value)
        before, self._m = self._m, self._m + (value - self._m) / self._count
        self._s += (value - before) * (value - self._m)
        alpha = 2 / (1 + self._count)
        self._ema = value * alpha + self._ema * (1 - alpha)
        self._keep(value)

    def _keep(self, value: float) -> None:
        # The logarithm of exp(DECAY * age) / random: the order is the same, and it never overflows.
        priority = DECAY * (self._now() - self._start) - math.log(1.0 - random.random())
        if len(self._sample) < SAMPLE:
            heapq.heappush(self._sample, (priority, value))
        else:
            heapq.heappushpop(self._sample, (priority, value))

    def value(self) -> Value:
        """Return the measurement; None before the first value."""
        if not self._count:
            return None
        result = self._measure()
        return None if result is None else round(result, 2)

    def _measure(self) -> float | None:
        name = self._measurement
        if name in _QUANTILES:
            return _quantile([value for _, value in self._sample], _QUANTILES[name])
        if name == "variance":
            return self._s / (self._count - 1) if self._count > 1 else None
        known = {"min": self._min, "max": self._max, "sum": self._sum, "count": self._count}
        return {**known, "mean": self._sum / self._count, "ema": self._ema}[name]


def _quantile(values: list[float], share: float) -> float:
    if len(values) == 1:
        return values[0]
    cuts = statistics.quantiles(values, n=1000, method="exclusive")
    return min(max(cuts[round(share * 1000) - 1], min(values)), max(values))


class Metrics:
    """The metrics of a program by name."""

    def __init__(self) -> None:
        self._known: dict[str, tuple[Callable[[], Value], dict[str, Any]]] = {}

    def add(
        self, name: str, value: Callable[[], Value], unit: str | None, type: str | None, historic: bool
    ) -> None:
        """Register a metric; one of the same name is replaced. Raises `TypeError` for a name, unit or type that is no text."""
        for text in (name, unit or "", type or ""):
            if not isinstance(text, str):
                raise TypeError(f"the name, the unit and the type of a metric are texts, not {text!r}")
        described: dict[str, Any] = {"historic": historic}
        # Left out and not null, which `pm2 describe` would print.
        if unit is not None:
            described["unit"] = unit
        if type is not None:
            described["type"] = type
        self._known[name] = (value, described)

    def remove(self, name: str) -> None:
        """Forget a metric; PM2 goes on showing its last value."""
        self._known.pop(name, None)

    def read(self, failed: Callable[[str, Exception], None]) -> dict[str, dict[str, Any]]:
        """Return the values for PM2. A metric whose function raises is removed, and `failed` is called."""
        found = {}
        for name, (read, described) in list(self._known.items()):
            try:
                value = read()
            except Exception as error:
                self.remove(name)
                failed(name, error)
                continue
            value = _shown(value)
            if value is not None:
                found[name] = {**described, "value": value}
        return found


def _shown(value: Any) -> Value:
    """Return a value as PM2 can show it; None for one that it cannot."""
    if isinstance(value, str):
        return value[:LONGEST_TEXT]
    if isinstance(value, int) and -SAFE <= value <= SAFE:
        return value
    if isinstance(value, int | float):  # JavaScript would round the integer too
        with suppress(OverflowError):
            return float(value) if math.isfinite(value) else None
    return None
