"""The descriptors of a running process, seen and limited from outside, and the processor time it needs (Linux)."""

import os
import resource
import time
from pathlib import Path

_STANDARD = 3
_PROCESS_CLOCK = 2
"""Linux: the clock of a whole process, as ``clock_getcpuclockid`` of the C library makes it."""


class Table:
    """The descriptors of process ``pid``."""

    def __init__(self, pid: int) -> None:
        self._pid = pid
        self._folder = Path(f"/proc/{pid}/fd")
        self._usual: tuple[int, int] | None = None
        self._remembered: dict[int, str] = {}

    @property
    def available(self) -> bool:
        """Whether this system offers the calls and files that the members of this class need."""
        return hasattr(resource, "prlimit") and self._folder.exists()

    @property
    def processor_time(self) -> float:
        """Seconds of processor time that the process has used. Raises :class:`OSError` where the system cannot tell."""
        return time.clock_gettime((~self._pid << 3) | _PROCESS_CLOCK)

    def fill(self) -> None:
        """Leaves no room: from now on the process gets no further descriptor, and keeps those it has."""
        taken = self._content()
        first_free = next(number for number in range(len(taken) + 1) if number not in taken)
        usual = resource.prlimit(self._pid, resource.RLIMIT_NOFILE)
        self._usual = self._usual or usual
        resource.prlimit(self._pid, resource.RLIMIT_NOFILE, (first_free, usual[1]))

    def free(self) -> None:
        """Gives the process its room back."""
        if self._usual is not None:
            resource.prlimit(self._pid, resource.RLIMIT_NOFILE, self._usual)
            self._usual = None

    def remember(self) -> None:
        """Notes the open descriptors."""
        self._remembered = self._content()

    @property
    def fewer(self) -> bool:
        """Whether less is open than when :meth:`remember` was called."""
        return len(_counted(self._content())) < len(_counted(self._remembered))

    @property
    def same(self) -> bool:
        """Whether no more is open than when :meth:`remember` was called."""
        return len(_counted(self._content())) <= len(_counted(self._remembered))

    @property
    def surplus(self) -> str:
        """The descriptors that were opened since :meth:`remember`, in words."""
        now = self._content()
        more = [
            f"{number} -> {to}" for number, to in sorted(now.items()) if self._remembered.get(number) != to
        ]
        return f"{len(now) - len(self._remembered)} descriptors more: {', '.join(more)}"

    @property
    def inheritable(self) -> str:
        """Sockets that a program started by the process would inherit, in words; without the sockets that :meth:`remember` noted."""
        return ", ".join(
            f"{number} -> {to}"
            for number, to in sorted(self._content().items())
            if self._remembered.get(number) != to and self._is_inherited(number, to)
        )

    def _is_inherited(self, number: int, to: str) -> bool:
        if number < _STANDARD or not to.startswith("socket:"):
            return False
        try:
            text = Path(f"/proc/{self._pid}/fdinfo/{number}").read_text(encoding="ascii")
        except OSError:  # closed meanwhile
            return False
        flags = next(line.split()[1] for line in text.splitlines() if line.startswith("flags:"))
        return not int(flags, 8) & os.O_CLOEXEC

    def _content(self) -> dict[int, str]:
        found = {}
        try:
            names = os.listdir(self._folder)  # noqa: PTH208 (names are all that is wanted)
        except OSError:  # the process has ended
            return {}
        for name in names:
            try:
                found[int(name)] = os.readlink(self._folder / name)  # noqa: PTH115
            except OSError:  # closed meanwhile
                continue
        return found


def _counted(content: dict[int, str]) -> dict[int, str]:
    """Without devices: a runtime opens some for itself when it first needs them (Node 16: ``/dev/urandom``)."""
    return {number: to for number, to in content.items() if not to.startswith("/dev/")}
