"""A rule that is broken, with its place in a recording."""

from dataclasses import dataclass
from typing import Any

from channelkit.resources import levels, rules
from channelkit.tap.record import UP

SHOWN = 160
"""Bytes of an excerpt."""


@dataclass(frozen=True, slots=True)
class Violation:
    """A violation. The writer of ``way`` broke the rule."""

    rule: str
    way: str
    text: str
    """The observation in words."""
    entry: int
    """The number of the entry in the recording, from 0."""
    offset: int
    """The byte in all that was written this way."""
    time: int
    """Microseconds since the start."""
    data: bytes = b""

    @property
    def who(self) -> str:
        """``parent`` or ``child``."""
        return "child" if self.way == UP else "parent"

    @property
    def level(self) -> str:
        """``MUST``, ``SHOULD`` or ``MAY``."""
        return levels().get(self.rule, "MUST")

    @property
    def sentence(self) -> str:
        """The rule."""
        return rules().get(self.rule, "")

    def members(self) -> dict[str, Any]:
        """The violation as JSON."""
        return {
            "rule": self.rule,
            "level": self.level,
            "who": self.who,
            "text": self.text,
            "sentence": self.sentence,
            "entry": self.entry,
            "offset": self.offset,
            "time": self.time,
            "hex": self.data[:SHOWN].hex(),
        }
