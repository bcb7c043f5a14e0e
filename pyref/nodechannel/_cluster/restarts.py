"""When a dead worker is replaced, and when its script is at fault; without any I/O."""

from __future__ import annotations

# Seconds until a worker that failed to start is replaced: the first time, and at most. They double with each failure in a row.
RESTART_DELAY = 0.1
MAX_RESTART_DELAY = 10.0

# A worker that listened and lived this many seconds does not count as a failed start.
HEALTHY_AGE = 10.0

# Seconds that a new worker may take until it listens. A worker that dies earlier without listening counts as a failed start;
# the limit is generous, because a script can take long to fail on a loaded machine.
START_TIMEOUT = 60.0

# The cluster gives up after this many failed starts if no worker ever listened.
MAX_FAILED_STARTS = 5


class Restarts:
    """Counts the failed starts of each slot.

    Attributes:
        ever_listened: whether a worker of any slot has listened.
    """

    def __init__(self) -> None:
        self.ever_listened = False
        self._failures: dict[int, int] = {}

    def died(self, slot: int, age: float, *, listened: bool) -> float:
        """Count the death of a worker; return the seconds until its successor is started."""
        failed = age <= (HEALTHY_AGE if listened else START_TIMEOUT)
        failures = self._failures[slot] = self._failures.get(slot, 0) + 1 if failed else 0
        return min(RESTART_DELAY * 2 ** min(failures - 1, 32), MAX_RESTART_DELAY) if failures else 0.0

    @property
    def hopeless(self) -> bool:
        """Whether the script is at fault, so that further workers would die as well."""
        return not self.ever_listened and sum(self._failures.values()) >= MAX_FAILED_STARTS


def next_delay(delay: float) -> float:
    """Return the seconds until the next attempt after a process could not be started."""
    return min(max(2 * delay, RESTART_DELAY), MAX_RESTART_DELAY)
