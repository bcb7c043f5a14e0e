"""How long the runner waits, in seconds, before it decides that nothing comes.

Every limit bounds a wait for something positive, so a subject that behaves never pays it.
"""

from dataclasses import dataclass

SLICE = 0.2
"""The longest single wait, whatever the limit: after it a thread looks whether the run was stopped, and the main thread whether there
was a signal, since one that comes just before a wait does not end it."""


@dataclass(frozen=True, slots=True)
class Limits:
    """Limits of one run; ``scale`` multiplies all of them (slow machines, debuggers)."""

    scale: float = 1.0

    @property
    def start(self) -> float:
        """From the start of a process to its first sign of life."""
        return 15.0 * self.scale

    @property
    def answer(self) -> float:
        """For an expected frame, event, reply or byte."""
        return 3.0 * self.scale

    @property
    def progress(self) -> float:
        """For an answer of which a part arrives again and again: slow is not stuck, up to here."""
        return 300.0 * self.scale

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
