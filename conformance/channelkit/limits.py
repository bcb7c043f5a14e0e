"""How long the runner waits, in seconds, and how many bytes, frames and descriptors it takes.

Every limit of time bounds a wait for an event. When the event comes, the wait ends at once, so a correct subject never waits for a
limit. The limits of quantity protect the memory, the descriptors and the time of the kit from a subject that floods it.
"""

from dataclasses import dataclass

SLICE = 0.2
"""The longest single wait. After each wait a thread looks whether the run was stopped. The main thread also looks for a signal: a
signal that comes just before a wait does not end the wait."""


MOST_BYTES = 1 << 26
"""Bytes that may arrive during a wait: four times the longest message of a case."""
LONGEST_LINE = 1 << 25
"""Bytes of a line that the kit reads as JSON: twice the longest message of a case."""
MOST_WAITING = 100_000
"""Frames, or events, that may wait until a step takes them."""
MOST_DESCRIPTORS = 64
"""Received descriptors that may wait until a step takes them."""
AT_ONCE = 1 << 18
"""Bytes that are taken from a source before the next source has its turn."""
ROUNDS = 64
"""Times that all sources are read before the clock is read again."""


@dataclass(frozen=True, slots=True)
class Limits:
    """Limits of a run in seconds; ``scale`` multiplies all of them, for slow machines and debuggers."""

    scale: float = 1.0

    @property
    def start(self) -> float:
        """The time from the start of a process to its first sign of life."""
        return 15.0 * self.scale

    @property
    def hello(self) -> float:
        """The time from the start of a process to its first answer, before the first case."""
        return 8.0 * self.scale

    @property
    def answer(self) -> float:
        """The wait for an expected frame, event, reply or byte."""
        return 3.0 * self.scale

    @property
    def progress(self) -> float:
        """The wait for an answer that arrives in parts: up to this limit a slow subject is not stuck."""
        return 300.0 * self.scale

    @property
    def case(self) -> float:
        """The time of a process for a case, however slowly it moves."""
        return 600.0 * self.scale

    @property
    def end(self) -> float:
        """The wait for the end of a process after it was asked to end."""
        return 3.0 * self.scale

    @property
    def grace(self) -> float:
        """The wait for the exit that may follow the end of the channel, and for the last synchronisation of a case."""
        return 1.0 * self.scale

    @property
    def silence(self) -> float:
        """The wait of the step that expects silence."""
        return 0.25 * self.scale
