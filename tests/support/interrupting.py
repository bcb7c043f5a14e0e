"""Interrupting a thread at the n-th line of the package's own code, as a signal handler or a finalizer does."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import nodechannel

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import FrameType

_PACKAGE = str(Path(nodechannel.__file__).parent)


class Injection(Exception):
    """The exception that a handler raises."""


class Injector:
    """Runs `handler` before the n-th line that a call executes within the package.

    Attributes:
        where: the line, once it was reached.
    """

    def __init__(self, handler: Callable[[], object], at: int) -> None:
        self._handler = handler
        self._left = at
        self.where: str | None = None

    def run(self, call: Callable[[], object]) -> None:
        """Make the call in this thread."""
        before = sys.gettrace()
        sys.settrace(self._trace)
        try:
            call()
        finally:
            sys.settrace(before)

    def _trace(self, frame: FrameType, event: str, _argument: object) -> Any:
        if not frame.f_code.co_filename.startswith(_PACKAGE):
            return None
        if event == "line" and self.where is None:
            self._left -= 1
            if self._left == 0:
                self.where = f"{frame.f_code.co_filename.removeprefix(_PACKAGE)}:{frame.f_lineno}"
                self._handler()
        return self._trace
