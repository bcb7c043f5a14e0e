"""How long the runner waits, in seconds, and how much it takes, before it decides.

Every limit of time bounds a wait for something positive, so a subject that behaves never pays it. The limits of quantity keep a
subject that floods the kit from taking its memory, its descriptors or its time.
"""

from dataclasses import dataclass

SLICE = 0.2
"""The longest single wait, whatever the limit: after it a thread looks whether the run was stopped, and the main thread whether there
was a signal, since one that comes just before a wait does not end it."""


MOST_BYTES = 1 << 26
"""Bytes that may arrive while one thing is waited for: four times the longest message of a case."""
LONGEST_LINE = 1 << 25
"""Bytes of one line that the kit reads as JSON: twice the longest message of a case."""
MOST_WAITING = 100_000
"""Frames, or events, that may wait until a step takes them."""
MOST_DESCRIPTORS = 64
"""Received descriptors that may wait until a step takes them."""
AT_ONCE = 1 << 18
"""Bytes that are taken from one source before the others have their turn."""
ROUNDS = 64
"""Times that all sources are read before the time is looked at again."""


@dataclass(frozen=True, slots=True)
class Limits:
    """Limits of one run; ``scale`` multiplies all of them (slow machines, debuggers)."""

    scale: float = 1.0

    @property
    def start(self) -> float:
        """From the start of a process to its first sign of life."""
        return 15.0 * self.scale

    @property
    def hello(self) -> float:
        """From the start of a process to its first answer, when nothing is known of it yet."""
        return 8.0 * self.scale

    @property
    def answer(self) -> float:
        """For an expected frame, event, reply or byte."""
        return 3.0 * self.scale

    @property
    def progress(self) -> float:
        """For an answer of which a part arrives again and again: slow is not stuck, up to here."""
        return 300.0 * self.scale

    @property
    def case(self) -> float:
        """For one process of a case, however slowly it moves."""
        return 600.0 * self.scale

    @property
    def end(self) -> float:
        """For the end of a process after it was asked to end."""
        return 3.0 * self.scale

    @property
    def grace(self) -> float:
        """For the exit that may follow the end of the channel, and for the last synchronisation of a case."""
        return 1.0 * self.scale

    @property
    def silence(self) -> float:
        """For the step that expects nothing at all."""
        return 0.25 * self.scale
