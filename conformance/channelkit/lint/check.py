"""The base of checks: a check looks at the frames of a channel in their order, and reports."""

from collections.abc import Callable

from channelkit.lint.sighting import Sighting
from channelkit.lint.violation import Violation

Report = Callable[[Violation], None]
PATIENCE = 1_000_000
"""Microseconds after which an answer that has not come counts as missing, once the channel has ended."""


class Check:
    """The base of a check. Violations are certain: a side cannot have known frames that had not passed yet."""

    def __init__(self, report: Report) -> None:
        self._report = report
        self.now = 0
        """The time of the last entry."""
        self.patience = PATIENCE

    def frame(self, seen: Sighting) -> None:
        """A frame passed."""

    def ended(self, way: str) -> None:
        """The writer of a way ended it."""

    def finish(self) -> None:
        """The recording is over."""

    def broken(self, rule: str, seen: Sighting, text: str, *, by: str = "", at: int = 0) -> None:
        """Reports a rule that the writer of the frame broke, or the writer of the way ``by``."""
        self._report(Violation(rule, by or seen.way, text, seen.entry, seen.offset + at, seen.time, seen.raw))

    def late(self, seen: Sighting) -> bool:
        """Whether a frame has waited long enough for its answer."""
        return self.now - seen.time >= self.patience
