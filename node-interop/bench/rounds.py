"""Medians come from rounds: every pair in turn, so that foreign load on the machine hits all of them."""

from __future__ import annotations

import contextlib
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bench.plan import SIZES
from bench.running import FIRST, PairFailed, Running, Series

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from bench.plan import Pair, Scenario

# Messages before anything is timed, and their bytes at most: JavaScript compiles what runs often, and a pair that happened to be slow
# at first must not be measured cold.
WARM = 5000
WARM_BYTES = 1 << 24


@dataclass(frozen=True)
class Effort:
    """How much is measured.

    Attributes:
        rounds: passes of each pair that count, unless the scenario wants more.
        seconds: the intended length of a pass.
        warm_up: rounds before them that do not count.
    """

    rounds: int = 5
    seconds: float = 0.15
    warm_up: int = 1


class Rounds:
    """The measurement of a scenario.

    Attributes:
        failed: why a pair could not do it, by its name.
    """

    def __init__(self, scenario: Scenario, commands: Mapping[str, list[str]], folder: Path) -> None:
        self.scenario = scenario
        self.failed: dict[str, str] = {}
        self._commands = commands
        self._payload = payload_file(scenario, folder)
        self._running: dict[str, Running] = {}

    def measure(self, pairs: Sequence[Pair], effort: Effort) -> dict[str, Series]:
        """Return the passes of each pair; pairs that failed are left out."""
        with contextlib.ExitStack() as clean_up:
            for pair in pairs:
                with self._tolerated(pair):
                    one = Running(pair, self.scenario, self._commands, self._payload)
                    clean_up.callback(one.kill)
                    self._running[pair.name] = one
                    one.series.count = calibrate(one, effort)
            for number in range(effort.warm_up + effort.rounds * self.scenario.rounds):
                for one in list(self._running.values()):
                    with self._tolerated(one.pair):
                        taken = one.run(one.series.count)
                        if number >= effort.warm_up:
                            one.series.passes.append(taken)
            for one in self._running.values():
                one.finish()
        return {name: one.series for name, one in self._running.items()}

    @contextlib.contextmanager
    def _tolerated(self, pair: Pair) -> Iterator[None]:
        """Go on without a pair that fails."""
        try:
            yield
        except PairFailed as error:
            self.failed[pair.name] = str(error)
            self._running.pop(pair.name, None)


def calibrate(one: Running, effort: Effort) -> int:
    """Return how many messages take about that long, once the code at both ends is warm."""
    one.run(1, FIRST)  # shows whether it works at all
    scenario = one.scenario
    count = 1
    if effort.warm_up:
        count = max(1, min(WARM, WARM_BYTES // SIZES.get(scenario.size, 1), scenario.most))
    taken = _quickest(one, count)
    while taken < effort.seconds / 4 and count < scenario.most:
        count = min(scenario.most, count * 4)
        taken = _quickest(one, count)
    return max(1, min(scenario.most, int(count * effort.seconds / taken)))


def _quickest(one: Running, count: int) -> float:
    """Return the seconds of the quickest of three passes: foreign load in a pass must not make all later passes tiny."""
    return min(one.run(count).seconds for _ in range(3))


def payload_file(scenario: Scenario, folder: Path) -> Path | None:
    """Write the message to a file, from which both ends read it."""
    payload = scenario.payload()
    if payload is None:
        return None
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{scenario.size}{'-nested' * scenario.nested}{scenario.form}.json"
    path.write_text(json.dumps(payload, ensure_ascii=False, separators=(",", ":")))
    return path
