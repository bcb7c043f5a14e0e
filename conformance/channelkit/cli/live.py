"""The output of `tap --show` and `tap --lint` while the channel is in use. A process of its own prints it: the channel never waits."""

import os
import sys
from collections.abc import Iterable
from pathlib import Path

from channelkit.lint.linter import Linter
from channelkit.lint.report import paragraph
from channelkit.look.lines import line
from channelkit.look.messages import Messages
from channelkit.tap.reading import Tail
from channelkit.tap.record import Entry


class Live:
    """Reads a recording that grows."""

    def __init__(self, *, shows: bool, lints: bool, keeps: bool) -> None:
        """``keeps`` leaves the file there when the recording has ended."""
        self._shows, self._lints, self._keeps = shows, lints, keeps

    def observe(self, path: Path, ear: int) -> None:
        """Prints until the relay has ended."""
        with path.open("rb") as file:
            if not self._keeps:
                path.unlink()
            tail = Tail(file, str(path))
            linter, messages = Linter(tail.header), Messages(tail.header)
            self._say(map(paragraph, linter.begin() if self._lints else ()))
            goes_on = True
            while goes_on:
                goes_on = bool(os.read(ear, 65536))
                for entry in tail.entries():
                    self._entry(entry, linter, messages)
            self._say(map(paragraph, linter.finish() if self._lints else ()))

    def _entry(self, entry: Entry, linter: Linter, messages: Messages) -> None:
        if self._shows:
            self._say(line(message, colours=sys.stderr.isatty()) for message in messages.add(entry))
        if self._lints:
            self._say(map(paragraph, linter.add(entry)))

    def _say(self, texts: Iterable[str]) -> None:
        for text in texts:
            print(text, file=sys.stderr, flush=True)
