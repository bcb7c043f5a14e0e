"""The output of the kit: colours and progress on a terminal, neither in a pipe nor with ``NO_COLOR``."""

import os
import sys
import time
from typing import Final

from channelkit.catalogue.verdict import FAIL, FIXED, INCONCLUSIVE, KNOWN, LENIENT, PASS, UNSUPPORTED

_COLOURS = {
    PASS: "32",
    LENIENT: "36",
    FAIL: "1;31",
    UNSUPPORTED: "2",
    KNOWN: "33",
    FIXED: "1;35",
    INCONCLUSIVE: "1;33",
}
_CLEAR: Final = "\r\x1b[K"
_WIDTH: Final = 80
"""Columns of a terminal that does not tell."""
_PAUSE: Final = 0.1
"""Seconds between two states of the progress line."""


class Terminal:
    """Prints lines, and below them a line of progress when stdout is a terminal."""

    def __init__(self) -> None:
        self._live = sys.stdout is not None and sys.stdout.isatty() and os.environ.get("TERM") != "dumb"
        self._colours = self._live and not os.environ.get("NO_COLOR")
        self._shown = False
        self._next = 0.0

    def say(self, text: str = "") -> None:
        """Prints one line or several."""
        self.clear()
        print(text, flush=self._live)

    def paint(self, text: str, verdict: str) -> str:
        """The text in the colour of a verdict."""
        colour = _COLOURS.get(verdict)
        return f"\x1b[{colour}m{text}\x1b[0m" if self._colours and colour else text

    def progress(self, text: str) -> None:
        """Replaces the line of progress; no effect in a pipe or with ``NO_COLOR``."""
        if self._colours and time.monotonic() >= self._next:
            self._next = time.monotonic() + _PAUSE
            self._shown = True
            sys.stdout.write(_CLEAR + text[: _columns() - 1])
            sys.stdout.flush()

    def clear(self) -> None:
        """Removes the line of progress."""
        if self._shown:
            self._shown = False
            sys.stdout.write(_CLEAR)


def _columns() -> int:
    try:
        return os.get_terminal_size(sys.stdout.fileno()).columns or _WIDTH
    except (OSError, ValueError):
        return _WIDTH
